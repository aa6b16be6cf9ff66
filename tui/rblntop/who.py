"""Who changed what, when and why, from the audit log."""

from __future__ import annotations

import re

from rblntop.model import ChangeAction, ChangeResult, Engine, Limit, LoggedChange, Snapshot, Trial
from rblntop.text.cells import clean, cut
from rblntop.text.durations import duration
from rblntop.text.numbers import known

_USER = re.compile(r"^uid \d+ \((.+)\)$")
LONGEST = 24

SETS = (ChangeAction.START, ChangeAction.SET, ChangeAction.TRY, ChangeAction.REAPPLY)
"""What gives a limit a value that somebody asked for."""
KEPT = (ChangeAction.SET, ChangeAction.CONFIRM)


def of_engine(changes: tuple[LoggedChange, ...], engine: Engine) -> list[LoggedChange]:
    """Changes of this process that were carried out, newest first."""
    return [
        change
        for change in changes
        if change.result is ChangeResult.DONE
        and (change.instance_id == engine.instance_id if change.instance_id else change.engine == engine.name)
    ]


def change_of_limit(limit: Limit, changes: tuple[LoggedChange, ...], engine: Engine) -> LoggedChange | None:
    """The change that gave a limit the value it has."""
    for change in of_engine(changes, engine):
        for value in change.values:
            if (value.kind, value.group) == (limit.kind, limit.group):
                return change if value.new == limit.target and change.action in SETS else None
    return None


def change_of_trial(trial: Trial, changes: tuple[LoggedChange, ...], engine: Engine) -> LoggedChange | None:
    """The change that began a trial."""
    for change in of_engine(changes, engine):
        if change.action is ChangeAction.TRY and change.change_id == trial.change_id:
            return change
    return None


def closing(changes: tuple[LoggedChange, ...], engine: Engine) -> LoggedChange | None:
    """The change that closed the admission."""
    return next(
        (change for change in of_engine(changes, engine) if change.action is ChangeAction.CLOSE), None
    )


def last_kept(changes: tuple[LoggedChange, ...], engine: Engine) -> LoggedChange | None:
    """The latest change whose values were kept, and that nothing has overtaken: what undo takes back."""
    there = of_engine(changes, engine)
    for change in there:
        if change.action in (ChangeAction.RESET, ChangeAction.DETACH, ChangeAction.FAULT, ChangeAction.START):
            return None
        if change.action is ChangeAction.SET and change.values:
            return change
        if change.action is ChangeAction.CONFIRM:
            return next(
                (
                    tried
                    for tried in there
                    if tried.action is ChangeAction.TRY and tried.change_id == change.change_id
                ),
                None,
            )
    return None


def caller(change: LoggedChange) -> str:
    """``ops``, where the log says ``uid 1000 (ops)``."""
    name = clean(change.caller)
    found = _USER.match(name)
    return cut(found[1] if found else name, LONGEST)


def by_and_when(change: LoggedChange | None, snapshot: Snapshot, *, reason: bool = True) -> str:
    """``ops, 41 min ago, "latency test"``; empty if nothing is known."""
    if change is None:
        return ""
    parts = [caller(change)] if change.caller else []
    if change.time_s is not None and snapshot.time_s is not None and known(snapshot.time_s - change.time_s):
        parts.append(f"{duration(snapshot.time_s - change.time_s)} ago")
    if reason and change.reason:
        parts.append(f'"{cut(clean(change.reason), 2 * LONGEST)}"')
    return ", ".join(parts)
