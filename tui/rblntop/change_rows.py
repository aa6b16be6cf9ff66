"""Changes of limits as the log on the screen tells them: one row a change, with what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rblntop.model import ChangeAction, ChangeResult, Event, EventKind, LimitKind, LimitValue, LoggedChange

OUTCOME = {
    ChangeAction.SET: "set",
    ChangeAction.TRY: "on trial",
    ChangeAction.RESET: "reset",
    ChangeAction.DETACH: "detached",
    ChangeAction.CLOSE: "closed",
    ChangeAction.OPEN: "opened",
    ChangeAction.REOPEN: "reopened",
    ChangeAction.START: "at start",
    ChangeAction.REAPPLY: "reapplied",
    ChangeAction.FAULT: "fault",
    ChangeAction.RESTART: "restart",
}
"""What a change is that begins a row."""
ENDS = {
    ChangeAction.CONFIRM: "kept",
    ChangeAction.CANCEL: "undone",
    ChangeAction.REVERT: "timed out",
}
"""What becomes of a trial."""
FOLLOWS = {EventKind.CHANGE_IN_FORCE, EventKind.TRIAL_EXTENDED, EventKind.CHANGES_LOST}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change."""

    time_s: float | None
    generation: int
    what: str
    by: str
    outcome: str
    change_id: str = ""
    values: tuple[LimitValue, ...] = ()
    settled_s: float | None = None
    """When it had settled. None: not yet, or not known."""


def change_rows(events: Iterable[Event], engine: str) -> tuple[ChangeRow, ...]:
    """The changes of one engine, the newest first.

    Args:
        events: Oldest first.
        engine: Its name.
    """
    rows: list[ChangeRow] = []
    for event in events:
        change = event.change
        if change is None or event.engine != engine or event.kind in FOLLOWS:
            continue
        at = _row_of(rows, change)
        if event.kind is EventKind.CHANGE_SETTLED:
            if at is not None:
                rows[at] = replace(rows[at], settled_s=event.time_s)
            continue
        if change.action in ENDS and at is not None:
            rows[at] = replace(rows[at], outcome=ENDS[change.action])
            if change.action is ChangeAction.CONFIRM:
                continue
        rows.append(_row(event, change))
    return tuple(reversed(rows))


def _row_of(rows: list[ChangeRow], change: LoggedChange) -> int | None:
    for at in range(len(rows) - 1, -1, -1):
        same = rows[at].change_id == change.change_id if change.change_id else False
        if same or (not change.change_id and rows[at].generation == change.generation):
            return at
    return None


def _row(event: Event, change: LoggedChange) -> ChangeRow:
    outcome = OUTCOME.get(change.action) or ENDS.get(change.action) or change.action.name.lower()
    if change.result is ChangeResult.REFUSED:
        outcome = "refused"
    elif change.result is ChangeResult.UNKNOWN:
        outcome = "unknown"
    time_s = change.time_s if change.time_s is not None else event.time_s
    generation = 0 if change.result is ChangeResult.REFUSED else change.generation
    return ChangeRow(
        time_s,
        generation,
        what_changed(change),
        short_caller(change.caller),
        outcome,
        change.change_id,
        change.values,
    )


def short_caller(caller: str) -> str:
    """``uid 1000 (ops)`` is ops: the audit log has the rest."""
    found = re.match(r"uid \d+ \(([^)]+)\)", caller)
    return found.group(1) if found else caller


def what_changed(change: LoggedChange) -> str:
    """``cap g2 8 -> 2``, and with several values as many as there are different ones."""
    values = change.values
    caps = [value for value in values if value.kind is LimitKind.GROUP_CAP]
    if len(caps) > 1 and len({(cap.old, cap.new) for cap in caps}) == 1:
        rest = tuple(value for value in values if value.kind is not LimitKind.GROUP_CAP)
        return ", ".join([*map(_moved, rest), f"caps {_number(caps[0].old)} -> {_number(caps[0].new)}"])
    if values:
        return ", ".join(map(_moved, values))
    return {
        ChangeAction.CLOSE: "admission closed",
        ChangeAction.OPEN: "admission opened",
        ChangeAction.REOPEN: "admission opened",
        ChangeAction.DETACH: "probe taken out",
        ChangeAction.FAULT: "probe fault",
        ChangeAction.RESTART: "engine restarted",
    }.get(change.action, "nothing")


def _moved(value: LimitValue) -> str:
    name = "max_num_seqs" if value.kind is LimitKind.MAX_NUM_SEQS else f"cap g{value.group}"
    return f"{name} {_number(value.old)} -> {_number(value.new)}"


def _number(value: int | None) -> str:
    return "unset" if value is None else str(value)
