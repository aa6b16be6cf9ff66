"""Events from the lines of the audit log, which tells of every change, whoever made it."""

from __future__ import annotations

from datetime import datetime, timezone

from rblntopd.audit.log_file import Line
from rblntopd.engines.foreign_text import printable
from rblntopd.engines.limits import LimitKind
from rblntopd.events.event import Event, EventKind, Severity

_DONE: dict[str, tuple[EventKind, Severity, str]] = {
    "START": (EventKind.LIMITS_CHANGED, Severity.INFO, "started with {values}"),
    "SET": (EventKind.LIMITS_CHANGED, Severity.INFO, "{values}, by {caller}"),
    "REAPPLY": (EventKind.LIMITS_CHANGED, Severity.INFO, "set again after a restart: {values}"),
    "RESET": (EventKind.LIMITS_CHANGED, Severity.INFO, "limits reset by {caller}: {values}"),
    "TRY": (EventKind.TRIAL_STARTED, Severity.INFO, "trial {id}: {values}, by {caller}"),
    "CONFIRM": (EventKind.TRIAL_KEPT, Severity.INFO, "trial {id} kept by {caller}"),
    "EXTEND": (EventKind.TRIAL_EXTENDED, Severity.INFO, "trial {id} extended by {caller}"),
    "CANCEL": (EventKind.TRIAL_REVERTED, Severity.INFO, "trial {id} undone by {caller}: {values}"),
    "REVERT": (EventKind.TRIAL_REVERTED, Severity.WATCH, "trial {id} undone, its time ran out: {values}"),
    "DETACH": (EventKind.PROBE_DETACHED, Severity.WATCH, "the probe was taken out by {caller}"),
    "CLOSE": (EventKind.ADMISSION_CLOSED, Severity.WATCH, "admission closed by {caller}"),
    "OPEN": (EventKind.ADMISSION_OPENED, Severity.INFO, "admission opened by {caller}"),
    "REOPEN": (EventKind.ADMISSION_OPENED, Severity.INFO, "admission opened, its time ran out"),
    "FAULT": (
        EventKind.PROBE_FAULT,
        Severity.ACT,
        "the probe switched itself off; the engine has its own limits",
    ),
}
_OTHER: dict[str, tuple[EventKind, Severity, str]] = {
    "restart": (EventKind.ENGINE_RESTARTED, Severity.WATCH, "restarted: {detail}"),
    "refused": (EventKind.CHANGE_REFUSED, Severity.INFO, "{action} by {caller} refused: {detail}"),
    "unknown": (EventKind.CHANGE_UNKNOWN, Severity.WATCH, "{action} by {caller}, outcome unknown: {detail}"),
    "gap": (EventKind.CHANGES_LOST, Severity.WATCH, "{detail}"),
}


def event_of(line: Line) -> Event | None:
    """What a line of the audit log tells of; None: of nothing that happened.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not a line as a daemon writes it.
    """
    action = line.get("action", "")
    if line["line"] == "done":
        kind, severity, text = _DONE.get(
            action, (EventKind.LIMITS_CHANGED, Severity.INFO, "{action}: {values}, by {caller}")
        )
    elif line["line"] in _OTHER:
        kind, severity, text = _OTHER[line["line"]]
    else:
        return None
    values = line.get("values", [])
    groups = {value.get("group") for value in values}
    reason = line.get("reason", "")
    told = text.format(
        values=", ".join(map(_value_text, values)) or "nothing moved",
        caller=line.get("caller", {}).get("name", ""),
        id=line.get("change_id", ""),
        action=action.lower(),
        detail=line.get("detail", ""),
    )
    return Event(
        kind=kind,
        severity=severity,
        time_ns=moment_ns(line["time"]),
        text=printable(told + (f' ("{reason}")' if reason else "")),
        engine=line.get("engine", ""),
        instance_id=line.get("instance", ""),
        model=line.get("model", ""),
        group=groups.pop() if len(groups) == 1 else None,
        generation=line.get("generation", 0),
        step=line.get("step", 0),
        count=line.get("missed", 0),
        change=line,
    )


def moment_ns(text: str) -> int:
    """A moment of the audit log in ns since the epoch.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=timezone.utc)
    microseconds = moment.microsecond
    return (int(moment.replace(microsecond=0).timestamp()) * 10**6 + microseconds) * 1000


def _value_text(value: Line) -> str:
    kind, group = LimitKind(value["kind"]), value.get("group")
    name = kind.value if group is None else f"cap of group {group}"
    old, new = (value.get(key) for key in ("old", "new"))
    return f"{name} {'unset' if old is None else old} -> {'unset' if new is None else new}"
