"""Quantiles over sliding windows: values by cell, and running counts of the windows in use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

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


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """The nearest-rank quantile: the smallest value with at least ``share`` of all at or below it."""
    rank = max(1, math.ceil(share * sum(counts.values())))
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return None


class _Running:
    """Counts of the cells ``first`` up to but not including ``end``."""

    __slots__ = ("counts", "end", "first")

    def __init__(self, first: int) -> None:
        self.first = first
        self.end = first
        self.counts: dict[int, int] = {}


class Series:
    """Values of the newest ``keep`` cells, already rounded."""

    __slots__ = ("_by_cell", "_counted_to", "_keep", "_windows")

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._by_cell: dict[int, list[int]] = {}
        self._windows: dict[int, _Running] = {}
        self._counted_to = 0
        """No running window has counted this cell or a later one."""

    def add(self, cell: int, values: Iterable[int]) -> None:
        """Add rounded values to a cell."""
        found = self._by_cell.get(cell)
        if found is None:
            if len(self._by_cell) >= 2 * self._keep:
                self._forget(cell - self._keep)
            found = self._by_cell[cell] = []
        if cell >= self._counted_to:
            found.extend(values)
            return
        for value in values:
            found.append(value)
            for window in self._windows.values():
                if window.first <= cell < window.end:
                    window.counts[value] = window.counts.get(value, 0) + 1

    def counts(self, first: int, end: int) -> Mapping[int, int]:
        """How often each value occurs in the cells ``first`` up to but not including ``end``."""
        window = self._windows.pop(end - first, None)
        if window is None or not window.first <= first < window.end or window.end > end:
            window = _Running(first)
            while len(self._windows) >= MAX_WINDOWS:
                self._windows.pop(next(iter(self._windows)))
        self._windows[end - first] = window
        counts, by_cell = window.counts, self._by_cell
        for cell in range(window.end, end):
            for value in by_cell.get(cell, ()):
                counts[value] = counts.get(value, 0) + 1
        for cell in range(window.first, first):
            for value in by_cell.get(cell, ()):
                if counts[value] == 1:
                    del counts[value]
                else:
                    counts[value] -= 1
        window.first, window.end = first, end
        self._counted_to = max(self._counted_to, end)
        return counts

    def _forget(self, before: int) -> None:
        self._by_cell = {cell: values for cell, values in self._by_cell.items() if cell >= before}
        self._windows = {n: window for n, window in self._windows.items() if window.first >= before}


def merged(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The sum of several counts."""
    found: dict[int, int] = {}
    for part in parts:
        for value, count in part.items():
            found[value] = found.get(value, 0) + count
    return found
