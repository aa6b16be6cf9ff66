"""One thing that happened."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rblntopd.audit.log_file import Line


class Severity(enum.IntEnum):
    """How much an event asks for."""

    INFO = 1
    WATCH = 2
    """Worth a look."""
    ACT = 3
    """Somebody has to do something."""


class EventKind(enum.Enum):
    """What happened, as the API names it."""

    DAEMON_STARTED = enum.auto()
    ENGINE_APPEARED = enum.auto()
    ENGINE_ENDED = enum.auto()
    ENGINE_DIED = enum.auto()
    ENGINE_RESTARTED = enum.auto()
    ENGINE_STALLED = enum.auto()
    ENGINE_RESUMED = enum.auto()
    RECORDS_LOST = enum.auto()
    LIMITS_CHANGED = enum.auto()
    CHANGE_IN_FORCE = enum.auto()
    CHANGE_SETTLED = enum.auto()
    CHANGE_REFUSED = enum.auto()
    CHANGE_UNKNOWN = enum.auto()
    TRIAL_STARTED = enum.auto()
    TRIAL_KEPT = enum.auto()
    TRIAL_EXTENDED = enum.auto()
    TRIAL_REVERTED = enum.auto()
    ADMISSION_CLOSED = enum.auto()
    ADMISSION_OPENED = enum.auto()
    PROBE_DETACHED = enum.auto()
    PROBE_FAULT = enum.auto()
    CHANGES_LOST = enum.auto()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with what a program needs to know in fields and a line for a reader."""

    kind: EventKind
    severity: Severity
    time_ns: int
    """Wall clock."""
    text: str
    id: int = 0
    """Set by the log of events."""
    engine: str = ""
    """Empty: of the daemon."""
    instance_id: str = ""
    model: str = ""
    group: int | None = None
    generation: int = 0
    step: int = 0
    count: int = 0
    seconds: float | None = None
    change: Line | None = None
    """The line of the audit log that it comes from."""
    daemon_version: str = ""
