"""From steps and samples to rows: against a recomputation from the steps, over pauses and restarts."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rblntopd.history.columns import ENGINE_COLUMNS, GROUP_COLUMNS, Column
from rblntopd.history.history import BLOCK_S, History
from rblntopd.history.sampled_seconds import SampledSeconds
from rblntopd.history.writer import LAG_S, HistoryWriter
from rblntopd.metrics.cells import NS
from rblntopd.metrics.series import rounded
from rblntopd.metrics.timeline import Timeline
from rblntopd.probe.ring_format import Kind, Sample, Step

START = 5000
GROUPS, SLOTS = 2, 2


def decode(number: int, completed_ns: int, **fields) -> Step:
    return Step(
        step=number, scheduled_ns=completed_ns - NS // 50, completed_ns=completed_ns, schedule_ns=100,
        generation=0, tokens=3, waiting=2, max_seq_len=number, queue_wait_us=0, requests=3,
        prefill_requests=0, padded=4, running=6, held=0, ready=3, preempted=0, finished=0, unfinished=6,
        new_requests=0, run_length=1, kv_usage=0.25, kind=Kind.DECODE, group=number % GROUPS,
        row=number % GROUPS, admission_stop=0, in_flight=1,
    )._replace(**fields)  # fmt: skip


def sample(
    mono_ns: int, running: tuple[int, int] = (2, 1), waiting: int = 0, kv_usage: float = 0.5
) -> Sample:
    return Sample(mono_ns, 1, sum(running), waiting, 0, 0, 0, 0, 9, kv_usage, 0, 1, 0, running)


class Written:
    """One instance that writes its history, by a clock of the test's own."""

    def __init__(self, history: History | None = None, first: int = START, groups: int = GROUPS) -> None:
        self.history = history or History("e", groups)
        self.timeline, self.sampled = Timeline(groups, 4), SampledSeconds(groups)
        self.timeline.covered_from_ns = first * NS
        self.writer = HistoryWriter(self.history, self.timeline, self.sampled, SLOTS, first)
        self.steps = 0

    def step(self, second: float, **fields) -> None:
        self.steps += 1
        step = decode(self.steps, round(second * NS), **fields)
        self.timeline.add([(self.steps, *step)], {})

    def sample(self, second: float, **fields) -> None:
        found = sample(round(second * NS), **fields)
        self.sampled.add_sample(found)
        self.timeline.add_sample(found)

    def known_to(self, second: float, *, ended: bool = False) -> None:
        while self.writer.follow(round(second * NS), (), ended=ended, limit=3):
            pass

    def value(self, column: Column, second: int, interval: int = 1, known_to: float = 0.0) -> float:
        latest = self.writer.latest(round(known_to * NS), ()) if known_to else {}
        return ENGINE_COLUMNS[column](self.history.row(second, interval, latest))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=60),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 9), st.integers(0, 9)), max_size=60),
)
def test_rows_are_what_a_recomputation_from_the_steps_gives(steps, samples):
    """Steps: ms since the last, requests beyond one, preempted. Samples: ms since the last, running."""
    written = Written()
    completed, looks, gaps = [], [], {}
    last: dict[int, int] = {}
    now_ms = 0
    for number, (wait_ms, more, preempted) in enumerate(steps, 1):
        now_ms += wait_ms
        requests = 1 + more
        written.step(START + now_ms / 1000, requests=requests, tokens=requests, padded=8, preempted=preempted)
        completed.append((now_ms // 1000, requests, preempted))
        group = number % GROUPS
        at_ns = round((START + now_ms / 1000) * NS)
        if group in last:
            gaps.setdefault(now_ms // 1000, []).append(rounded(at_ns - last[group]))
        last[group] = at_ns
        written.known_to(START + now_ms / 1000)
    at_ms = 0
    by_sample = Written()
    for wait_ms, first, second in samples:
        at_ms += wait_ms + 1
        by_sample.sample(START + at_ms / 1000, running=(first, second))
        looks.append((at_ms // 1000, first, second))
        by_sample.known_to(START + at_ms / 1000)
    end = now_ms // 1000 + 1
    written.known_to(START + end + BLOCK_S + LAG_S)
    tokens = Counter()
    for second, requests, _ in completed:
        tokens[second] += requests
    for second in range(end):
        assert written.value(Column.OUTPUT_TOKENS_PER_SECOND, START + second) == tokens[second]
        here = [found for found in completed if found[0] == second]
        assert written.value(Column.PREEMPTED, START + second) == sum(found[2] for found in here)
        padded = 8 * len(here)
        assert written.value(Column.DECODE_PAD_RATIO, START + second) == pytest.approx(
            (padded - tokens[second]) / padded if padded else math.nan, nan_ok=True
        )
        ordered = sorted(gaps.get(second, []))
        for column, share in ((Column.TOKEN_GAP_P50_SECONDS, 0.5), (Column.TOKEN_GAP_P99_SECONDS, 0.99)):
            wanted = ordered[math.ceil(share * len(ordered)) - 1] / NS if ordered else math.nan
            assert written.value(column, START + second) == pytest.approx(wanted, rel=1e-3, nan_ok=True)
    for block in range(end // BLOCK_S + 1):
        row = range(block * BLOCK_S, (block + 1) * BLOCK_S)
        wanted = sum(tokens[second] for second in row) / BLOCK_S
        found = written.value(Column.OUTPUT_TOKENS_PER_SECOND, START + block * BLOCK_S, BLOCK_S)
        assert found == pytest.approx(wanted, rel=1e-6)
        # Of a block the quantiles are those of all its gaps, and not made of its seconds.
        ordered = sorted(gap for second in row for gap in gaps.get(second, []))
        wanted = ordered[math.ceil(0.5 * len(ordered)) - 1] / NS if ordered else math.nan
        found = written.value(Column.TOKEN_GAP_P50_SECONDS, START + block * BLOCK_S, BLOCK_S)
        assert found == pytest.approx(wanted, rel=1e-3, nan_ok=True)
    sampled_end = at_ms // 1000 + 1
    by_sample.known_to(START + sampled_end + LAG_S)
    for second in range(sampled_end):
        here = [found for found in looks if found[0] == second]
        totals = [first + other for _, first, other in here]
        mean = sum(totals) / len(totals) if totals else math.nan
        assert by_sample.value(Column.RUNNING, START + second) == pytest.approx(mean, rel=1e-3, nan_ok=True)
        most = max(totals) if totals else math.nan
        assert by_sample.value(Column.RUNNING_MAX, START + second) == pytest.approx(most, nan_ok=True)
        row = by_sample.history.row(START + second, 1, {})
        wanted = sum(found[1] for found in here) / len(here) if here else math.nan
        assert GROUP_COLUMNS[Column.GROUP_RUNNING](row, 0) == pytest.approx(wanted, rel=1e-3, nan_ok=True)


def test_the_latest_seconds_are_there_before_they_are_kept():
    written = Written()
    for tenth in range(30):
        written.step(START + tenth / 10 + 0.05)
    written.known_to(START + 3)
    assert written.writer.next == START
    assert math.isnan(written.value(Column.OUTPUT_TOKENS_PER_SECOND, START))
    assert written.value(Column.OUTPUT_TOKENS_PER_SECOND, START + 2, known_to=START + 3) == 30


def test_a_long_prefill_stalls_the_seconds_that_it_spans_also_those_before_it_completed():
    written = Written()
    for second in range(4):
        written.known_to(START + second)
    written.step(
        START + 4,
        scheduled_ns=START * NS,
        kind=Kind.PREFILL,
        requests=1,
        prefill_requests=1,
        ready=5,
        group=-1,
    )
    written.step(START + 4.5)
    written.known_to(START + 4 + LAG_S)
    stalls = [written.value(Column.PREFILL_STALL_RATIO, START + second) for second in range(4)]
    assert stalls == pytest.approx([1 / SLOTS] * 4, rel=1e-3)


def test_lost_records_leave_a_hole_and_no_zeros():
    written = Written()
    written.step(START + 0.5)
    written.known_to(START + 1 + LAG_S)
    written.timeline.forget()
    written.step(START + 8.25)
    written.known_to(START + 10 + LAG_S)
    assert written.value(Column.OUTPUT_TOKENS_PER_SECOND, START) == 3
    assert math.isnan(written.value(Column.OUTPUT_TOKENS_PER_SECOND, START + 5))
    assert written.value(Column.COVERED_SECONDS, START + 8) == pytest.approx(0.75)
    # Of the block, 1 + 0.75 + 1 s are covered: the rate is over those.
    assert written.value(Column.COVERED_SECONDS, START, 10) == pytest.approx(2.75)
    assert written.value(Column.OUTPUT_TOKENS_PER_SECOND, START, 10) == pytest.approx(6 / 2.75)


def test_a_daemon_that_stood_still_leaves_a_hole():
    written = Written()
    written.step(START + 0.5)
    written.known_to(START + 1)
    written.step(START + 600.5)
    written.known_to(START + 601 + LAG_S)
    assert written.value(Column.OUTPUT_TOKENS_PER_SECOND, START + 600) == 3
    assert math.isnan(written.value(Column.OUTPUT_TOKENS_PER_SECOND, START + 300))
    assert written.value(Column.COVERED_SECONDS, START + 300) == 0


def test_an_instance_that_ended_is_kept_to_its_end_and_the_next_one_goes_on():
    first = Written()
    first.step(START + 0.5)
    first.step(START + 2.5)
    first.known_to(START + 2.6, ended=True)
    assert first.writer.next == START + 3
    assert first.value(Column.COVERED_SECONDS, START + 2) == pytest.approx(0.6, rel=1e-3)
    second = Written(first.history, START + 6)
    second.step(START + 7.5, requests=1, tokens=1)
    second.known_to(START + 15)
    values = [second.value(Column.OUTPUT_TOKENS_PER_SECOND, START + at) for at in range(10)]
    assert [None if math.isnan(value) else round(value) for value in values] == [
        3, 0, 5, None, None, None, 0, 1, 0, 0,
    ]  # fmt: skip
    # The block that both are in.
    assert second.value(Column.COVERED_SECONDS, START, 10) == pytest.approx(2.6 + 4, rel=1e-3)


def test_a_block_that_its_successor_goes_on_with_is_right_while_it_is_under_way():
    first = Written()
    first.step(START + 0.5)
    first.known_to(START + 2, ended=True)
    second = Written(first.history, START + 3)
    second.step(START + 4.5)
    value = second.value(Column.COVERED_SECONDS, START, 10, known_to=START + 6)
    assert value == pytest.approx(5.0, rel=1e-3)


def test_idle_seconds_of_the_past_had_nothing_running():
    written = Written()
    rows = [
        decode(1, START * NS + NS // 2, unfinished=0),
        decode(2, (START + 5) * NS + NS // 2, running=7, waiting=1),
    ]
    written.sampled.add_steps((step.step, *step) for step in rows)
    written.timeline.add([(step.step, *step) for step in rows], {})
    written.known_to(START + 6 + LAG_S)
    running = [written.value(Column.RUNNING, START + at) for at in range(6)]
    assert running == [6, 0, 0, 0, 0, 7]
    assert written.value(Column.WAITING, START + 5) == 1
    assert written.value(Column.KV_USAGE_RATIO, START + 3) == 0.25
    # Steps do not say of which group the running requests are.
    assert math.isnan(GROUP_COLUMNS[Column.GROUP_RUNNING](written.history.row(START, 1, {}), 0))
