"""The last two minutes of each row in slices of a second: what ran in it, and how full its batches were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rblntopd.metrics.cells import NS, Cells
from rblntopd.probe.ring_format import MAX_GROUPS, InFlight, Kind

MAX_CELLS = 120
PERMILLE = 1000

_EMPTY, _PREFILL = int(Kind.EMPTY), int(Kind.PREFILL)


@dataclass(frozen=True, slots=True)
class StripCell:
    """One second of one row, in 1/1000."""

    fill_permille: int
    """Mean decode batch over its bucket, while a decode ran."""
    decode_permille: int
    """Share of the second in which a decode of the row was in flight."""
    prefill_permille: int


class _Row:
    def __init__(self, cells: Cells) -> None:
        self.decode_ns = cells.column()
        self.prefill_ns = cells.column()
        self.fill = cells.column()
        """1/1000 of the bucket, times ns."""


class Strip:
    """Slices of all rows. A batch counts in every slice that it was in flight in."""

    def __init__(self, decode_ceiling: int) -> None:
        self._decode_ceiling = decode_ceiling
        self._cells = Cells(NS, MAX_CELLS + 5)
        self._rows: list[_Row] = []

    def add(
        self, kind: int, row: int, scheduled_ns: int, completed_ns: int, decodes: int, padded: int
    ) -> None:
        """Add a completed batch."""
        rows = self._rows
        if row >= len(rows):
            if row >= MAX_GROUPS:
                return
            rows += [_Row(self._cells) for _ in range(row + 1 - len(rows))]
        columns, cells = rows[row], self._cells
        duration_ns = completed_ns - scheduled_ns
        at = (completed_ns - 1) // NS - cells.base
        if not (0 <= at < cells.size and scheduled_ns // NS == at + cells.base):
            at = -1  # Not in one slice that is there.
        if kind == _PREFILL:
            if at >= 0:
                columns.prefill_ns[at] += duration_ns
            else:
                cells.spread(columns.prefill_ns, scheduled_ns, completed_ns, duration_ns)
            return
        fill = duration_ns * self._fill_permille(decodes, padded)
        if at >= 0:
            columns.decode_ns[at] += duration_ns
            columns.fill[at] += fill
        else:
            cells.spread(columns.decode_ns, scheduled_ns, completed_ns, duration_ns)
            cells.spread(columns.fill, scheduled_ns, completed_ns, fill)

    def cells(self, row: int, count: int, end_ns: int, in_flight: Iterable[InFlight]) -> list[StripCell]:
        """The last ``count`` whole seconds before ``end_ns``, oldest first, batches in flight included."""
        end = end_ns // NS
        found = []
        running = [batch for batch in in_flight if batch.row == row and batch.kind != _EMPTY]
        for cell in range(end - min(count, MAX_CELLS), end):
            decode_ns = prefill_ns = fill = 0
            if row < len(self._rows):
                columns = self._rows[row]
                decode_ns = self._cells.total(columns.decode_ns, cell, cell + 1)
                prefill_ns = self._cells.total(columns.prefill_ns, cell, cell + 1)
                fill = self._cells.total(columns.fill, cell, cell + 1)
            for batch in running:
                overlap_ns = (cell + 1) * NS - max(batch.scheduled_ns, cell * NS)
                if overlap_ns <= 0:
                    continue
                if batch.kind == _PREFILL:
                    prefill_ns += overlap_ns
                else:
                    decode_ns += overlap_ns
                    fill += overlap_ns * self._fill_permille(batch.requests, batch.padded)
            found.append(
                StripCell(
                    round(fill / decode_ns) if decode_ns else 0,
                    min(PERMILLE, round(decode_ns * PERMILLE / NS)),
                    min(PERMILLE, round(prefill_ns * PERMILLE / NS)),
                )
            )
        return found

    def _fill_permille(self, decodes: int, padded: int) -> int:
        fill = decodes * PERMILLE // (padded or self._decode_ceiling or decodes or 1)
        return fill if fill < PERMILLE else PERMILLE
