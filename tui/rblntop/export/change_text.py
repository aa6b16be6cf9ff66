"""A change of limits in a few words."""

from __future__ import annotations

from rblntop_api.v1 import control_pb2, limits_pb2


def change_text(change: control_pb2.Change) -> str:
    """``set: group 1 cap 4 -> 2``."""
    known = change.action in control_pb2.ChangeAction.values()
    name = control_pb2.ChangeAction.Name(change.action) if known else f"change {change.action}"
    word = name.removeprefix("CHANGE_ACTION_").lower()
    if change.result == control_pb2.CHANGE_RESULT_REFUSED:
        word += " refused"
    values = ", ".join(_value(value) for value in change.values)
    return f"{word}: {values}" if values else word


def _value(value: control_pb2.LimitValue) -> str:
    old = value.old_value if value.HasField("old_value") else "unset"
    new = value.new_value if value.HasField("new_value") else "unset"
    what = "max_num_seqs" if value.kind == limits_pb2.LIMIT_KIND_MAX_NUM_SEQS else f"group {value.group} cap"
    return f"{what} {old} -> {new}"
