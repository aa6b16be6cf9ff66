"""Changes of limits: what one would do, how far one has come, and what the audit log says of one."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from rblntop.model.limits import LimitKind, LimitMode, Limits


class ChangePhase(enum.IntEnum):
    """How far a change has come."""

    UNKNOWN = 0
    ACCEPTED = 1
    """Stored under the scheduler's lock."""
    IN_FORCE = 2
    """The first schedule() ran under it."""
    SETTLED = 3
    """running <= target."""


@dataclass(frozen=True, slots=True)
class GroupPreview:
    """One group under the new limits, by the last minute's steps."""

    group: int
    running: int = 0
    cap: int = 0
    excess: int = 0
    """Requests above the cap."""
    mean_decode_batch_now: float | None = None
    mean_decode_batch_then: float | None = None
    decode_pad_ratio_now: float | None = None
    decode_pad_ratio_then: float | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do, as the daemon estimates it."""

    draining: int = 0
    """Running requests above the new admission."""
    drain_estimate_s: float | None = None
    decode_pad_ratio_now: float | None = None
    decode_pad_ratio_then: float | None = None
    steps_in_smaller_bucket: int = 0
    decode_steps: int = 0
    groups: tuple[GroupPreview, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineChange:
    """One engine's part of a change."""

    engine: str
    instance_id: str = ""
    generation: int = 0
    phase: ChangePhase = ChangePhase.UNKNOWN
    limits: Limits = field(default_factory=Limits)
    warnings: tuple[str, ...] = ()
    waiting_because: str = ""
    """Why the phase asked for was not reached; empty: it was."""
    preview: Preview | None = None


class ChangeAction(enum.Enum):
    """What happened."""

    UNKNOWN = 0
    START = 1
    SET = 2
    TRY = 3
    CONFIRM = 4
    CANCEL = 5
    REVERT = 6
    EXTEND = 7
    RESET = 8
    DETACH = 9
    CLOSE = 10
    OPEN = 11
    REOPEN = 12
    FAULT = 13
    RESTART = 14
    REAPPLY = 15


class ChangeResult(enum.Enum):
    """What came of it."""

    UNSPECIFIED = 0
    DONE = 1
    REFUSED = 2
    UNKNOWN = 3
    """Asked for, and the engine never said whether it was done."""


@dataclass(frozen=True, slots=True)
class LimitValue:
    """One limit before and after; None: unset."""

    kind: LimitKind
    group: int | None = None
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A line of the audit log."""

    time_s: float | None = None
    engine: str = ""
    instance_id: str = ""
    action: ChangeAction = ChangeAction.UNKNOWN
    result: ChangeResult = ChangeResult.UNSPECIFIED
    caller: str = ""
    reason: str = ""
    change_id: str = ""
    generation: int = 0
    step: int = 0
    values: tuple[LimitValue, ...] = ()
    """Only those that it moved."""
    mode: LimitMode = LimitMode.UNKNOWN
    ttl_s: float | None = None
    detail: str = ""
    """Why it was refused."""
