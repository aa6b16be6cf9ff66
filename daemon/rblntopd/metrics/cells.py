"""Sums by time: columns of whole numbers, one entry per cell of fixed width, the newest minutes only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

NS = 1_000_000_000
#: Cells are added, and old ones dropped, this many at a time.
SLACK = 64

Total: TypeAlias = Callable[[list[int]], int]
"""The sum of a column over a range of cells."""
#: Cells of a block, whose sum is kept so that long windows need not add up every cell.
BLOCK = 10
#: A block is summed once it lies this many cells back: few steps take longer, and those break it up again.
SETTLED = 50


class Cells:
    """Columns of sums. Cell ``n`` spans ``n * width_ns`` up to but not including ``(n + 1) * width_ns``.

    Late entries are welcome: a step that took 2 s changes the cells it spans when it completes. Whole numbers
    only, so that a window is exactly the sum of its cells. Entries are written straight into the columns, to
    the cell last reached and the one before it.
    """

    __slots__ = ("_blocks", "_first_block", "_keep", "_sealed_to", "base", "columns", "size", "width_ns")

    def __init__(self, width_ns: int, keep: int) -> None:
        self.width_ns = width_ns
        self.base = 0
        """Number of the oldest cell kept."""
        self.size = 0
        """Cells there are, some of them still to come."""
        self.columns: list[list[int]] = []
        self._keep = keep
        self._blocks: dict[int, list[int]] = {}
        """Of each column, by its id: sums of the blocks from ``_first_block`` on."""
        self._first_block = 0
        self._sealed_to = 0
        """Blocks are summed for cells before this one, at most."""

    def column(self) -> list[int]:
        """A new column of zeros. The list keeps its identity for the life of the cells."""
        made = [0] * self.size
        self.columns.append(made)
        self._blocks[id(made)] = []
        return made

    def reach(self, cell: int) -> int:
        """The index of ``cell`` in every column, or -1 when it is older than what is kept.

        At least ``keep`` cells before the newest that was ever reached are kept.
        """
        if self.base <= cell <= self._sealed_to:
            self._unseal(cell - 1)
        at = cell - self.base
        if at < self.size:
            return max(at, -1)
        drop = 0
        if not self.size or at >= self._keep + SLACK:
            drop = min(self.size, at - self._keep)
            self.base, at = cell - self._keep, self._keep
            self._drop_blocks()
        self.size = at + SLACK
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
        first = max(start_ns // width, self.base)
        if first < self._sealed_to:
            self._unseal(first)
        # Towards the past, and no further than what is kept.
        for cell in range(last - 1, first - 1, -1):
            before = amount * max(0, cell * width - start_ns) // duration
            column[cell - self.base] += done - before
            done = before

    def total(self, column: list[int], first: int, end: int) -> int:
        """The sum of the cells ``first`` up to but not including ``end``."""
        base = self.base
        first, end = max(first, base), max(end, base)
        if end - first < 4 * BLOCK:
            return sum(column[first - base : end - base])
        sums = self._blocks[id(column)]
        from_block = max(-(-first // BLOCK), self._first_block)
        to_block = min(end, self._seal()) // BLOCK
        if to_block <= from_block:
            return sum(column[first - base : end - base])
        while len(sums) < to_block - self._first_block:
            at = (self._first_block + len(sums)) * BLOCK - base
            sums.append(sum(column[at : at + BLOCK]))
        return (
            sum(column[first - base : from_block * BLOCK - base])
            + sum(sums[from_block - self._first_block : to_block - self._first_block])
            + sum(column[to_block * BLOCK - base : end - base])
        )

    def totals(self, first: int, end: int) -> Total:
        """The sum of any column over the cells ``first`` up to but not including ``end``, all at once."""
        begin, end = max(0, first - self.base), max(0, end - self.base)
        found = {id(column): sum(column[begin:end]) for column in self.columns}
        return lambda column: found[id(column)]

    def highest(self, column: list[int], first: int, end: int) -> int:
        """The largest entry of the cells ``first`` up to but not including ``end``; 0 where there is none."""
        return max(column[max(0, first - self.base) : max(0, end - self.base)], default=0)

    def _seal(self) -> int:
        """The cell before which blocks may be summed now."""
        newest = self.base + self.size
        self._sealed_to = max(self._sealed_to, newest - SETTLED)
        return self._sealed_to

    def _unseal(self, cell: int) -> None:
        """Forget the sums of the block of ``cell`` and of all later ones."""
        keep = max(0, cell // BLOCK - self._first_block)
        self._sealed_to = min(self._sealed_to, (self._first_block + keep) * BLOCK)
        for sums in self._blocks.values():
            del sums[keep:]

    def _drop_blocks(self) -> None:
        """Forget the sums of blocks that are no longer kept whole."""
        first = -(-self.base // BLOCK)
        for sums in self._blocks.values():
            del sums[: first - self._first_block]
        self._first_block = first
