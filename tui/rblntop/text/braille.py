"""Curves in braille: two dots across and four up in each cell."""

from __future__ import annotations

from collections.abc import Sequence

BLANK = 0x2800
#: Bits of the dots of a cell, from the bottom up, left column and right column.
LEFT = (0x40, 0x04, 0x02, 0x01)
RIGHT = (0x80, 0x20, 0x10, 0x08)
_COLUMNS = (LEFT, RIGHT)

Cells = list[list[int]]
"""Rows from the top, each with the dots of its cells."""


def curve(values: Sequence[float | None], top: float, height: int, *, area: bool = False) -> Cells:
    """A curve of two values a cell, ``height`` cells high; values from 0 to ``top``, the rest is cut off.

    Neighbours are joined; where a value is missing the curve has a gap. ``area`` draws what is below it too.
    """
    width = (len(values) + 1) // 2
    rows: Cells = [[0] * width for _ in range(max(height, 0))]
    levels = 4 * height
    if not levels or not top > 0:
        return rows
    before: int | None = None
    for at, value in enumerate(values):
        if value is None:
            before = None
            continue
        level = min(max(round(min(max(value / top, 0.0), 1.0) * (levels - 1)), 0), levels - 1)
        low, high = (0, level) if area else (level, level) if before is None else _joined(before, level)
        _draw(rows, at, low, high)
        before = level
    return rows


def _joined(before: int, level: int) -> tuple[int, int]:
    """The dots of a column, so that the curve does not break on its way from the one before."""
    if level > before:
        return before + 1, level
    if level < before:
        return level, before - 1
    return level, level


def _draw(rows: Cells, dot: int, low: int, high: int) -> None:
    bits = _COLUMNS[dot % 2]
    for level in range(low, high + 1):
        rows[len(rows) - 1 - level // 4][dot // 2] |= bits[level % 4]


def glyph(dots: int) -> str:
    """The character of a cell; without dots a space, which takes the background."""
    return chr(BLANK | dots) if dots else " "
