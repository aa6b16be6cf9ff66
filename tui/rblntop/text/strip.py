"""The strip of a group: one character for each slice of time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rblntop.model.snapshot import StripCell
from rblntop.text.line import Line, Role, Span

HEIGHTS = "▁▂▃▄▅▆▇█"
PREFILL = "P"
EMPTY = "·"

#: A slice with less than this held nothing worth drawing.
SOMETHING = 0.002


def strip_cell(cell: StripCell) -> tuple[str, Role]:
    """Height: decode batch over bucket; ``P``: more than half was prefill; ``·``: the slot was empty."""
    if cell.prefill_ratio > 0.5:
        return PREFILL, Role.PREFILL
    if not cell.decode_ratio > SOMETHING:
        return (PREFILL, Role.PREFILL) if cell.prefill_ratio > SOMETHING else (EMPTY, Role.OFF)
    fill = cell.fill_ratio if math.isfinite(cell.fill_ratio) else 0.0
    height = min(max(math.ceil(min(max(fill, 0.0), 1.0) * len(HEIGHTS)), 1), len(HEIGHTS))
    return HEIGHTS[height - 1], Role.BAR if fill > 0.5 else Role.BAR_LOW


def strip(cells: Sequence[StripCell], width: int) -> Line:
    """The newest ``width`` cells, at the right; neighbours of one role share a span."""
    shown = cells[-width:] if width > 0 else ()
    spans: list[Span] = []
    text, role = " " * (max(width, 0) - len(shown)), Role.TEXT
    for cell in shown:
        char, next_role = strip_cell(cell)
        if next_role is not role and text:
            spans.append(Span(text, role))
            text = ""
        text, role = text + char, next_role
    if text:
        spans.append(Span(text, role))
    return tuple(spans)
