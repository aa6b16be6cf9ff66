"""Sums by time: columns of whole numbers, one entry per cell of fixed width, the newest minutes only."""

from __future__ import annotations

NS = 1_000_000_000
#: Old cells are dropped this many at a time.
SLACK = 64


class Cells:
    """Columns of sums. Cell ``n`` spans ``n * width_ns`` up to but not including ``(n + 1) * width_ns``.

    Late entries are welcome: a step that took 2 s changes the cells it spans when it completes. Whole numbers
    only, so that a window is exactly the sum of its cells.
    """

    __slots__ = ("_keep", "base", "columns", "size", "width_ns")

    def __init__(self, width_ns: int, keep: int) -> None:
        self.width_ns = width_ns
        self.base = 0
        """Number of the oldest cell kept."""
        self.size = 0
        self.columns: list[list[int]] = []
        self._keep = keep

    def column(self) -> list[int]:
        """A new column of zeros. The list keeps its identity for the life of the cells."""
        made = [0] * self.size
        self.columns.append(made)
        return made

    def reach(self, cell: int) -> int:
        """The index of ``cell`` in every column, or -1 when it is older than what is kept.

        At least ``keep`` cells before the newest that was ever reached are kept.
        """
        at = cell - self.base
        if at < self.size:
            return max(at, -1)
        drop = 0
        if not self.size or at >= self._keep + SLACK:
            drop = min(self.size, at - self._keep)
            self.base, at = cell - self._keep, self._keep
        self.size = at + 1
        for column in self.columns:
            del column[:drop]
            column.extend([0] * (self.size - len(column)))
        return at

    def spread(self, column: list[int], start_ns: int, end_ns: int, amount: int) -> None:
        """Add ``amount`` evenly over ``start_ns .. end_ns``, in whole numbers that sum to it exactly."""
        width, duration = self.width_ns, end_ns - start_ns
        if duration <= 0:
            return
        last = (end_ns - 1) // width
        at = self.reach(last)
        if start_ns >= last * width:
            if at >= 0:
                column[at] += amount
            return
        done = amount * (last * width - start_ns) // duration
        if at >= 0:
            column[at] += amount - done
        # Towards the past, and no further than what is kept.
        for cell in range(last - 1, max(start_ns // width, self.base) - 1, -1):
            before = amount * max(0, cell * width - start_ns) // duration
            column[cell - self.base] += done - before
            done = before

    def total(self, column: list[int], first: int, end: int) -> int:
        """The sum of the cells ``first`` up to but not including ``end``."""
        return sum(column[max(0, first - self.base) : max(0, end - self.base)])

    def highest(self, column: list[int], first: int, end: int) -> int:
        """The largest entry of the cells ``first`` up to but not including ``end``; 0 where there is none."""
        return max(column[max(0, first - self.base) : max(0, end - self.base)], default=0)
