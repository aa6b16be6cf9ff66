"""From the messages of the Control service to our model."""

from __future__ import annotations

from rblntop.model.change import (
    ChangeAction,
    ChangePhase,
    ChangeResult,
    EngineChange,
    GroupPreview,
    LimitValue,
    LoggedChange,
    Preview,
)
from rblntop.model.from_proto import known, limits_from_proto, seconds, word
from rblntop.model.limits import LimitKind, LimitMode
from rblntop_api.v1 import control_pb2


def change_from_proto(message: control_pb2.EngineChange) -> EngineChange:
    """One engine's part of a change."""
    return EngineChange(
        engine=message.engine,
        instance_id=message.instance_id,
        generation=message.generation,
        phase=word(ChangePhase, message.phase),
        limits=limits_from_proto(message.limits),
        warnings=tuple(message.warnings),
        waiting_because=message.waiting_because,
        preview=_preview(message.preview) if message.HasField("preview") else None,
    )


def logged_from_proto(message: control_pb2.Change) -> LoggedChange:
    """A line of the audit log."""
    return LoggedChange(
        time_s=seconds(message.time) if message.HasField("time") else None,
        engine=message.engine,
        instance_id=message.instance_id,
        action=word(ChangeAction, message.action),
        result=word(ChangeResult, message.result),
        caller=message.caller.name,
        reason=message.reason,
        change_id=message.change_id,
        generation=message.generation,
        step=message.step,
        values=tuple(
            LimitValue(
                word(LimitKind, value.kind),
                known(value, "group"),
                known(value, "old_value"),
                known(value, "new_value"),
            )
            for value in message.values
        ),
        mode=word(LimitMode, message.mode),
        ttl_s=seconds(message.ttl) if message.HasField("ttl") else None,
        detail=message.detail,
    )


def _preview(message: control_pb2.Preview) -> Preview:
    return Preview(
        draining=message.draining,
        drain_estimate_s=seconds(message.drain_estimate) if message.HasField("drain_estimate") else None,
        decode_pad_ratio_now=known(message, "decode_pad_ratio_now"),
        decode_pad_ratio_then=known(message, "decode_pad_ratio_then"),
        steps_in_smaller_bucket=message.steps_in_smaller_bucket,
        decode_steps=message.decode_steps,
        groups=tuple(
            GroupPreview(
                group=group.group,
                running=group.running,
                cap=group.cap,
                excess=group.excess,
                mean_decode_batch_now=known(group, "mean_decode_batch_now"),
                mean_decode_batch_then=known(group, "mean_decode_batch_then"),
                decode_pad_ratio_now=known(group, "decode_pad_ratio_now"),
                decode_pad_ratio_then=known(group, "decode_pad_ratio_then"),
            )
            for group in message.groups
        ),
    )
