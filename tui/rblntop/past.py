"""What is known of an engine beside its present snapshot: curves, events, changes, requests, steps."""

from __future__ import annotations

from dataclasses import dataclass

from rblntop.change_rows import ChangeRow
from rblntop.model import Event, RequestTable, Step
from rblntop.trend import Trend


@dataclass(frozen=True, slots=True)
class Past:
    """Of the engine on the screen. All of it may be missing: an older daemon has none of it."""

    trend: Trend | None = None
    """Only grows, and the frame draws what it holds then."""
    events: tuple[Event, ...] = ()
    """The newest first, of all engines and the daemon."""
    changes: tuple[ChangeRow, ...] = ()
    """Of this engine's limits, the newest first."""
    requests: RequestTable | None = None
    """None: not asked for, or not known."""
    steps: tuple[Step, ...] = ()
    """The newest ones, the newest last; only while they are zoomed in on."""
