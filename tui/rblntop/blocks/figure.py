"""A label and its value in a fixed width, so that nothing moves when a number grows a digit."""

from __future__ import annotations

from rblntop.text.bars import bar
from rblntop.text.cells import cells, cut, left, right
from rblntop.text.line import Line, Role, Span
from rblntop.text.numbers import MISSING

VALUE_WIDTH = 7
SHORTEST_BAR = 6


def figure(label: str, value: str, width: int, role: Role = Role.STRONG) -> Line:
    """The label at the left, the value at the right; the label gives way."""
    value = cut(value, width)
    label_width = max(0, width - cells(value) - 1)
    return (
        Span(left(label, label_width), Role.LABEL),
        Span(right(value, width - label_width), Role.OFF if value == MISSING else role),
    )


def gauge(
    label: str, ratio: float | None, value: str, width: int, *, label_width: int, role: Role = Role.BAR
) -> Line:
    """A label, a bar and the value; without room for a bar, a figure."""
    room = width - label_width - 1 - VALUE_WIDTH
    if room < SHORTEST_BAR:
        return figure(label, value, width)
    filled, track = bar(ratio, room)
    return (
        Span(left(label, label_width + 1), Role.LABEL),
        Span(filled, role),
        Span(track, Role.TRACK),
        Span(right(value, VALUE_WIDTH), Role.OFF if value == MISSING else Role.STRONG),
    )


def title(text: str, width: int) -> Line:
    """The heading of a block, with a rule to its end."""
    text = cut(text, width)
    rule = width - cells(text) - 1
    if rule < 2:
        return (Span(left(text, width), Role.TITLE),)
    return (Span(f"{text} ", Role.TITLE), Span("─" * rule, Role.FRAME))
