"""Reads which limits a request wants, and checks them against what the engine shows."""

from __future__ import annotations

from collections.abc import Iterable

from rblntop_api.v1 import control_pb2, limits_pb2
from rblntopd.audit import lines
from rblntopd.audit.log_file import Line
from rblntopd.engines.description import Control
from rblntopd.engines.engine import Engine
from rblntopd.engines.limits import LimitKind, Limits
from rblntopd.probe.limits import UNSET, LimitChange, Unset
from rblntopd.server.errors import Reason, RequestError, invalid_field

_KINDS = {
    limits_pb2.LIMIT_KIND_MAX_NUM_SEQS: LimitKind.MAX_NUM_SEQS,
    limits_pb2.LIMIT_KIND_GROUP_CAP: LimitKind.GROUP_CAP,
}
_HOLDS: dict[int, bool | None] = {
    limits_pb2.LIMIT_MODE_UNSPECIFIED: None,
    limits_pb2.LIMIT_MODE_DRAIN: False,
    limits_pb2.LIMIT_MODE_HOLD: True,
}


def read_change(
    changes: Iterable[control_pb2.LimitChange], mode: int, engine: Engine, limits: Limits | None
) -> LimitChange:
    """The change that a request asks of an engine.

    Raises:
        RequestError: a field is invalid, or the engine has no such control.
    """
    if mode not in _HOLDS:
        raise invalid_field("mode", mode, "LIMIT_MODE_DRAIN or LIMIT_MODE_HOLD")
    max_num_seqs: int | Unset | None = None
    group_caps: dict[int, int | Unset] = {}
    groups = engine.description.group_count
    for number, change in enumerate(changes):
        field = f"changes[{number}]"
        kind = _KINDS.get(change.kind)
        if kind is None:
            allowed = "LIMIT_KIND_MAX_NUM_SEQS or LIMIT_KIND_GROUP_CAP"
            raise invalid_field(f"{field}.kind", change.kind, allowed)
        _check_scope(field, kind, change, groups)
        _check_available(engine, kind)
        value: int | Unset = UNSET
        if change.HasField("value"):
            value = change.value
            _check_range(field, kind, change.group, value, limits)
        if kind is LimitKind.MAX_NUM_SEQS:
            if max_num_seqs is not None:
                raise invalid_field(field, "max_num_seqs", "one change of each limit")
            max_num_seqs = value
        else:
            if change.group in group_caps:
                raise invalid_field(field, f"group_cap of group {change.group}", "one change of each limit")
            group_caps[change.group] = value
    hold = _HOLDS[mode]
    if max_num_seqs is None and not group_caps and hold is None:
        raise invalid_field("changes", "(empty)", "at least one change")
    return LimitChange(max_num_seqs, group_caps, hold)


def asked_values(change: LimitChange, limits: Limits | None) -> list[Line]:
    """What was asked, for the audit log: each limit as it is now and as it was wanted."""
    now = {(limit.kind, limit.group): limit.target for limit in limits.limits} if limits else {}

    def value(kind: LimitKind, group: int | None, wanted: int | Unset) -> Line:
        return lines.value(kind, group, now.get((kind, group)), None if wanted is UNSET else wanted)

    found = [value(LimitKind.GROUP_CAP, group, cap) for group, cap in change.group_caps.items()]
    if change.max_num_seqs is not None:
        found.insert(0, value(LimitKind.MAX_NUM_SEQS, None, change.max_num_seqs))
    return found


def _check_scope(field: str, kind: LimitKind, change: control_pb2.LimitChange, groups: int) -> None:
    if kind is LimitKind.MAX_NUM_SEQS:
        if change.scope == limits_pb2.LIMIT_SCOPE_GROUP:
            raise invalid_field(
                f"{field}.scope", "LIMIT_SCOPE_GROUP", "LIMIT_SCOPE_ENGINE: this engine has one scheduler"
            )
        if change.HasField("group"):
            raise invalid_field(f"{field}.group", change.group, "no group: max_num_seqs is of the engine")
        return
    if change.scope == limits_pb2.LIMIT_SCOPE_ENGINE:
        raise invalid_field(f"{field}.scope", "LIMIT_SCOPE_ENGINE", "LIMIT_SCOPE_GROUP for a group cap")
    if not change.HasField("group"):
        raise invalid_field(f"{field}.group", "(absent)", f"0..{groups - 1}")
    if change.group >= groups:
        raise invalid_field(f"{field}.group", change.group, f"0..{groups - 1}")


def _check_available(engine: Engine, kind: LimitKind) -> None:
    description = engine.description
    control: Control = (
        description.max_num_seqs_control if kind is LimitKind.MAX_NUM_SEQS else description.group_cap_control
    )
    reason = control.reason or engine.unavailable_reason
    if reason:
        raise RequestError(
            Reason.CONTROL_UNAVAILABLE,
            f"{kind.value} of engine {engine.name} cannot be changed: {reason}",
            engine=engine.name,
            limit=kind.value,
        )


def _check_range(field: str, kind: LimitKind, group: int, value: int, limits: Limits | None) -> None:
    for limit in limits.limits if limits else ():
        if limit.kind is not kind or limit.group not in (None, group):
            continue
        if not limit.floor <= value <= limit.ceiling:
            what = kind.value if limit.group is None else f"{kind.value} of group {group}"
            raise invalid_field(f"{field}.value ({what})", value, f"{limit.floor}..{limit.ceiling}")
    if value < 1:
        raise invalid_field(f"{field}.value", value, "1 or more")
