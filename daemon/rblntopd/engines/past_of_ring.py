"""Fills history with what a ring still holds of the time before the daemon met its engine."""

from __future__ import annotations

import asyncio
import time
from itertools import groupby

from rblntopd.engines.ring_reader import RingReader, Row
from rblntopd.history.history import BLOCK_S, DAY_S, History
from rblntopd.history.sampled_seconds import SampledSeconds
from rblntopd.history.writer import LAG_S, HistoryWriter
from rblntopd.metrics.cells import NS
from rblntopd.metrics.timeline import Timeline
from rblntopd.probe.ring_format import Step

#: Records and seconds of history that are worked on at a time: some ms.
RECORDS, SECONDS = 512, 100
#: Records further apart than this are added one after the other: a timeline holds a minute.
SPAN_NS = 30 * NS
COMPLETED = 1 + Step._fields.index("completed_ns")


async def fill_from_ring(
    history: History, reader: RingReader, *, group_count: int, slots: int, end_second: int
) -> None:
    """Add what completed before ``end_second``. Takes half of a core at most, until it is done.

    Raises:
        RingFileError: the ring cannot be read any more.
    """
    oldest_ns = time.monotonic_ns() - DAY_S * NS
    sequence = reader.first_completed_since(oldest_ns)
    end_ns = (end_second + LAG_S) * NS
    timeline, sampled = Timeline(group_count, 1), SampledSeconds(group_count)
    if not sequence:
        timeline.covered_from_ns = reader.header.mono_ns
    writer: HistoryWriter | None = None
    known_to_ns = 0
    while known_to_ns < end_ns:
        begun_s = time.monotonic()
        found = reader.read(sequence, RECORDS)
        if found.missed:
            timeline.forget()
        sequence = found.next
        rows = [row for row in found.rows if oldest_ns <= row[COMPLETED] <= end_ns]
        for _, span in groupby(rows, lambda row: row[COMPLETED] // SPAN_NS):
            steps: list[Row] = list(span)
            if writer is None:
                first = max(reader.header.mono_ns, oldest_ns, steps[0][COMPLETED] - NS) // NS
                writer = HistoryWriter(history, timeline, sampled, slots, first)
            sampled.add_steps(steps)
            # First what was before: adding steps drops cells that are a minute older.
            await _carry_over(writer, min(steps[0][COMPLETED], end_ns))
            timeline.add(steps, found.causes)
            known_to_ns = steps[-1][COMPLETED]
            await _carry_over(writer, min(known_to_ns, end_ns))
        if len(rows) < len(found.rows) or not found.rows:
            break
        await asyncio.sleep(time.monotonic() - begun_s)
    if writer is not None:
        sampled.idle_until(end_ns)
        # Up to where the daemon's own reading goes on, idle seconds among them.
        await _carry_over(writer, end_ns)
        history.close_block(end_second // BLOCK_S)


async def _carry_over(writer: HistoryWriter, known_to_ns: int) -> None:
    while writer.follow(known_to_ns, (), ended=False, limit=SECONDS):  # noqa: ASYNC110 - others' turn, no wait
        await asyncio.sleep(0)
