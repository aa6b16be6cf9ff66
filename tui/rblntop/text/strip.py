"""The strip of a group: one character for each slice of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from rblntop.model.snapshot import StripCell
from rblntop.text.line import Line, Role, Span

HEIGHTS = "▁▂▃▄▅▆▇"
"""The eighth is left out, so that neighbouring groups stay apart."""
BLOCK = "█"
PREFILL = "P"
EMPTY = "·"

#: A slice with less than this held nothing worth drawing.
SOMETHING = 0.002


def strip_cell(cell: StripCell | None) -> tuple[str, Role]:
    """Height: decode batch over bucket; ``P``: more than half was prefill; ``·``: the slot was empty.

    Blank: nothing is known of it.
    """
    if cell is None:
        return " ", Role.TEXT
    if cell.prefill_ratio > 0.5:
        return PREFILL, Role.PREFILL
    if not cell.decode_ratio > SOMETHING:
        return (PREFILL, Role.PREFILL) if cell.prefill_ratio > SOMETHING else (EMPTY, Role.OFF)
    fill = cell.fill_ratio if math.isfinite(cell.fill_ratio) else 0.0
    height = min(max(math.ceil(min(max(fill, 0.0), 1.0) * len(HEIGHTS)), 1), len(HEIGHTS))
    return HEIGHTS[height - 1], Role.STRIP if fill > 0.5 else Role.STRIP_LOW


def strip(cells: Sequence[StripCell | None], width: int) -> Line:
    """The newest ``width`` cells, at the right."""
    return strip_rows(cells, width, 1)[0]


def strip_rows(cells: Sequence[StripCell | None], width: int, height: int) -> list[Line]:
    """The same ``height`` rows high, from the top: the columns of a chart."""
    shown = cells[-width:] if width > 0 else ()
    margin = " " * (max(width, 0) - len(shown))
    stacks = [_stack(cell, height) for cell in shown]
    return [_joined(margin, [stack[row] for stack in stacks]) for row in range(height)]


@lru_cache(maxsize=4096)
def _stack(cell: StripCell | None, height: int) -> list[tuple[str, Role]]:
    """One column, from the top."""
    if height == 1:
        return [strip_cell(cell)]
    char, role = strip_cell(cell)
    if cell is None or char in (PREFILL, EMPTY):
        return [(" ", Role.TEXT)] * (height - 1) + [(char, role)]
    fill = cell.fill_ratio if math.isfinite(cell.fill_ratio) else 0.0
    eighths = max(1, math.ceil(min(max(fill, 0.0), 1.0) * (8 * height - 1)))
    full, rest = divmod(eighths, 8)
    column = [(BLOCK, role)] * full
    if rest:
        column.append((HEIGHTS[rest - 1], role))
    column += [(" ", Role.TEXT)] * (height - len(column))
    return column[::-1]


def _joined(margin: str, chars: Sequence[tuple[str, Role]]) -> Line:
    """Neighbours of one role share a span."""
    spans: list[Span] = []
    text, role = margin, Role.TEXT
    for char, next_role in chars:
        if next_role is not role and text:
            spans.append(Span(text, role))
            text = ""
        text, role = text + char, next_role
    if text:
        spans.append(Span(text, role))
    return tuple(spans)
