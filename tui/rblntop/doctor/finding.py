"""What the doctor has to say: one line each, and how to mend it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.Enum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing has to be done."""
    PROBLEM = "problem"
    """Something does not work that should."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    """``engine``, ``runtime``, ``ring``, ``daemon``, ``host`` or ``next``."""
    text: str
    command: str = ""
    """What mends it, for a shell; every problem has one."""


def ok(subject: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.OK, subject, text)


def note(subject: str, text: str, command: str = "") -> Finding:
    """Good to know."""
    return Finding(Level.NOTE, subject, text, command)


def problem(subject: str, text: str, command: str) -> Finding:
    """It does not work, and this mends it."""
    return Finding(Level.PROBLEM, subject, text, command)
