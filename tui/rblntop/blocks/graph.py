"""One graph: a heading with the peak, curves in braille, and an axis with the changes of limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rblntop.scene import Scene
from rblntop.text.braille import Cells, curve, glyph
from rblntop.text.cells import cut
from rblntop.text.line import Line, Role, Span, fit, spread, width_of
from rblntop.text.numbers import MISSING, percent, rate
from rblntop.trend import Series, column_of

AREA, LINE = "▒", "─"
"""How the legend tells a filled curve from a line: by more than the colour."""
SPAN_WORD = {60: "-1 min", 180: "-3 min", 600: "-10 min", 3600: "-1 h", 86400: "-1 day"}


@dataclass(frozen=True, slots=True)
class Curve:
    """A series and what it looks like."""

    series: Series
    role: Role
    area: Role | None = None
    """Of what is below it; None: nothing is drawn there."""


@dataclass(frozen=True, slots=True)
class GraphKind:
    """What one graph shows."""

    curves: tuple[Curve, ...]
    value: Callable[[float | None], str]
    least: float
    """The scale reaches at least so far, so that a little noise does not look like a storm."""


TOKENS = GraphKind((Curve(Series.TOKENS_PER_S, Role.BAR, Role.AREA),), rate, 10.0)
REQUESTS = GraphKind(
    (Curve(Series.RUNNING, Role.BAR, Role.AREA), Curve(Series.WAITING, Role.STRONG)), rate, 4.0
)
WAITING = GraphKind((Curve(Series.WAITING, Role.STRONG, Role.AREA),), rate, 4.0)
WASTE = GraphKind(
    (Curve(Series.PADDING, Role.BAR_LOW, Role.AREA_LOW), Curve(Series.PREFILL_STALL, Role.PREFILL)),
    percent,
    0.25,
)


def graph(scene: Scene, kind: GraphKind, width: int, rows: int) -> list[Line]:
    """A heading, ``rows - 2`` rows of curves and the axis."""
    height = max(0, rows - 2)
    if width < 12 or rows < 1:
        return [fit((), max(width, 0))] * max(rows, 0)
    drawn = [_values(scene, curve_, width) for curve_ in kind.curves]
    known = [value for values in drawn for value in values if value is not None]
    peak = max(known, default=None)
    top = max(nice(peak), kind.least) if peak is not None else kind.least
    marks = mark_columns(scene, width)
    lines = [_heading(kind, peak, width)]
    lines += _body(kind, drawn, top, width, height, marks, nothing=peak is None)
    lines.append(_axis(scene, width, marks))
    return lines[:rows]


def _values(scene: Scene, curve_: Curve, width: int) -> list[float | None]:
    trend = scene.past.trend
    if trend is None or trend.newest_s is None:
        return []
    return trend.dots(curve_.series, scene.span_s, width, trend.newest_s)


def nice(value: float) -> float:
    """A round number at or above a value: 1, 1.5, 2, 3, 5 or 7.5 times a power of ten."""
    if not 1e-9 < value < 1e300:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    return next((step * scale for step in (1, 1.5, 2, 3, 5, 7.5) if step * scale >= value), 10 * scale)


def mark_columns(scene: Scene, width: int) -> dict[int, str]:
    """Where limits were changed: the column of each, and the number of the latest change in it."""
    trend = scene.past.trend
    if trend is None or trend.newest_s is None:
        return {}
    span_s, now_s = scene.span_s, trend.newest_s
    last = column_of(now_s, span_s, width)
    marks: dict[int, str] = {}
    for change in reversed(scene.past.changes):
        if change.time_s is None or not 0 <= change.time_s <= now_s or not change.generation:
            continue
        column = width - 1 - (last - column_of(change.time_s, span_s, width))
        if 0 <= column < width:
            marks[column] = str(change.generation)
    return marks


def _heading(kind: GraphKind, peak: float | None, width: int) -> Line:
    several = len(kind.curves) > 1
    start: Line = ()
    for curve_ in kind.curves:
        if start:
            start += (Span("  "),)
        start += (Span(curve_.series.value, Role.TITLE if not several else Role.TEXT),)
        if several:
            start += (Span(f" {AREA if curve_.area is not None else LINE * 2}", curve_.role),)
    word = "max" if several else "peak"
    end: Line = (Span(f"{word} ", Role.LABEL), Span(kind.value(peak), Role.STRONG))
    if width_of(start) + width_of(end) + 1 > width:
        end = (Span(kind.value(peak), Role.STRONG),)
    return spread(start, end, width)


def _body(
    kind: GraphKind,
    drawn: Sequence[Sequence[float | None]],
    top: float,
    width: int,
    height: int,
    marks: dict[int, str],
    *,
    nothing: bool,
) -> list[Line]:
    layers: list[tuple[Curve, Cells, Cells]] = [
        (
            one,
            curve(values, top, height),
            curve(values, top, height, area=True) if one.area is not None else [[]] * height,
        )
        for one, values in zip(kind.curves, drawn, strict=True)
    ]
    scale = kind.value(top)
    lines: list[Line] = []
    for row in range(height):
        chars: list[tuple[str, Role]] = []
        for column in range(width):
            own_area = False
            dots, below, edges = 0, 0, 0
            role, area_role = Role.TEXT, Role.TEXT
            for one, edge, area in layers:
                if column < len(edge[row]) and edge[row][column]:
                    dots |= edge[row][column]
                    role, edges = one.role, edges + 1
                    own_area = one.area is not None
                if one.area is not None and column < len(area[row]) and area[row][column]:
                    below, area_role = area[row][column], one.area
            if dots:
                # A line over an area would drown in it.
                chars.append((glyph(dots | below if edges == 1 and own_area else dots), role))
            elif below:
                chars.append((glyph(below), area_role))
            else:
                chars.append(("┊", Role.FRAME) if column in marks else (" ", Role.TEXT))
        if row == 0:
            _write(chars, scale)
        if nothing and row == height // 2:
            _write(chars, "nothing measured yet" if width >= 24 else MISSING, at=2)
        lines.append(_joined(chars))
    return lines


def _write(chars: list[tuple[str, Role]], text: str, at: int = 0) -> None:
    """Write over blank cells only: a curve is never hidden by its scale."""
    if at + len(text) <= len(chars) and all(char in " ┊" for char, _ in chars[at : at + len(text)]):
        chars[at : at + len(text)] = [(char, Role.OFF) for char in text]


def _axis(scene: Scene, width: int, marks: dict[int, str]) -> Line:
    chars: list[tuple[str, Role]] = [("─", Role.FRAME)] * width
    start, end = SPAN_WORD.get(scene.span_s, f"-{scene.span_s} s"), "now"
    if any(column <= len(start) for column in marks):
        # A mark stands where its change was: the label moves, the mark does not.
        start, end = "", f"{start.lstrip('-')} to now"
    if any(column >= width - len(end) - 3 for column in marks):
        end = ""
    for at, text in ((0, f"{start} " if start else ""), (width - len(end) - 1, f" {end}" if end else "")):
        if at >= 0 and at + len(text) <= width:
            chars[at : at + len(text)] = [(char, Role.LABEL) for char in text]
    for column in sorted(marks):
        label, at = cut(f"◆{marks[column]}", 6), column
        if column + len(label) > width >= len(label):
            # At the end the number stands before its mark.
            label, at = cut(f"{marks[column]}◆", 6), column - len(label) + 1
        room = min(len(label), width - at)
        chars[at : at + room] = [(char, Role.NOTE) for char in label[:room]]
    assert len(chars) == width
    return _joined(chars)


def _joined(chars: Sequence[tuple[str, Role]]) -> Line:
    """Neighbours of one role share a span."""
    spans: list[Span] = []
    text, role = "", Role.TEXT
    for char, next_role in chars:
        if next_role is not role and text:
            spans.append(Span(text, role))
            text = ""
        text, role = text + char, next_role
    if text:
        spans.append(Span(text, role))
    return tuple(spans)
