"""Rows of one length in a circle of bytes: the newest, without a gap, in memory that does not grow."""

from __future__ import annotations

import mmap

from rblntopd.history.row import Row, RowFormat


class RowRing:
    """Row ``n`` spans ``n * interval`` to ``(n + 1) * interval``; the newest ``capacity`` rows are kept."""

    def __init__(self, capacity: int, form: RowFormat) -> None:
        self._capacity = capacity
        self._form = form
        # Zeros that take no memory until they are written to: an engine that is new has no past.
        self._bytes = mmap.mmap(-1, capacity * form.size)
        self.newest = -1
        """Number of the newest row that was ever put; -1: none."""

    @property
    def oldest(self) -> int:
        """Number of the oldest row that would be kept."""
        return max(0, self.newest - self._capacity + 1)

    def put(self, number: int, row: Row) -> None:
        """Keep a row: the next one, one that comes after a pause, or one from before, if it still fits."""
        if number < self.oldest:
            return
        if number > self.newest:
            if self.newest >= 0:
                self._clear(self.newest + 1, number)
            self.newest = number
        self._form.pack_into(self._bytes, number % self._capacity * self._form.size, row)

    def get(self, number: int) -> Row:
        """A row; of one that was never put, or is no longer kept, all zeros."""
        if not self.oldest <= number <= self.newest:
            return self._form.nothing
        at = number % self._capacity * self._form.size
        return self._form.unpack(self._bytes[at : at + self._form.size])

    def with_format(self, form: RowFormat) -> RowRing:
        """The same rows in another format."""
        made = RowRing(self._capacity, form)
        made.newest = self.newest
        for number in range(self.oldest, self.newest + 1):
            row = self.get(number)
            if row != self._form.nothing:
                made.put(number, row)
        return made

    def _clear(self, first: int, end: int) -> None:
        size = self._form.size
        if end - first >= self._capacity:
            self._bytes = mmap.mmap(-1, len(self._bytes))
            return
        for number in range(first, end):
            at = number % self._capacity * size
            self._bytes[at : at + size] = bytes(size)
