"""Quantiles over sliding windows: values by cell, and running counts of the windows in use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

#: Values are rounded to this many significant bits (1/128: 0.8 %), so that counts stay small and can be
#: added to and taken from. Rounding keeps the order, so a quantile is the rounded quantile of the values.
SIGNIFICANT_BITS = 7
#: Window lengths that are kept running at once.
MAX_WINDOWS = 8


def rounded(value: int) -> int:
    """``value`` to 7 significant bits, as the middle of what rounds to the same."""
    shift = value.bit_length() - SIGNIFICANT_BITS
    if shift <= 0:
        return value
    return (value >> shift << shift) + (1 << shift >> 1)


def quantiles(counts: Mapping[int, int], shares: Sequence[float]) -> list[int | None]:
    """Nearest-rank quantiles: the smallest value with at least that share of all at or below it.

    ``shares`` ascend. None where there are no values.
    """
    total = sum(counts.values())
    if not total:
        return [None] * len(shares)
    found: list[int | None] = []
    seen = 0
    values = iter(sorted(counts))
    value = 0
    for share in shares:
        rank = max(1, math.ceil(share * total))
        while seen < rank:
            value = next(values)
            seen += counts[value]
        found.append(value)
    return found


class _Running:
    """Counts of the cells ``first`` up to but not including ``end``."""

    __slots__ = ("counts", "end", "first")

    def __init__(self, first: int) -> None:
        self.first = first
        self.end = first
        self.counts: dict[int, int] = {}


class Series:
    """Rounded values of the newest ``keep`` cells. They are counted when somebody asks for them."""

    __slots__ = ("_cells", "_keep", "_newest", "_windows", "counted_to")

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._cells: dict[int, list[int]] = {}
        self._windows: dict[int, _Running] = {}
        self._newest: tuple[int, int, dict[int, int]] = (0, 0, {})
        """The range of cells that was counted last, and its counts: windows of all lengths end alike."""
        self.counted_to = 0
        """No window has counted this cell or a later one."""

    def open_cell(self, cell: int) -> list[int]:
        """Where to append the rounded values of ``cell``, which nobody has counted yet."""
        found = self._cells.get(cell)
        if found is None:
            if len(self._cells) >= self._keep + 64:
                self._forget(cell - self._keep)
            found = self._cells[cell] = []
        return found

    def add(self, cell: int, value: int) -> None:
        """Add a rounded value to any cell, also to one that windows have counted."""
        self.open_cell(cell).append(value)
        if cell >= self.counted_to:
            return
        self._newest = (0, 0, {})
        for window in self._windows.values():
            if window.first <= cell < window.end:
                window.counts[value] = window.counts.get(value, 0) + 1

    def counts(self, first: int, end: int) -> Mapping[int, int]:
        """How often each rounded value occurs in the cells ``first`` up to but not including ``end``."""
        window = self._windows.pop(end - first, None)
        if window is None or not window.first <= first < window.end or window.end > end:
            window = _Running(first)
            while len(self._windows) >= MAX_WINDOWS:
                self._windows.pop(next(iter(self._windows)))
        self._windows[end - first] = window
        counts = window.counts
        if window.end < end:
            if self._newest[:2] != (window.end, end):
                self._newest = (window.end, end, self._count(window.end, end))
            for value, count in self._newest[2].items():
                counts[value] = counts.get(value, 0) + count
        if window.first < first:
            for value, count in self._count(window.first, first).items():
                left = counts[value] - count
                if left:
                    counts[value] = left
                else:
                    del counts[value]
        window.first, window.end = first, end
        self.counted_to = max(self.counted_to, end)
        return counts

    def values(self, first: int, end: int) -> list[int]:
        """The rounded values in the cells ``first`` up to but not including ``end``, as they came."""
        return list(chain.from_iterable(filter(None, map(self._cells.get, range(first, end)))))

    def _count(self, first: int, end: int) -> dict[int, int]:
        found = filter(None, map(self._cells.get, range(first, end)))
        return Counter(chain.from_iterable(found))

    def _forget(self, before: int) -> None:
        for cell in [cell for cell in self._cells if cell < before]:
            del self._cells[cell]
        self._windows = {n: window for n, window in self._windows.items() if window.first >= before}


def merged(parts: Sequence[Mapping[int, int]]) -> Mapping[int, int]:
    """The sum of several counts."""
    if len(parts) == 1:
        return parts[0]
    found: dict[int, int] = {}
    for part in parts:
        for value, count in part.items():
            found[value] = found.get(value, 0) + count
    return found
