"""The figures of a window, from the cells of a timeline. docs/metrics.md says what each one means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rblntopd.metrics.cells import NS, Total
from rblntopd.metrics.series import merged, quantiles
from rblntopd.metrics.shapes import shape_of
from rblntopd.metrics.timeline import CELL_NS, EMPTY, GroupColumns, Timeline
from rblntopd.probe.ring_format import EmptyCause, InFlight

MAX_SECONDS = 60


@dataclass(frozen=True, slots=True)
class GroupWindow:
    """Figures of one group. None: nothing was measured."""

    group: int
    decode_steps: int
    mean_decode_batch: float | None
    decode_pad_ratio: float | None
    token_gap_p50_seconds: float | None
    token_gap_p99_seconds: float | None


@dataclass(frozen=True, slots=True)
class EmptyShare:
    """Empty steps of one cause, and the slot time attributed to it as a share of all slot time."""

    cause: EmptyCause
    steps: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Window:
    """Figures over some seconds that end at a cell boundary. None: nothing was measured."""

    seconds: float
    covered_seconds: float
    decode_steps: int
    prefill_steps: int
    mixed_steps: int
    empty_steps: int
    lost_steps: int
    decode_pad_ratio: float | None
    queue_occupancy_ratio: float | None
    bubble_ratio: float | None
    empty: tuple[EmptyShare, ...]
    stage_busy_ratio_estimate: float | None
    prefill_stall_ratio: float | None
    group_skew: float | None
    output_tokens_per_second: float | None
    prefill_tokens_per_second: float | None
    steps_per_second: float | None
    admitted_per_second: float | None
    preempted: int
    finished: int
    token_gap_p50_seconds: float | None
    token_gap_p99_seconds: float | None
    queue_wait_p50_seconds: float | None
    queue_wait_p99_seconds: float | None
    step_p50_seconds: float | None
    step_p99_seconds: float | None
    schedule_p50_seconds: float | None
    max_seq_len: int | None
    groups: tuple[GroupWindow, ...]


def ratio(part: float, whole: float) -> float | None:
    """``part / whole`` within 0..1; None when there is no whole."""
    return min(1.0, max(0.0, part / whole)) if whole > 0 else None


def pad_ratio(real: int, padded: int) -> float | None:
    """``sum(padded - real) / sum(padded)``."""
    return (padded - real) / padded if padded > 0 else None


def window(
    timeline: Timeline,
    seconds: int,
    end_cell: int,
    in_flight: Sequence[InFlight],
    *,
    slots: int,
    stages: int,
) -> Window:
    """The figures of the ``seconds`` before the start of cell ``end_cell``.

    A step counts in the window it completed in. Slot time is cut at both ends of the window; a batch in
    flight holds its slot up to the end, and nobody knows yet whether it will stall decodes.

    Args:
        timeline: the engine's cells.
        seconds: 1 .. 60.
        end_cell: number of the first cell that is not in the window.
        in_flight: batches scheduled and not yet in the timeline.
        slots: depth of the batch queue.
        stages: pipeline stages.
    """
    cells = timeline.cells
    first_cell = end_cell - seconds * NS // CELL_NS

    total = cells.totals(first_cell, end_cell)
    begin_ns, end_ns = first_cell * CELL_NS, end_cell * CELL_NS
    covered = max(0, end_ns - max(begin_ns, timeline.covered_from_ns)) / NS
    if not timeline.covered_from_ns:
        covered = 0.0
    busy_ns, demand_ns, stage_ns = slot_time(timeline, total, begin_ns, end_ns, in_flight)
    slot_ns = slots * demand_ns
    occupancy = ratio(busy_ns, slot_ns)
    gaps = [columns.gaps.counts(first_cell, end_cell) for columns in timeline.groups]
    gap_p50, gap_p99 = _p50_p99(merged(gaps))
    wait_p50, wait_p99 = _p50_p99(timeline.queue_wait.counts(first_cell, end_cell))
    step_p50, step_p99 = _p50_p99(timeline.latency.counts(first_cell, end_cell))
    schedule_p50, _ = _p50_p99(timeline.schedule.counts(first_cell, end_cell))
    prefill_steps, mixed_steps = total(timeline.prefill_steps), total(timeline.mixed_steps)
    groups = [_group_sums(columns, total) for columns in (*timeline.groups, timeline.ungrouped)]
    decode_steps = sum(sums.steps for sums in groups)
    decode_requests = sum(sums.requests for sums in groups)

    def rate(count: int) -> float | None:
        return count / covered if covered > 0 else None

    return Window(
        seconds=float(seconds),
        covered_seconds=covered,
        decode_steps=decode_steps,
        prefill_steps=prefill_steps,
        mixed_steps=mixed_steps,
        empty_steps=total(timeline.empty_steps),
        lost_steps=total(timeline.lost_steps),
        decode_pad_ratio=pad_ratio(
            sum(sums.padded_requests for sums in groups), sum(sums.padded for sums in groups)
        ),
        queue_occupancy_ratio=occupancy,
        bubble_ratio=None if occupancy is None else 1 - occupancy,
        empty=_empty_shares(timeline, total, slot_ns, busy_ns),
        stage_busy_ratio_estimate=ratio(stage_ns, stages * demand_ns),
        prefill_stall_ratio=ratio(total(timeline.stall_ns), slot_ns),
        group_skew=_group_skew(timeline, total),
        output_tokens_per_second=rate(decode_requests + total(timeline.mixed_decodes)),
        prefill_tokens_per_second=rate(total(timeline.prefill_tokens)),
        steps_per_second=rate(decode_steps + prefill_steps + mixed_steps),
        admitted_per_second=rate(total(timeline.admitted)),
        preempted=total(timeline.preempted),
        finished=total(timeline.finished),
        token_gap_p50_seconds=gap_p50,
        token_gap_p99_seconds=gap_p99,
        queue_wait_p50_seconds=wait_p50,
        queue_wait_p99_seconds=wait_p99,
        step_p50_seconds=step_p50,
        step_p99_seconds=step_p99,
        schedule_p50_seconds=schedule_p50,
        max_seq_len=cells.highest(timeline.longest, first_cell, end_cell) or None,
        groups=tuple(
            _group_window(group, sums, counts)
            for group, (sums, counts) in enumerate(zip(groups, gaps, strict=False))
        ),
    )


def _p50_p99(counts: Mapping[int, int]) -> tuple[float | None, float | None]:
    """Median and 99th percentile of counted ns, in seconds."""
    p50, p99 = quantiles(counts, (0.5, 0.99))
    return (None if p50 is None else p50 / NS, None if p99 is None else p99 / NS)


def slot_time(
    timeline: Timeline, total: Total, begin_ns: int, end_ns: int, in_flight: Sequence[InFlight]
) -> tuple[int, int, int]:
    """Slot time of non-empty batches, demand time and stage time, with what is in flight at the end."""
    busy_ns = total(timeline.busy_ns)
    demand_ns = total(timeline.demand_ns)
    stage_ns = total(timeline.stage_ns)
    open_from_ns = timeline.demand_to_ns if timeline.open else end_ns
    for batch in in_flight:
        if batch.kind == EMPTY or batch.scheduled_ns >= end_ns:
            continue
        open_from_ns = min(open_from_ns, max(batch.scheduled_ns, timeline.demand_to_ns))
        busy_ns += end_ns - max(batch.scheduled_ns, begin_ns)
        shape = shape_of(batch.kind, batch.requests, batch.padded, batch.tokens)
        unloaded_ns = timeline.shapes.unloaded_ns(shape)
        if unloaded_ns is not None:
            # Its own time comes first: later it only waits.
            stage_ns += max(
                0, min(end_ns, batch.scheduled_ns + unloaded_ns) - max(batch.scheduled_ns, begin_ns)
            )
    demand_ns += max(0, end_ns - max(open_from_ns, begin_ns))
    return busy_ns, demand_ns, stage_ns


def _empty_shares(timeline: Timeline, total: Total, slot_ns: int, busy_ns: int) -> tuple[EmptyShare, ...]:
    """What the slot time that no non-empty batch held is made of; the ratios sum to the bubble ratio.

    Slot time of empty steps goes to their causes, scaled down where it exceeds what is there; slot time that
    no batch held at all is demand: the engine had nothing to schedule.
    """
    cause_ns = dict.fromkeys(EmptyCause, 0)
    steps = dict.fromkeys(EmptyCause, 0)
    for number, columns in timeline.causes.items():
        cause_ns[EmptyCause(number)] = total(columns.slot_ns)
        steps[EmptyCause(number)] = total(columns.steps)
    bubble_ns = max(0, slot_ns - busy_ns)
    recorded_ns = sum(cause_ns.values())
    scale = bubble_ns / recorded_ns if recorded_ns > bubble_ns else 1.0
    found = []
    for cause in EmptyCause:
        attributed = cause_ns[cause] * scale
        if cause is EmptyCause.DEMAND:
            attributed += max(0, bubble_ns - recorded_ns)
        if steps[cause] or attributed:
            found.append(EmptyShare(cause, steps[cause], attributed / slot_ns if slot_ns else 0.0))
    return tuple(found)


def _group_skew(timeline: Timeline, total: Total) -> float | None:
    """Largest over mean of the groups' running requests, averaged over the samples of the window."""
    if not total(timeline.samples):
        return None
    running = [total(columns.running) for columns in timeline.groups]
    everyone = sum(running)
    return max(running) * len(running) / everyone if everyone else None


@dataclass(frozen=True, slots=True)
class _GroupSums:
    steps: int
    requests: int
    padded_requests: int
    """Requests of the steps that have a bucket."""
    padded: int


def _group_sums(columns: GroupColumns, total: Total) -> _GroupSums:
    requests = total(columns.decode_requests)
    return _GroupSums(
        steps=total(columns.decode_steps),
        requests=requests,
        padded_requests=requests - total(columns.unpadded_requests),
        padded=total(columns.padded),
    )


def _group_window(group: int, sums: _GroupSums, gaps: Mapping[int, int]) -> GroupWindow:
    p50, p99 = _p50_p99(gaps)
    return GroupWindow(
        group=group,
        decode_steps=sums.steps,
        mean_decode_batch=sums.requests / sums.steps if sums.steps else None,
        decode_pad_ratio=pad_ratio(sums.padded_requests, sums.padded),
        token_gap_p50_seconds=p50,
        token_gap_p99_seconds=p99,
    )
