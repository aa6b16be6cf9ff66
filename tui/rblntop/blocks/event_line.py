"""An event as a line: when, how grave, where, what."""

from __future__ import annotations

from rblntop.model import Event, EventSeverity
from rblntop.text.cells import clean, left
from rblntop.text.durations import date_and_clock

WORDS = {
    EventSeverity.UNKNOWN: "",
    EventSeverity.INFO: "",
    EventSeverity.WATCH: "WATCH",
    EventSeverity.ACT: "ACT",
}
DAEMON = "(daemon)"
EVENT_HEADER = f"{'TIME':<19}  {'':<5}  {'ENGINE':<20}  WHAT"


def event_line(event: Event) -> str:
    """One event."""
    engine = left(clean(event.engine) or DAEMON, 20)
    return f"{date_and_clock(event.time_s):<19}  {WORDS[event.severity]:<5}  {engine}  {clean(event.text)}"
