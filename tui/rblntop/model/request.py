"""Unfinished requests of an engine: ids and numbers, never prompts."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class RequestState(enum.Enum):
    """Where a request is."""

    UNKNOWN = 0
    WAITING = 1
    RUNNING = 2
    PREEMPTED = 3
    """It ran, gave its memory away, and waits to run again."""
    HELD = 4
    """Running, and held back by a group cap in this turn."""
    REMOTE_KV = 5
    """It waits, and holds memory, until its remote KV is loaded."""


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One unfinished request."""

    id: str
    state: RequestState = RequestState.UNKNOWN
    group: int | None = None
    """The group in which it was last scheduled. None: it has not run yet."""
    prompt_tokens: int = 0
    output_tokens: int = 0
    computed_tokens: int = 0
    """Prompt and output tokens that are in the KV cache, or on their way."""
    preemptions: int = 0
    age_s: float = 0.0
    """Since it arrived."""
    wait_s: float | None = None
    """Until it was first scheduled, or so far. None: not known."""


@dataclass(frozen=True, slots=True)
class RequestTable:
    """The unfinished requests of one engine at one moment, as far as they were asked for."""

    requests: tuple[EngineRequest, ...] = ()
    time_s: float | None = None
    """The moment that it all is of."""
    total: int = 0
    """Unfinished requests of the engine."""
    recorded: int = 0
    """How many of them the engine wrote down, at most 1,000."""
    matching: int = 0
    """Of these, how many are what was asked for; the limit cuts the list."""
