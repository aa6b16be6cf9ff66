"""Limits as they are enforced now."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class LimitKind(enum.Enum):
    """What a limit bounds."""

    UNKNOWN = 0
    MAX_NUM_SEQS = 1
    GROUP_CAP = 2


class LimitMode(enum.Enum):
    """What becomes of running requests beyond lowered group caps."""

    UNKNOWN = 0
    DRAIN = 1
    """They go on, in batches above the cap, until they finish."""
    HOLD = 2
    """The caps bind at once, and requests take turns."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A change that is undone by itself unless somebody keeps it."""

    change_id: str
    generation: int = 0
    """The one that it made."""
    ttl_s: float = 0.0
    reverts_at_s: float | None = None
    """Seconds since the epoch, on the engine's host; None: it has not settled, so its time does not run."""


@dataclass(frozen=True, slots=True)
class AdmissionState:
    """Whether waiting requests are admitted."""

    closed: bool = False
    """Through rblntop."""
    closed_until_s: float | None = None
    """Seconds since the epoch; None: until somebody opens it."""
    paused_by_engine: bool = False
    """Somebody else paused the scheduler, and has to resume it."""
    available: bool = True
    unavailable_reason: str = ""
    """Why it cannot be closed on this engine."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit."""

    kind: LimitKind
    group: int | None = None
    """The group it applies to; None: the engine."""
    floor: int = 1
    ceiling: int = 0
    target: int | None = None
    """What the operator asked for; None: nobody set it."""
    effective: int = 0
    """What the scheduler enforces now: above the target while running requests drain."""
    available: bool = True
    unavailable_reason: str = ""
    reverts_to: int | None = None
    """The target that a pending trial reverts to; None: unset, or nothing is pending."""

    @property
    def wanted(self) -> int:
        """The value that it settles at: the target, or the ceiling where nobody set one."""
        return self.ceiling if self.target is None else self.target

    @property
    def lowered(self) -> bool:
        """Somebody set it below what the engine could do."""
        return self.target is not None and self.target < self.ceiling


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of an engine, as one consistent reading."""

    generation: int = 0
    max_num_seqs: Limit | None = None
    group_caps: tuple[Limit, ...] = ()
    """In order of the groups."""
    admission: int | None = None
    admission_from: LimitKind = LimitKind.UNKNOWN
    accepted_step: int | None = None
    in_force_step: int | None = None
    settled_step: int | None = None
    mode: LimitMode = LimitMode.UNKNOWN
    """Of the group caps."""
    trial: Trial | None = None
    """The change that is pending."""
    admission_state: AdmissionState = AdmissionState()

    @property
    def holds(self) -> bool:
        """Group caps bind at once, and what exceeds them takes turns."""
        return self.mode is LimitMode.HOLD and any(cap.target is not None for cap in self.group_caps)

    @property
    def tried(self) -> tuple[Limit, ...]:
        """The limits that the pending trial moved."""
        if self.trial is None:
            return ()
        every = (self.max_num_seqs, *self.group_caps)
        return tuple(limit for limit in every if limit is not None and limit.target != limit.reverts_to)

    def cap(self, group: int) -> Limit | None:
        """The cap of a group."""
        return next((cap for cap in self.group_caps if cap.group == group), None)
