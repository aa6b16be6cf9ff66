"""Limits as they are enforced now."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class LimitKind(enum.Enum):
    """What a limit bounds."""

    UNKNOWN = 0
    MAX_NUM_SEQS = 1
    GROUP_CAP = 2


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

    def cap(self, group: int) -> Limit | None:
        """The cap of a group."""
        return next((cap for cap in self.group_caps if cap.group == group), None)
