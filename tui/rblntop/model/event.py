"""Things that happened."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rblntop.model.change import LoggedChange


class EventSeverity(enum.IntEnum):
    """How much an event asks for."""

    UNKNOWN = 0
    INFO = 1
    WATCH = 2
    """Worth a look."""
    ACT = 3
    """Somebody has to do something."""


class EventKind(enum.Enum):
    """What happened."""

    UNKNOWN = 0
    DAEMON_STARTED = 1
    ENGINE_APPEARED = 2
    ENGINE_ENDED = 3
    """It has shut down in an orderly way."""
    ENGINE_DIED = 4
    ENGINE_RESTARTED = 5
    """``change``, where there is one, has the limits that it lost."""
    ENGINE_STALLED = 6
    ENGINE_RESUMED = 7
    """Stalled no longer, after ``seconds``."""
    RECORDS_LOST = 8
    """The daemon could not read ``count`` step records in time."""
    LIMITS_CHANGED = 20
    CHANGE_IN_FORCE = 21
    CHANGE_SETTLED = 22
    CHANGE_REFUSED = 23
    CHANGE_UNKNOWN = 24
    """Asked for, and the engine never said whether it was done."""
    TRIAL_STARTED = 25
    TRIAL_KEPT = 26
    TRIAL_EXTENDED = 27
    TRIAL_REVERTED = 28
    ADMISSION_CLOSED = 29
    ADMISSION_OPENED = 30
    PROBE_DETACHED = 31
    PROBE_FAULT = 32
    CHANGES_LOST = 33
    """``count`` changes are missing in the audit log."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    id: int
    """Ascending in the order in which the daemon learned of them, also from one daemon to the next."""
    kind: EventKind
    severity: EventSeverity = EventSeverity.INFO
    time_s: float | None = None
    """Unix time at which it happened."""
    engine: str = ""
    """Empty: of the daemon."""
    instance_id: str = ""
    group: int | None = None
    """Set if it concerns one group alone."""
    text: str = ""
    """One line for a reader. Everything in it is in the other fields."""
    generation: int = 0
    step: int = 0
    count: int = 0
    seconds: float | None = None
    change: LoggedChange | None = None
    daemon_version: str = ""
