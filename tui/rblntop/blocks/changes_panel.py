"""The log of changes: when, its mark in the graphs, what, who, what it did and what became of it."""

from __future__ import annotations

from rblntop.blocks.figure import title
from rblntop.change_rows import ChangeRow
from rblntop.scene import Scene
from rblntop.text.cells import clean, left, right
from rblntop.text.durations import clock
from rblntop.text.line import Line, Role, Span, fit
from rblntop.text.numbers import rate
from rblntop.trend import Series, Trend

EFFECT_S = 60.0
"""Before and after are means over so long."""


def changes_panel(scene: Scene, width: int, rows: int) -> list[Line]:
    """A heading and the newest changes."""
    lines: list[Line] = [title("CHANGES", width)]
    lines += change_lines(scene, width, rows - 1)
    return lines[: max(rows, 0)]


def change_lines(scene: Scene, width: int, rows: int) -> list[Line]:
    """The newest changes, one a line; that there are none is a line too."""
    changes = scene.past.changes[: max(rows, 0)]
    if not changes:
        text = "none known: limits as they were when the daemon began to watch"
        if not scene.snapshot.limits.generation:
            text = "none: the engine runs as it was started"
        return [fit((Span(text, Role.LABEL),), width)][: max(rows, 0)]
    lines: list[Line] = []
    next_s: float | None = None
    for change in changes:
        lines.append(_line(change, effect(scene.past.trend, change, next_s), width))
        if change.generation:
            next_s = change.time_s
    return lines


def effect(trend: Trend | None, change: ChangeRow, next_s: float | None) -> str:
    """``703 -> 571 tok/s``: the minute before the change, and the one after it had settled.

    Empty while that minute is not over, or where another change came between or nothing was measured.
    """
    if trend is None or trend.newest_s is None or change.time_s is None or not change.generation:
        return ""
    if not 0 <= change.time_s <= trend.newest_s:
        return ""
    from_s = max(change.time_s, change.settled_s if change.settled_s is not None else change.time_s)
    until_s = from_s + EFFECT_S
    if until_s > trend.newest_s or (next_s is not None and next_s < until_s):
        return ""
    before = trend.mean(Series.TOKENS_PER_S, change.time_s - EFFECT_S, change.time_s)
    after = trend.mean(Series.TOKENS_PER_S, from_s, until_s)
    return f"{rate(before)} -> {rate(after)} tok/s" if before is not None and after is not None else ""


def _line(change: ChangeRow, did: str, width: int) -> Line:
    number = str(change.generation) if change.generation else ""
    outcome_role = Role.WATCH if change.outcome in ("refused", "unknown", "fault") else Role.LABEL
    what = clean(change.what)
    by = clean(change.by) or "--"
    room = width - 8 - 2 - 4 - 2
    if room < 24:
        return fit((Span(clock(change.time_s) + "  ", Role.LABEL), Span(what, Role.TEXT)), width)
    outcome_width = 9
    did_width = 20 if room >= 54 else 0
    by_width = min(12, max(4, (room - did_width - outcome_width - 18) // 2))
    what_width = room - did_width - outcome_width - by_width - 2 - (1 if did_width else 0)
    spans = [
        Span(clock(change.time_s) + " ", Role.LABEL),
        Span(right(f"◆{number}" if number else "", 5) + "  ", Role.NOTE),
        Span(left(what, what_width) + " ", Role.STRONG),
        Span(left(by, by_width) + " ", Role.TEXT),
    ]
    if did_width:
        spans.append(Span(left(did, did_width) + " ", Role.TEXT))
    spans.append(Span(left(change.outcome, outcome_width), outcome_role))
    return fit(tuple(spans), width)
