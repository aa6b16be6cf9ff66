"""The lines of the audit log. docs/audit-log.md says what each field means.

Every line stands for itself: what became of a change is told with all that was asked, so that no reader has
to find another line first.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from rblntopd.audit.caller import PROBE, Caller
from rblntopd.audit.log_file import Line
from rblntopd.engines.engine import Engine
from rblntopd.engines.foreign_text import from_ring
from rblntopd.engines.limits import LimitKind
from rblntopd.probe.ring_format import Action, JournalEntry, LimitFlags

#: What only the probe itself does: nobody can have asked for it.
BY_ITSELF = {Action.START, Action.REVERT, Action.REOPEN, Action.FAULT}
RESTART, REAPPLY = "RESTART", "REAPPLY"
UNDO, WAIT, KEEP, OVER = "undo", "wait", "keep", "over"
"""Stages of a change of several engines, by what a daemon has to do about it that finds it so."""

_LATEST_S = 253_402_300_799
"""The end of the year 9999, the last one that can be written."""


def time_text(time_ns: int) -> str:
    """A moment as RFC 3339, in UTC."""
    seconds, ns = divmod(time_ns, 10**9)
    moment = datetime.fromtimestamp(min(seconds, _LATEST_S), timezone.utc)
    return moment.replace(microsecond=ns // 1000, tzinfo=None).isoformat(timespec="microseconds") + "Z"


def intent(
    engine: Engine,
    action: str,
    caller: Caller,
    *,
    reason: str = "",
    change_id: str = "",
    values: Iterable[Line] = (),
    mode: str = "",
    ttl_ms: int = 0,
) -> Line:
    """A change that is about to be asked of a probe."""
    now = time_text(time.time_ns())
    return {
        "line": "intent",
        "id": secrets.token_hex(6),
        "time": now,
        "logged": now,
        **_engine(engine),
        "action": action,
        "caller": _caller(caller),
    } | _present(reason=reason, change_id=change_id, values=list(values), mode=mode, ttl_ms=ttl_ms)


def outcome(of: Line, line: str, detail: str, generation: int | None = None) -> Line:
    """What became of an intent that is in no journal: ``refused``, ``unknown`` or ``nothing`` to do."""
    now = time_text(time.time_ns())
    kept = {key: value for key, value in of.items() if key not in ("id", "doubt")}
    return (
        kept
        | {"line": line, "intent": of["id"], "time": now, "logged": now}
        | _present(detail=detail, generation=generation)
    )


def done(engine: Engine, number: int, entry: JournalEntry) -> Line:
    """A change that was carried out: entry ``number`` (from 1) of the engine's journal."""
    caller = PROBE if entry.action in BY_ITSELF else Caller(from_ring(entry.caller))
    return {
        "line": "done",
        "time": time_text(entry.real_ns),
        "logged": time_text(time.time_ns()),
        **_engine(engine),
        "action": action_of(entry),
        "caller": _caller(caller),
        "journal": number,
        "generation": entry.generation,
        "step": entry.step,
    } | _present(
        reason=from_ring(entry.reason),
        change_id=from_ring(entry.change_id),
        values=_moved(entry),
        mode=_mode(entry),
        ttl_ms=entry.ttl_ms,
    )


def as_asked(line: Line, of: Line) -> Line:
    """A change that was carried out, with the intent behind it.

    Who asked is known from there: the journal's caller is whatever whoever asked has put there.
    """
    line = line | {"intent": of["id"], "caller": of["caller"]}
    return line | {"action": REAPPLY} if of["action"] == REAPPLY else line


def gap(engine: Engine, reached: int, missed: int) -> Line:
    """Entries that the journal no longer held when it was read."""
    now = time_text(time.time_ns())
    text = f"{missed} changes are missing: the engine's journal no longer had them"
    return {
        "line": "gap", "time": now, "logged": now, **_engine(engine), "journal": reached, "missed": missed,
        "detail": text,
    }  # fmt: skip


def lost(count: int) -> Line:
    """Lines that were given up, because the disk took none for too long."""
    now = time_text(time.time_ns())
    text = f"{count} lines were lost while the log could not be written"
    return {"line": "gap", "time": now, "logged": now, "missed": count, "detail": text}


def restart(engine: Engine, values: Iterable[Line], detail: str) -> Line:
    """An engine was restarted, and has its own limits again."""
    now = time_text(time.time_ns())
    return {
        "line": "restart", "time": now, "logged": now, **_engine(engine), "action": RESTART,
        "caller": _caller(PROBE), "values": list(values), "detail": detail,
    }  # fmt: skip


def several(change_id: str, stage: str, engines: Iterable[Engine]) -> Line:
    """How far a change of several engines has come."""
    return {
        "line": "several",
        "time": time_text(time.time_ns()),
        "change_id": change_id,
        "stage": stage,
        "instances": [engine.instance_id for engine in engines],
    }


def value(kind: LimitKind, group: int | None, old: int | None, new: int | None) -> Line:
    """One limit before and after; None: not set."""
    return {"kind": kind.value} | _known(group=group, old=old, new=new)


def action_of(entry: JournalEntry) -> str:
    """The name of the entry's action; of one that this side does not know, its number."""
    try:
        return Action(entry.action).name
    except ValueError:
        return f"action {entry.action}"


def _mode(entry: JournalEntry) -> str:
    """What happens to the excess, of an entry that moved group caps or the mode itself."""
    hold = entry.new_flags & LimitFlags.HOLD
    if entry.old_caps == entry.new_caps and entry.old_flags & LimitFlags.HOLD == hold:
        return ""
    return "HOLD" if hold else "DRAIN" if any(entry.new_caps) else ""


def _moved(entry: JournalEntry) -> list[Line]:
    found = []
    if entry.old_max_num_seqs != entry.new_max_num_seqs:
        old, new = entry.old_max_num_seqs or None, entry.new_max_num_seqs or None
        found.append(value(LimitKind.MAX_NUM_SEQS, None, old, new))
    for group, (before, after) in enumerate(zip(entry.old_caps, entry.new_caps, strict=True)):
        if before != after:
            found.append(value(LimitKind.GROUP_CAP, group, before or None, after or None))
    return found


def _engine(engine: Engine) -> Line:
    return {"engine": engine.name, "instance": engine.instance_id, "model": engine.description.model}


def _caller(caller: Caller) -> Line:
    return {"name": caller.name, "verified": caller.verified} | _known(uid=caller.uid)


def _known(**fields: Any) -> Line:
    return {key: value for key, value in fields.items() if value is not None}


def _present(**fields: Any) -> Line:
    return {key: value for key, value in fields.items() if value}
