"""What a rule says."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.Enum):
    """How much it matters."""

    GOOD = "good"
    NOTE = "note"
    """Could be better; nobody waits for it."""
    WATCH = "watch"
    """Requests wait for it."""
    ACT = "act"
    """Nothing works, or nothing is known."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """The key that mends it."""

    key: str
    label: str
    action: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that a rule looked at."""

    name: str
    value: str
    threshold: str = ""
    """When the rule applies."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sentence, how much it matters, and what to do about it."""

    level: Level
    text: str
    short: str = ""
    """The same for a narrow screen; empty: the text is short enough."""
    shortest: str = ""
    """For the narrowest; empty: ``short`` is."""
    remedy: Remedy | None = None
    other_remedy: Remedy | None = None
    """What else can be done, where there is a choice."""
    rule: str = ""
    figures: tuple[Figure, ...] = ()
    """What it comes from."""
    dated: bool = False
    """The sentence says since when."""

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """All keys that mend it."""
        return tuple(remedy for remedy in (self.remedy, self.other_remedy) if remedy is not None)
