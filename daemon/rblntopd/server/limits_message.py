"""Limits as a protobuf message."""

from __future__ import annotations

import time

from google.protobuf.timestamp_pb2 import Timestamp

from rblntop_api.v1 import limits_pb2
from rblntopd.engines.limits import AdmissionState, Limit, LimitKind, Limits, Trial

LIMIT_KINDS = {
    LimitKind.MAX_NUM_SEQS: limits_pb2.LIMIT_KIND_MAX_NUM_SEQS,
    LimitKind.GROUP_CAP: limits_pb2.LIMIT_KIND_GROUP_CAP,
}
MODES = {
    None: limits_pb2.LIMIT_MODE_UNSPECIFIED,
    False: limits_pb2.LIMIT_MODE_DRAIN,
    True: limits_pb2.LIMIT_MODE_HOLD,
}
NS_PER_MS = 1_000_000


def limits_message(limits: Limits) -> limits_pb2.Limits:
    """All limits of an engine."""
    message = limits_pb2.Limits(
        generation=limits.generation,
        limits=[_limit_message(limit) for limit in limits.limits],
        admission=limits.admission,
        admission_from=LIMIT_KINDS[limits.admission_from],
        accepted_step=limits.accepted_step,
        in_force_step=limits.in_force_step,
        settled_step=limits.settled_step,
        mode=MODES[limits.hold],
        trial=_trial_message(limits.trial) if limits.trial else None,
        admission_state=_admission_message(limits.admission_state),
    )
    if limits.accepted_ns:
        message.accepted_at.CopyFrom(wall_clock(limits.accepted_ns))
    return message


def _limit_message(limit: Limit) -> limits_pb2.Limit:
    of_group = limit.group is not None
    return limits_pb2.Limit(
        kind=LIMIT_KINDS[limit.kind],
        scope=limits_pb2.LIMIT_SCOPE_GROUP if of_group else limits_pb2.LIMIT_SCOPE_ENGINE,
        group=limit.group,
        floor=limit.floor,
        ceiling=limit.ceiling,
        target=limit.target,
        effective=limit.effective,
        available=limit.available,
        unavailable_reason=limit.unavailable_reason,
        reverts_to=limit.reverts_to,
    )


def _trial_message(trial: Trial) -> limits_pb2.Trial:
    message = limits_pb2.Trial(change_id=trial.change_id, generation=trial.generation)
    message.ttl.FromMilliseconds(trial.ttl_ms)
    if trial.deadline_ns is not None:
        message.reverts_at.CopyFrom(wall_clock(trial.deadline_ns))
    return message


def _admission_message(state: AdmissionState) -> limits_pb2.Admission:
    message = limits_pb2.Admission(
        closed=state.closed,
        paused_by_engine=state.paused,
        available=state.available,
        unavailable_reason=state.unavailable_reason,
    )
    if state.until_ns is not None:
        message.closed_until.CopyFrom(wall_clock(state.until_ns))
    return message


def wall_clock(mono_ns: int) -> Timestamp:
    """When CLOCK_MONOTONIC shows or showed ``mono_ns``, by the wall clock as it goes now, to the ms."""
    moment = Timestamp()
    moment.FromMilliseconds((time.time_ns() - time.monotonic_ns() + mono_ns) // NS_PER_MS)
    return moment
