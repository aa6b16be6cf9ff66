"""Samples, strips, in-flight batches and lost records, on a clock that the test moves."""

from __future__ import annotations

from rblntopd.metrics.cells import NS, Cells
from rblntopd.metrics.series import quantiles, rounded
from rblntopd.metrics.strip import Strip, StripCell
from rblntopd.metrics.timeline import CELL_NS, KEPT_CELLS, Timeline
from rblntopd.metrics.window import window
from rblntopd.probe.ring_format import MAX_GROUPS, EmptyCause, InFlight, Kind, Sample

DECODE, PREFILL = int(Kind.DECODE), int(Kind.PREFILL)


def row(sequence, scheduled_ns, completed_ns, kind=DECODE, requests=4, padded=8, unfinished=4, group=0):
    prefills = requests if kind == PREFILL else 0
    return (
        sequence + 1, sequence, scheduled_ns, completed_ns, 0, 0, requests, 0, 10, 0, requests, prefills,
        padded, 0, 0, 0, 0, 0, unfinished, 0, 1, 0.0, kind, group, max(group, 0), 0, 1,
    )  # fmt: skip


def figures(timeline, seconds, end_ns, in_flight=(), slots=2, stages=2):
    return window(timeline, seconds, end_ns // CELL_NS, in_flight, slots=slots, stages=stages)


def sample(mono_ns, *running):
    padded = running + (0,) * (MAX_GROUPS - len(running))
    return Sample(mono_ns, 1, sum(running), 0, 0, 0, 0, 0, 0, 0.0, 0, 0, 0, padded)


def test_group_skew_is_the_largest_over_the_mean_of_the_averages():
    timeline = Timeline(2, 8)
    timeline.add_sample(sample(10 * NS, 6, 2))
    timeline.add_sample(sample(10 * NS, 6, 2))  # The same sample is seen once.
    timeline.add_sample(sample(10 * NS + CELL_NS, 3, 1))
    assert figures(timeline, 1, 11 * NS).group_skew == 9 / 6


def test_without_samples_or_requests_there_is_no_skew():
    timeline = Timeline(2, 8)
    assert figures(timeline, 1, 11 * NS).group_skew is None
    timeline.add_sample(sample(10 * NS, 0, 0))
    assert figures(timeline, 1, 11 * NS).group_skew is None


def test_a_batch_that_hangs_holds_its_slot_up_to_now():
    timeline = Timeline(2, 8)
    hanging = InFlight(7, 10 * NS, 4, 4, 8, DECODE, 0, 0)
    found = figures(timeline, 10, 20 * NS, [hanging])
    assert found.queue_occupancy_ratio == 0.5
    assert [(share.cause, share.ratio) for share in found.empty] == [(EmptyCause.DEMAND, 0.5)]


def test_the_end_of_a_requests_life_is_no_token_gap():
    timeline = Timeline(1, 8)
    timeline.add([row(0, 10 * NS, 10 * NS + 1, unfinished=0), row(1, 15 * NS, 15 * NS + 1)], {})
    assert figures(timeline, 10, 20 * NS).token_gap_p99_seconds is None


def test_after_lost_records_the_window_covers_what_came_since():
    timeline = Timeline(1, 8)
    timeline.add([row(0, 10 * NS, 11 * NS)], {})
    timeline.forget()
    timeline.add([row(90, 14 * NS, 15 * NS), row(91, 15 * NS, 16 * NS)], {})
    found = figures(timeline, 10, 20 * NS)
    assert (found.covered_seconds, found.decode_steps, found.steps_per_second) == (5.0, 2, 2 / 5)


def test_a_slice_of_the_strip_shows_what_ran_in_it():
    strip = Strip(decode_ceiling=8)
    strip.add(DECODE, 0, 10 * NS, 11 * NS + NS // 2, 4, 8)
    strip.add(PREFILL, 0, 11 * NS + NS // 2, 11 * NS + 3 * NS // 4, 0, 0)
    assert strip.cells(0, 3, 12 * NS + 1, []) == [
        StripCell(0, 0, 0),
        StripCell(500, 1000, 0),
        StripCell(500, 500, 250),
    ]


def test_a_strip_without_buckets_is_filled_against_the_ceiling_and_shows_what_is_in_flight():
    strip = Strip(decode_ceiling=8)
    batch = InFlight(7, 10 * NS + NS // 2, 2, 2, 0, DECODE, 1, 1)
    assert strip.cells(1, 2, 12 * NS, [batch]) == [StripCell(250, 500, 0), StripCell(250, 1000, 0)]
    assert strip.cells(0, 1, 12 * NS, [batch]) == [StripCell(0, 0, 0)]


def test_cells_keep_what_a_window_needs_and_drop_the_rest():
    cells = Cells(CELL_NS, KEPT_CELLS)
    column = cells.column()
    for cell in range(1000, 5000):
        column[cells.reach(cell)] += 1
    assert cells.total(column, 4400, 5000) == 600
    assert cells.size < 2 * KEPT_CELLS
    assert cells.reach(1000) == -1
    column[cells.reach(10**9)] += 1
    assert cells.total(column, 10**9 - 600, 10**9 + 1) == 1


def test_rounding_keeps_the_order_and_is_within_one_percent():
    values = [int(1.37**n) for n in range(60)]
    assert [rounded(value) for value in values] == sorted(rounded(value) for value in values)
    assert all(abs(rounded(value) - value) <= value / 128 for value in values)


def test_quantiles_are_of_the_nearest_rank():
    assert quantiles({1: 50, 2: 49, 3: 1}, (0.5, 0.99, 1.0)) == [1, 2, 3]
    assert quantiles({}, (0.5,)) == [None]
