"""The counts that only grow agree with the windows, and count each step in one daemon only."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from tests.unit.metrics.test_window_equals_recomputation import GROUPS, SLOTS, STAGES, histories

from rblntopd.metrics.cells import NS
from rblntopd.metrics.timeline import CELL_NS, Timeline
from rblntopd.metrics.totals import DECODE, EMPTY, LOST, MIXED, PREFILL, Histogram, Totals
from rblntopd.metrics.window import window


def as_rows(found):
    """As a ring's reader gives them."""
    rows = [(number + 1, *recorded.step) for number, recorded in enumerate(found)]
    causes = {
        number: (recorded.counts, recorded.slot_us)
        for number, recorded in enumerate(found)
        if recorded.step.kind == EMPTY
    }
    return rows, causes


@settings(max_examples=40)
@given(histories())
def test_totals_of_a_minute_are_those_of_its_window(drawn):
    last_ns = drawn[0][-1].step.completed_ns if drawn[0] else 0
    found = [recorded for recorded in drawn[0] if recorded.step.completed_ns > last_ns - 50 * NS]
    rows, causes = as_rows(found)
    timeline, totals = Timeline(GROUPS, 8), Totals()
    timeline.add(rows, causes)
    totals.add(rows, causes)
    end_cell = last_ns // CELL_NS + 1
    timeline.open = False  # Nothing is in flight: demand ends with the last step.
    minute = window(timeline, 60, end_cell, [], slots=SLOTS, stages=STAGES)
    assert totals.steps == [
        minute.empty_steps, minute.prefill_steps, minute.decode_steps, minute.mixed_steps, minute.lost_steps,
    ]  # fmt: skip
    assert (totals.preempted, totals.finished) == (minute.preempted, minute.finished)
    assert {share.cause: share.steps for share in minute.empty if share.steps} == {
        cause: steps for cause, steps in enumerate(totals.empty_steps) if steps
    }
    if minute.covered_seconds:
        assert totals.output_tokens == pytest.approx(minute.output_tokens_per_second * minute.covered_seconds)
    if minute.queue_occupancy_ratio is not None:
        share = min(1.0, totals.slot_ns / (SLOTS * totals.demand_ns))
        assert share == pytest.approx(minute.queue_occupancy_ratio)
    slots = sum(group.bucket_slots for group in totals.groups.values())
    requests = sum(group.bucket_requests for group in totals.groups.values())
    if minute.decode_pad_ratio is None:
        assert slots == 0
    else:
        assert 1 - requests / slots == pytest.approx(minute.decode_pad_ratio)
    for group in minute.groups:
        counted = totals.groups.get(group.group)
        assert (group.decode_steps if counted else 0) == (sum(counted.batches.counts) if counted else 0)
        gaps = sum(counted.gaps.counts) if counted else 0
        assert (group.token_gap_p50_seconds is not None) == (gaps > 0)
    for kind in (PREFILL, DECODE, MIXED):
        assert sum(totals.latency[kind].counts) == totals.steps[kind]
    assert totals.steps[LOST] == minute.lost_steps


def test_a_value_that_equals_a_bound_is_at_or_below_it_and_one_above_all_is_counted():
    histogram = Histogram((10, 20))
    for value in (10, 11, 20, 21):
        histogram.add(value)
    assert histogram.counts == [1, 2, 1]
    assert histogram.sum == 62


@pytest.fixture
def steps(make_step):
    """Two decodes of a group, 20 ms apart."""
    return [make_step(n, scheduled_ns=n * 20_000_000, completed_ns=(n + 1) * 20_000_000) for n in (1, 2)]


def rows_of(steps):
    return [(number + 1, *step) for number, step in enumerate(steps)]


def test_steps_of_before_the_daemon_are_not_counted(steps):
    totals = Totals(from_ns=steps[1].completed_ns)
    totals.add(rows_of(steps), {})
    assert totals.steps[DECODE] == 1
    assert totals.demand_ns == 0


def test_no_gap_and_no_demand_spans_records_that_were_lost(steps):
    whole, torn = Totals(), Totals()
    for totals in (whole, torn):
        totals.add(rows_of(steps[:1]), {})
        if totals is torn:
            totals.forget()
        totals.add(rows_of([steps[1]._replace(scheduled_ns=steps[1].completed_ns)]), {})
    assert (sum(whole.groups[0].gaps.counts), sum(torn.groups[0].gaps.counts)) == (1, 0)
    assert whole.demand_ns - torn.demand_ns == 20_000_000


def test_a_group_that_cannot_be_is_counted_as_none(steps):
    totals = Totals()
    totals.add(
        rows_of([step._replace(group=group) for step, group in zip(steps, (-1, 200), strict=True)]), {}
    )
    assert list(totals.groups) == [-1]
