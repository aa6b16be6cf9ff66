"""The past of one engine name: an hour by the second, a day by ten seconds, whatever instances it had."""

from __future__ import annotations

from collections.abc import Mapping

from rblntopd.history.row import Row, RowFormat, merge
from rblntopd.history.row_ring import RowRing

HOUR_S, DAY_S = 3600, 86_400
BLOCK_S = 10
#: Rows beyond the hour and the day, so that longer rows that begin before them are whole.
HOUR_ROWS = HOUR_S + 120
DAY_ROWS = DAY_S // BLOCK_S + 60
MAX_INSTANCES = 64


class History:
    """Rows by the second of CLOCK_MONOTONIC, which no change of the wall clock touches."""

    def __init__(self, name: str, group_count: int) -> None:
        self.name = name
        self._form = RowFormat(group_count)
        self._seconds = RowRing(HOUR_ROWS, self._form)
        self._blocks = RowRing(DAY_ROWS, self._form)
        self._instances: dict[str, int] = {}

    @property
    def group_count(self) -> int:
        """Groups that rows have: as many as the instance had that had most."""
        return self._form.group_count

    @property
    def newest_second(self) -> int:
        """The latest second that there is a row of; -1: none."""
        return self._seconds.newest

    def began(self, instance_id: str, mono_ns: int, group_count: int) -> bool:
        """An instance of the engine goes on with this history; false: it has been here before."""
        new = instance_id not in self._instances
        self._instances[instance_id] = mono_ns
        while len(self._instances) > MAX_INSTANCES:
            del self._instances[min(self._instances, key=self._instances.__getitem__)]
        if group_count > self.group_count:
            self._form = RowFormat(group_count)
            self._seconds = self._seconds.with_format(self._form)
            self._blocks = self._blocks.with_format(self._form)
        return new

    def restarts(self, first_ns: int, end_ns: int) -> list[tuple[int, str]]:
        """When later instances than the first began, and their ids, oldest first."""
        began = sorted((mono_ns, instance) for instance, mono_ns in self._instances.items())
        return [found for found in began[1:] if first_ns <= found[0] < end_ns]

    def put(self, second: int, row: Row) -> None:
        """Keep the row of a second."""
        self._seconds.put(second, row)

    def close_block(self, block: int, gaps: tuple[float, float] | None = None) -> None:
        """Make the row of a block out of its seconds; ``gaps`` are p50 and p99 of all its token gaps."""
        row = merge([self._seconds.get(second) for second in range(block * BLOCK_S, (block + 1) * BLOCK_S)])
        if gaps is not None:
            row = row._replace(gap_p50_s=gaps[0], gap_p99_s=gaps[1])
        self._blocks.put(block, row)

    def row(self, first_s: int, interval_s: int, latest: Mapping[int, Row]) -> Row:
        """The row of the ``interval_s`` seconds from ``first_s`` on, which is a multiple of it.

        ``latest`` has seconds that were not put yet. Rows of whole blocks are made from blocks, which are
        kept longer and whose token gaps are exact.
        """
        if interval_s % BLOCK_S:
            return self._merged_seconds(first_s, interval_s, latest)
        blocks = range(first_s // BLOCK_S, (first_s + interval_s) // BLOCK_S)
        return merge([self._block(block, latest) for block in blocks])

    def _block(self, block: int, latest: Mapping[int, Row]) -> Row:
        over = (block + 1) * BLOCK_S <= self.newest_second + 1
        if block <= self._blocks.newest and (over or not latest):
            return self._blocks.get(block)
        return self._merged_seconds(block * BLOCK_S, BLOCK_S, latest)

    def _merged_seconds(self, first_s: int, count: int, latest: Mapping[int, Row]) -> Row:
        return merge(
            [
                self._widened(latest[second]) if second in latest else self._seconds.get(second)
                for second in range(first_s, first_s + count)
            ]
        )

    def _widened(self, row: Row) -> Row:
        missing = len(self._form.nothing.groups) - len(row.groups)
        return row._replace(groups=row.groups + (0.0,) * missing) if missing > 0 else row
