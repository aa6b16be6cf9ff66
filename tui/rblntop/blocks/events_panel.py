"""What happened, the newest first."""

from __future__ import annotations

from rblntop.blocks.figure import title
from rblntop.model import Event, EventSeverity
from rblntop.scene import Scene
from rblntop.text.cells import clean, left
from rblntop.text.durations import clock
from rblntop.text.line import Line, Role, Span, fit

LOOK = {
    EventSeverity.UNKNOWN: (" ", Role.TEXT),
    EventSeverity.INFO: ("●", Role.LABEL),
    EventSeverity.WATCH: ("▲", Role.WATCH),
    EventSeverity.ACT: ("■", Role.ACT),
}
"""Severity by a glyph as well as by a colour, as in the verdict."""
ENGINE_WIDTH = 18


def events_panel(scene: Scene, width: int, rows: int) -> list[Line]:
    """A heading and the events that fit."""
    events = scene.past.events
    room = max(0, rows - 1)
    first = min(max(scene.first_event, 0), max(0, len(events) - room))
    shown = events[first : first + room]
    heading = "EVENTS"
    if len(events) > room:
        heading += f"  {first + 1}-{first + len(shown)} of {len(events)}"
    lines: list[Line] = [title(heading, width)]
    if not events:
        lines.append(fit((Span("none known", Role.LABEL),), width))
    lines += [_line(event, width) for event in shown]
    return lines[: max(rows, 0)]


def _line(event: Event, width: int) -> Line:
    glyph, role = LOOK[event.severity]
    text_role = role if event.severity in (EventSeverity.WATCH, EventSeverity.ACT) else Role.TEXT
    spans = [Span(f"{clock(event.time_s)} ", Role.LABEL), Span(f" {glyph} ", role)]
    if width >= 70:
        engine = clean(event.engine) or "daemon"
        spans.append(Span(" " + left(engine, ENGINE_WIDTH) + " ", Role.LABEL))
    spans.append(Span(" " + clean(event.text), text_role))
    return fit(tuple(spans), width)
