"""The row of a second, from the cells of a timeline and the looks at the scheduler."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rblntopd.history.row import Row
from rblntopd.history.sampled_seconds import Looks
from rblntopd.metrics.cells import NS
from rblntopd.metrics.timeline import CELL_NS, Timeline
from rblntopd.metrics.window import slot_time
from rblntopd.probe.ring_format import InFlight

CELLS_PER_SECOND = NS // CELL_NS


def second_row(
    timeline: Timeline,
    looks: Looks | None,
    second: int,
    known_to_ns: int,
    in_flight: Sequence[InFlight],
    slots: int,
) -> Row:
    """The row of one second. What completed in it is counted by the formulas of :func:`window.window`.

    Args:
        timeline: the engine's cells.
        looks: at the scheduler, in this second.
        second: of CLOCK_MONOTONIC.
        known_to_ns: where the records end: of an engine that is gone, its end.
        in_flight: batches scheduled and not yet in the timeline.
        slots: depth of the batch queue.
    """
    cells = timeline.cells
    begin_ns, end_ns = second * NS, (second + 1) * NS
    first = second * CELLS_PER_SECOND - cells.base
    begin, end = max(0, first), max(0, first + CELLS_PER_SECOND)

    def total(column: list[int]) -> int:
        return sum(column[begin:end])

    covered_s = 0.0
    if timeline.covered_from_ns:
        covered_s = max(0, min(end_ns, known_to_ns) - max(begin_ns, timeline.covered_from_ns)) / NS
    count = looks.count if looks else 0
    group_looks = looks.group_looks if looks else 0
    groups: list[float] = []
    tokens = total(timeline.mixed_decodes)
    padded = wasted = 0
    for number, columns in enumerate((*timeline.groups, timeline.ungrouped)):
        steps, requests = total(columns.decode_steps), total(columns.decode_requests)
        if steps:
            tokens += requests
            bucketed = total(columns.padded)
            padded += bucketed
            wasted += bucketed - requests + total(columns.unpadded_requests)
        if number < timeline.group_count:
            running = looks.groups[number] / group_looks if looks and group_looks else 0.0
            groups += (running, requests / steps if steps else 0.0, steps)
    busy_ns, demand_ns, _ = slot_time(timeline, total, begin_ns, end_ns, in_flight)
    gaps, p50_s, p99_s = token_gaps(timeline, second, 1)
    return Row(
        covered_s=covered_s,
        sampled_s=1.0 if count else 0.0,
        group_sampled_s=1.0 if group_looks else 0.0,
        output_tokens=tokens,
        prefill_tokens=total(timeline.prefill_tokens),
        running=looks.running / looks.count if looks else 0.0,
        running_max=looks.running_max if looks else 0,
        waiting=looks.waiting / looks.count if looks else 0.0,
        waiting_max=looks.waiting_max if looks else 0,
        kv_usage=looks.kv_usage / looks.count if looks else 0.0,
        kv_usage_max=looks.kv_usage_max if looks else 0.0,
        padded=padded,
        wasted=wasted,
        slot_s=slots * demand_ns / NS,
        busy_s=busy_ns / NS,
        stall_s=total(timeline.stall_ns) / NS,
        gaps=gaps,
        gap_p50_s=p50_s,
        gap_p99_s=p99_s,
        max_seq_len=max(timeline.longest[begin:end], default=0),
        preempted=total(timeline.preempted),
        groups=tuple(groups),
    )


def token_gaps(timeline: Timeline, second: int, seconds: int) -> tuple[int, float, float]:
    """How many token gaps ended in these seconds, their median and their 99th percentile in seconds."""
    first, end = second * CELLS_PER_SECOND, (second + seconds) * CELLS_PER_SECOND
    gaps: list[int] = []
    for columns in timeline.groups:
        gaps += columns.gaps.values(first, end)
    if not gaps:
        return 0, 0.0, 0.0
    gaps.sort()
    p50, p99 = (gaps[math.ceil(share * len(gaps)) - 1] for share in (0.5, 0.99))
    return len(gaps), p50 / NS, p99 / NS
