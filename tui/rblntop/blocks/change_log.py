"""The audit log as lines: when, where, what, who and why."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rblntop.model import ChangeAction, ChangeResult, LimitMode, LimitValue, LoggedChange
from rblntop.text.cells import clean, left, right
from rblntop.text.durations import duration

NONE_YET = "No change yet: every engine runs as it was started."

WHAT = {
    ChangeAction.UNKNOWN: "unknown",
    ChangeAction.START: "start",
    ChangeAction.SET: "set",
    ChangeAction.TRY: "try",
    ChangeAction.CONFIRM: "keep",
    ChangeAction.CANCEL: "undo",
    ChangeAction.REVERT: "time out",
    ChangeAction.EXTEND: "extend",
    ChangeAction.RESET: "reset",
    ChangeAction.DETACH: "detach",
    ChangeAction.CLOSE: "close",
    ChangeAction.OPEN: "open",
    ChangeAction.REOPEN: "reopen",
    ChangeAction.FAULT: "fault",
    ChangeAction.RESTART: "restart",
    ChangeAction.REAPPLY: "reapply",
}

SETTING = (ChangeAction.START, ChangeAction.SET, ChangeAction.TRY, ChangeAction.REAPPLY)
"""What can ask for a mode; the others only leave it as it is."""


def change_log(changes: Sequence[LoggedChange]) -> list[str]:
    """A heading, and a line for each change in the order given."""
    if not changes:
        return [NONE_YET]
    rows = [
        (
            _moment(change.time_s),
            clean(change.engine),
            str(change.generation),
            WHAT[change.action],
            _values(change),
            clean(change.caller) or "--",
            _notes(change),
        )
        for change in changes
    ]
    heads = ("TIME", "ENGINE", "GEN", "WHAT", "LIMITS", "BY")
    widths = [max(len(head), *(len(row[at]) for row in rows)) for at, head in enumerate(heads)]
    return [_line((*heads, "NOTE"), widths), *(_line(row, widths) for row in rows)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        right(text, width) if at == 2 else left(text, width)
        for at, (text, width) in enumerate(zip(row, widths, strict=False))
    ]
    return "  ".join([*cells, row[-1]]).rstrip()


def _moment(time_s: float | None) -> str:
    """Local date and time: a log goes back for months."""
    if time_s is None:
        return "--"
    try:
        return datetime.datetime.fromtimestamp(time_s).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "--"


def _values(change: LoggedChange) -> str:
    parts = [f"{_name(value)} {_number(value.old)} -> {_number(value.new)}" for value in change.values]
    if change.mode is LimitMode.HOLD and change.action in SETTING:
        parts.append("hold")
    if change.ttl_s is not None:
        parts.append(f"for {duration(change.ttl_s)}")
    return ", ".join(parts)


def _name(value: LimitValue) -> str:
    return "max_num_seqs" if value.group is None else f"cap of group {value.group}"


def _number(value: int | None) -> str:
    return "unset" if value is None else str(value)


def _notes(change: LoggedChange) -> str:
    parts = []
    if change.result in (ChangeResult.REFUSED, ChangeResult.UNKNOWN):
        word = "REFUSED" if change.result is ChangeResult.REFUSED else "UNKNOWN whether it was done"
        parts.append(f"{word}: {clean(change.detail)}" if change.detail else word)
    elif change.detail:
        parts.append(clean(change.detail))
    if change.change_id:
        parts.append(f"id {clean(change.change_id)}")
    if change.reason:
        parts.append(f'"{clean(change.reason)}"')
    return "  ".join(parts)
