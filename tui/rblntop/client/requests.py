"""The requests of the Control service, made from plain values. Knows no connection."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from google.protobuf import duration_pb2, timestamp_pb2

from rblntop.client.unset import LimitTarget, Unset
from rblntop_api.v1 import control_pb2, limits_pb2

WaitFor: TypeAlias = Literal["accepted", "in-force", "settled"]
"""How far a change must have come: stored, run under by the scheduler, or running <= target."""
Mode: TypeAlias = Literal["drain", "hold"]
"""What becomes of running requests beyond lowered group caps: they finish, or they take turns."""
GroupCaps: TypeAlias = Mapping[int, LimitTarget] | Iterable[tuple[int, LimitTarget]]
"""Largest decode batch by group."""

PHASES: dict[WaitFor, control_pb2.ChangePhase] = {
    "accepted": control_pb2.CHANGE_PHASE_ACCEPTED,
    "in-force": control_pb2.CHANGE_PHASE_IN_FORCE,
    "settled": control_pb2.CHANGE_PHASE_SETTLED,
}
MODES: dict[Mode, limits_pb2.LimitMode] = {
    "drain": limits_pb2.LIMIT_MODE_DRAIN,
    "hold": limits_pb2.LIMIT_MODE_HOLD,
}


def set_limits_request(
    engine: str,
    *,
    max_num_seqs: LimitTarget | None = None,
    group_caps: GroupCaps = (),
    mode: Mode | None = None,
    ttl_s: float | None = None,
    validate_only: bool = False,
    expected_generation: int | Mapping[str, int] | None = None,
    reason: str = "",
    change_id: str = "",
    wait_for: WaitFor = "accepted",
    wait_timeout_s: float | None = None,
) -> control_pb2.SetLimitsRequest:
    """A change of limits.

    Raises:
        ValueError: a number does not fit into its field.
    """
    changes = []
    if max_num_seqs is not None:
        changes.append(
            control_pb2.LimitChange(kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, value=_number(max_num_seqs))
        )
    for group, cap in group_caps.items() if isinstance(group_caps, Mapping) else group_caps:
        changes.append(
            control_pb2.LimitChange(
                kind=limits_pb2.LIMIT_KIND_GROUP_CAP,
                scope=limits_pb2.LIMIT_SCOPE_GROUP,
                group=group,
                value=_number(cap),
            )
        )
    one, each = _expected(expected_generation)
    return control_pb2.SetLimitsRequest(
        engine=engine,
        changes=changes,
        wait_for=PHASES[wait_for],
        wait_timeout=_maybe_duration(wait_timeout_s),
        mode=MODES[mode] if mode is not None else None,
        ttl=_maybe_duration(ttl_s),
        validate_only=validate_only,
        expected_generation=one,
        expected_generations=each,
        reason=reason,
        change_id=change_id,
    )


def close_admission_request(
    engine: str,
    *,
    ttl_s: float | None,
    until_opened: bool,
    validate_only: bool = False,
    expected_generation: int | None = None,
    reason: str = "",
) -> control_pb2.CloseAdmissionRequest:
    """Admission is closed for a time, or until somebody opens it.

    Raises:
        ValueError: neither or both were given.
    """
    if (ttl_s is None) is not until_opened:
        raise ValueError("close_admission: give ttl_s, or until_opened=True")
    request = control_pb2.CloseAdmissionRequest(
        engine=engine, validate_only=validate_only, expected_generation=expected_generation, reason=reason
    )
    if ttl_s is None:
        request.until_opened = True
    else:
        request.ttl.CopyFrom(duration(ttl_s))
    return request


def list_changes_request(engine: str, *, limit: int, since_s: float | None) -> control_pb2.ListChangesRequest:
    """What was changed in the last ``since_s`` seconds; None: ever."""
    since = None
    if since_s is not None:
        since = timestamp_pb2.Timestamp()
        since.FromNanoseconds(max(0, time.time_ns() - round(since_s * 1e9)))
    return control_pb2.ListChangesRequest(engine=engine, limit=limit, since=since)


def duration(seconds: float) -> duration_pb2.Duration:
    """A length of time as a message."""
    message = duration_pb2.Duration()
    message.FromTimedelta(datetime.timedelta(seconds=seconds))
    return message


def _maybe_duration(seconds: float | None) -> duration_pb2.Duration | None:
    return None if seconds is None else duration(seconds)


def _number(target: LimitTarget) -> int | None:
    return None if isinstance(target, Unset) else target


def _expected(generation: int | Mapping[str, int] | None) -> tuple[int | None, Mapping[str, int]]:
    """The same for all engines, and by instance id."""
    return (None, generation) if isinstance(generation, Mapping) else (generation, {})
