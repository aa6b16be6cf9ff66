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
class Verdict:
    """One sentence, how much it matters, and what to do about it."""

    level: Level
    text: str
    short: str = ""
    """The same for a narrow screen; empty: the text is short enough."""
    remedy: Remedy | None = None
    rule: str = ""
