"""A change of limits for a probe: checked against what its ring shows, and what it would come to."""

from __future__ import annotations

from collections.abc import Mapping

from rblntop.cli.direct_errors import invalid
from rblntop.cli.engine_door import Flag, Op, Request, ring, wire
from rblntop.client.errors import RefusedError
from rblntop.client.requests import GroupCaps, Mode
from rblntop.client.unset import LimitTarget, Unset
from rblntop_api.v1 import control_pb2, limits_pb2, snapshot_pb2

_MODES = {None: Flag.NONE, "hold": Flag.HOLD, "drain": Flag.DRAIN}


def limits_request(
    now: limits_pb2.Limits,
    *,
    max_num_seqs: LimitTarget | None,
    group_caps: GroupCaps,
    mode: Mode | None,
    ttl_s: float | None,
    validate_only: bool,
    expected_generation: int | None,
    reason: str,
    change_id: str,
) -> Request:
    """The request. On the wire 0 and the largest number have meanings of their own: both are refused here.

    Raises:
        RefusedError: a value is out of range.
    """
    _check_bytes("change_id", change_id, ring.ID_SIZE)
    _check_bytes("reason", reason, ring.REASON_SIZE)
    seqs = wire.UNCHANGED
    if max_num_seqs is not None:
        seqs = _value(_limit(now, None), max_num_seqs, wire.UNSET)
    caps: dict[int, int] = {}
    for group, cap in group_caps.items() if isinstance(group_caps, Mapping) else group_caps:
        caps[group] = _value(_limit(now, group), cap, wire.UNSET_CAP)
    flags = _MODES[mode] | (Flag.VALIDATE_ONLY if validate_only else Flag.NONE)
    if expected_generation is not None:
        flags |= Flag.EXPECT_GENERATION
    return Request(
        Op.SET_LIMITS,
        0,
        flags=flags,
        expected_generation=expected_generation or 0,
        ttl_ms=0 if ttl_s is None else max(1, round(ttl_s * 1000)),
        max_num_seqs=seqs,
        group_caps=tuple(caps.get(group, wire.UNCHANGED) for group in range(max(caps, default=-1) + 1)),
        change_id=change_id if ttl_s is not None else "",
        reason=reason,
    )


def as_it_would_be(now: limits_pb2.Limits, request: Request) -> limits_pb2.Limits:
    """The limits with the targets that ``request`` asks for."""
    then = limits_pb2.Limits()
    then.CopyFrom(now)
    total, caps_sum, capped = 0, 0, False
    for limit in then.limits:
        of_group = limit.kind == limits_pb2.LIMIT_KIND_GROUP_CAP
        asked = request.max_num_seqs
        if of_group:
            asked = request.group_caps[limit.group] if limit.group < len(request.group_caps) else 0
        if asked == (wire.UNSET_CAP if of_group else wire.UNSET):
            limit.ClearField("target")
        elif asked != wire.UNCHANGED:
            limit.target = asked
        wanted = limit.target if limit.HasField("target") else limit.ceiling
        if of_group:
            caps_sum, capped = caps_sum + wanted, capped or limit.HasField("target")
        else:
            total = wanted
    then.admission = min(total, caps_sum) if capped else total
    by_caps = capped and caps_sum < total
    then.admission_from = limits_pb2.LIMIT_KIND_GROUP_CAP if by_caps else limits_pb2.LIMIT_KIND_MAX_NUM_SEQS
    if any(request.group_caps) or request.flags & (Flag.HOLD | Flag.DRAIN):
        hold = bool(request.flags & Flag.HOLD) and capped
        then.mode = limits_pb2.LIMIT_MODE_HOLD if hold else limits_pb2.LIMIT_MODE_DRAIN
    return then


def preview(snapshot: snapshot_pb2.Snapshot, then: limits_pb2.Limits) -> control_pb2.Preview:
    """Who would drain. What the last minute would have looked like only the daemon knows."""
    return control_pb2.Preview(draining=max(0, snapshot.running - then.admission))


def _limit(now: limits_pb2.Limits, group: int | None) -> limits_pb2.Limit:
    for limit in now.limits:
        if (limit.group if limit.HasField("group") else None) == group:
            break
    else:
        groups = sum(limit.HasField("group") for limit in now.limits)
        if groups:
            raise invalid("group", group, f"0..{groups - 1}")
        raise RefusedError(
            "the engine shows no limits yet", code="FAILED_PRECONDITION", reason="CONTROL_UNAVAILABLE"
        )
    if not limit.available:
        raise RefusedError(
            f"{_name(limit)} cannot be changed here: {limit.unavailable_reason}",
            code="FAILED_PRECONDITION",
            reason="CONTROL_UNAVAILABLE",
        )
    return limit


def _value(limit: limits_pb2.Limit, target: LimitTarget, unset: int) -> int:
    if isinstance(target, Unset):
        return unset
    if not limit.floor <= target <= limit.ceiling:
        raise invalid(_name(limit), target, f"{limit.floor}..{limit.ceiling}")
    return target


def _name(limit: limits_pb2.Limit) -> str:
    return f"cap of group {limit.group}" if limit.HasField("group") else "max_num_seqs"


def _check_bytes(field: str, text: str, most: int) -> None:
    if len(text.encode(errors="replace")) > most:
        raise invalid(field, repr(text), f"at most {most} bytes")
