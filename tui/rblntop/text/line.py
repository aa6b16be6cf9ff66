"""A line of a screen: spans of text that each have a role. What a role looks like is the front's business."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from rblntop.text.cells import cells, clean, cut


class Role(enum.Enum):
    """What a piece of text is."""

    TEXT = "text"
    LABEL = "label"
    STRONG = "strong"
    TITLE = "title"
    BRAND = "brand"
    GOOD = "good"
    NOTE = "note"
    WATCH = "watch"
    ACT = "act"
    BAR = "bar"
    BAR_LOW = "bar-low"
    TRACK = "track"
    PAD = "pad"
    """Compute that is spent on padding."""
    AREA = "area"
    """What is below a curve; ``AREA_LOW`` below one that is better low."""
    AREA_LOW = "area-low"
    STRIP = "strip"
    STRIP_LOW = "strip-low"
    PREFILL = "prefill"
    KEY = "key"
    OFF = "off"
    """A key or a figure that does not apply."""
    CHOSEN = "chosen"
    CHOSEN_TAB = "chosen-tab"
    FRAME = "frame"
    ENTRY = "entry"
    ENTRY_BAD = "entry-bad"


@dataclass(frozen=True, slots=True)
class Span:
    """Text with one role. Never holds a character that could steer the terminal."""

    text: str
    role: Role = Role.TEXT
    action: str = ""
    """What a click on it does, as the name of an action; empty: nothing."""

    def __post_init__(self) -> None:
        if not self.text.isprintable():
            object.__setattr__(self, "text", clean(self.text))


Line = tuple[Span, ...]

EMPTY: Line = ()


def width_of(line: Line) -> int:
    """Cells that a line takes."""
    return sum(cells(span.text) for span in line)


def plain(line: Line) -> str:
    """The text of a line."""
    return "".join(span.text for span in line).rstrip()


def fit(line: Line, width: int) -> Line:
    """The line in exactly ``width`` cells: padded, or cut with an ellipsis."""
    taken = width_of(line)
    if taken == width:
        return line
    if taken < width:
        return (*line, Span(" " * (width - taken)))
    kept: list[Span] = []
    room = width
    for span in line:
        size = cells(span.text)
        if size >= room:
            text = span.text if size == room and span is line[-1] else cut(span.text + "  ", room)
            kept.append(Span(text, span.role, span.action))
            room -= cells(text)
            break
        kept.append(span)
        room -= size
    if room > 0:
        kept.append(Span(" " * room))
    return tuple(kept)


def spread(start: Line, end: Line, width: int) -> Line:
    """``start`` at the left and ``end`` at the right; ``start`` gives way."""
    end_width = width_of(end)
    if end_width >= width:
        return fit(end, width)
    return fit(start, width - end_width) + end


def columns(parts: Iterable[tuple[Line, int]], gap: int) -> Line:
    """Lines side by side, each fitted to its width."""
    line: list[Span] = []
    for part, width in parts:
        if line:
            line.append(Span(" " * gap))
        line.extend(fit(part, width))
    return tuple(line)
