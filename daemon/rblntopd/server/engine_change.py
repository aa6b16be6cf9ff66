"""What a change made of one engine, as a protobuf message."""

from __future__ import annotations

from dataclasses import dataclass, replace

from google.protobuf.duration_pb2 import Duration

from rblntop_api.v1 import control_pb2
from rblntopd.engines.engine import Engine
from rblntopd.engines.limits import limits_of
from rblntopd.engines.prediction import Prediction
from rblntopd.metrics.preview import GroupPreview, Preview
from rblntopd.probe.control_format import Answer
from rblntopd.server.limits_message import limits_message
from rblntopd.server.phases import PHASES, Phase, Progress, phase_of


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a change would do to an engine; None: the engine does not show enough to tell."""

    prediction: Prediction | None = None
    preview: Preview | None = None


def changed(engine: Engine, answer: Answer, progress: Progress, outlook: Outlook) -> control_pb2.EngineChange:
    """A change that was made."""
    message = _message(engine, answer, outlook.preview)
    message.generation = answer.generation
    message.phase = PHASES[progress.phase]
    message.waiting_because = progress.waiting_because
    if progress.limits is not None:
        message.limits.CopyFrom(limits_message(progress.limits))
    return message


def changed_now(engine: Engine, answer: Answer) -> control_pb2.EngineChange:
    """A change that was made and is not waited for."""
    limits = engine.limits()
    progress = Progress(phase_of(limits, answer.generation), limits, "")
    return changed(engine, answer, progress, Outlook())


def would_change(engine: Engine, answer: Answer, outlook: Outlook) -> control_pb2.EngineChange:
    """A change that was validated only; ``answer`` is of the moment before it."""
    message = _message(engine, answer, outlook.preview)
    message.phase = PHASES[Phase.ACCEPTED]
    message.generation = answer.generation
    if outlook.prediction is not None:
        limits = limits_of(outlook.prediction.block, engine.description)
        limits = replace(limits, accepted_step=answer.step)
        message.generation = limits.generation
        message.limits.CopyFrom(limits_message(limits))
    return message


def _message(engine: Engine, answer: Answer, preview: Preview | None) -> control_pb2.EngineChange:
    return control_pb2.EngineChange(
        engine=engine.name,
        instance_id=engine.instance_id,
        warnings=[line for line in answer.text.splitlines() if line],
        preview=_preview_message(preview) if preview is not None else None,
    )


def _preview_message(preview: Preview) -> control_pb2.Preview:
    message = control_pb2.Preview(
        draining=preview.draining,
        decode_pad_ratio_now=preview.decode_pad_ratio_now,
        decode_pad_ratio_then=preview.decode_pad_ratio_then,
        steps_in_smaller_bucket=preview.steps_in_smaller_bucket,
        decode_steps=preview.decode_steps,
        groups=[_group_message(group) for group in preview.groups],
    )
    if preview.drain_seconds is not None:
        estimate = Duration()
        estimate.FromMilliseconds(round(preview.drain_seconds * 1000))
        message.drain_estimate.CopyFrom(estimate)
    return message


def _group_message(group: GroupPreview) -> control_pb2.GroupPreview:
    return control_pb2.GroupPreview(
        group=group.group,
        running=group.running,
        cap=group.cap,
        excess=group.excess,
        mean_decode_batch_now=group.mean_decode_batch_now,
        mean_decode_batch_then=group.mean_decode_batch_then,
        decode_pad_ratio_now=group.decode_pad_ratio_now,
        decode_pad_ratio_then=group.decode_pad_ratio_then,
    )
