"""Rows of history against a naive model: what is asked for in any length is what the seconds add up to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rblntopd.history.columns import ENGINE_COLUMNS, GROUP_COLUMNS, Column
from rblntopd.history.history import BLOCK_S, DAY_ROWS, HOUR_ROWS, History
from rblntopd.history.row import HALF_MAX, Row, RowFormat, merge

GROUPS = 2
START = 100_000
#: Half-precision values are kept to 0.05 %, and a mean has two of them.
ABOUT = pytest.approx
PRECISION = 2e-3

NOTHING = RowFormat(GROUPS).nothing


def half(most: float):
    return st.floats(0, most, width=16)


@st.composite
def rows(draw) -> Row:
    """The row of a second: with records or without, looked at or not."""
    covered, looked, grouped = (
        draw(st.sampled_from([0.0, 0.25, 1.0])),
        draw(st.booleans()),
        draw(st.booleans()),
    )
    padded = draw(st.integers(0, 500))
    gaps = draw(st.integers(0, 50))
    steps = [draw(st.integers(0, 30)) for _ in range(GROUPS)]
    # Of less than a millisecond the shares are not exact, and mean nothing.
    slot = draw(st.one_of(st.just(0.0), st.floats(2**-9, 4, width=16)))
    return NOTHING._replace(
        covered_s=covered,
        sampled_s=float(looked),
        group_sampled_s=float(looked and grouped),
        output_tokens=draw(st.integers(0, 10**5)),
        prefill_tokens=draw(st.integers(0, 10**5)),
        running=draw(half(256)) if looked else 0.0,
        running_max=draw(st.integers(0, 256)) if looked else 0,
        waiting=draw(half(5000)) if looked else 0.0,
        waiting_max=draw(st.integers(0, 10**6)) if looked else 0,
        kv_usage=draw(half(1)) if looked else 0.0,
        kv_usage_max=draw(half(1)) if looked else 0.0,
        padded=padded,
        wasted=draw(st.integers(0, padded)),
        slot_s=slot,
        busy_s=draw(st.floats(0, 1)) * slot,
        stall_s=draw(st.floats(0, 1)) * slot,
        gaps=gaps,
        gap_p50_s=draw(half(2)) if gaps else 0.0,
        gap_p99_s=draw(half(2)) if gaps else 0.0,
        max_seq_len=draw(st.integers(0, 10**6)),
        preempted=draw(st.integers(0, 20)),
        groups=tuple(
            value
            for count in steps
            for value in (
                draw(half(64)) if looked and grouped else 0.0,
                draw(half(64)) if count else 0.0,
                count,
            )
        ),
    )


def naive(column: Column, seconds: list[Row]) -> float:
    """The figure of some seconds, straight from what it means."""
    looked = [row for row in seconds if row.sampled_s]
    covered = sum(row.covered_s for row in seconds)
    slot = sum(row.slot_s for row in seconds)
    gaps = sum(row.gaps for row in seconds)

    def mean(name: str) -> float:
        return sum(getattr(row, name) for row in looked) / len(looked) if looked else math.nan

    def most(name: str) -> float:
        return max(getattr(row, name) for row in looked) if looked else math.nan

    def per(part: float, whole: float) -> float:
        return part / whole if whole else math.nan

    return {
        Column.OUTPUT_TOKENS_PER_SECOND: lambda: per(sum(row.output_tokens for row in seconds), covered),
        Column.PREFILL_TOKENS_PER_SECOND: lambda: per(sum(row.prefill_tokens for row in seconds), covered),
        Column.RUNNING: lambda: mean("running"),
        Column.RUNNING_MAX: lambda: most("running_max"),
        Column.WAITING: lambda: mean("waiting"),
        Column.WAITING_MAX: lambda: most("waiting_max"),
        Column.KV_USAGE_RATIO: lambda: mean("kv_usage"),
        Column.KV_USAGE_RATIO_MAX: lambda: most("kv_usage_max"),
        Column.DECODE_PAD_RATIO: lambda: per(
            sum(row.wasted for row in seconds), sum(row.padded for row in seconds)
        ),
        Column.PREFILL_STALL_RATIO: lambda: per(sum(row.stall_s for row in seconds), slot),
        Column.QUEUE_OCCUPANCY_RATIO: lambda: per(sum(row.busy_s for row in seconds), slot),
        Column.TOKEN_GAP_P50_SECONDS: lambda: per(sum(row.gap_p50_s * row.gaps for row in seconds), gaps),
        Column.TOKEN_GAP_P99_SECONDS: lambda: max(row.gap_p99_s for row in seconds) if gaps else math.nan,
        Column.MAX_SEQ_LEN: lambda: max(row.max_seq_len for row in seconds) or math.nan,
        Column.PREEMPTED: lambda: sum(row.preempted for row in seconds) if covered else math.nan,
        Column.COVERED_SECONDS: lambda: covered,
    }[column]()


def same(found: float, wanted: float) -> bool:
    if math.isnan(wanted) or math.isnan(found):
        return math.isnan(wanted) and math.isnan(found)
    return found == ABOUT(wanted, rel=PRECISION, abs=PRECISION)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), rows()), min_size=1, max_size=45),
    st.integers(0, 9),
    st.sampled_from([1, 2, 7, 10, 20]),
)
def test_rows_of_any_length_are_what_their_seconds_add_up_to(seconds, offset, interval):
    """None: the engine was away."""
    history = History("a", GROUPS)
    first = START + offset
    kept = {first + number: row for number, row in enumerate(seconds) if row is not None}
    for second, row in kept.items():
        history.put(second, row)
        if (second + 1) % BLOCK_S == 0:
            history.close_block(second // BLOCK_S)
    for block in range(first // BLOCK_S, (first + len(seconds)) // BLOCK_S + 1):
        history.close_block(block)
    begin = first // interval * interval
    for start in range(begin, first + len(seconds), interval):
        spanned = [kept.get(second, NOTHING) for second in range(start, start + interval)]
        row = history.row(start, interval, {})
        for column, value in ENGINE_COLUMNS.items():
            assert same(value(row), naive(column, spanned)), column
        for group in range(GROUPS):
            at = group * 3
            steps = sum(row.groups[at + 2] for row in spanned)
            batch = sum(row.groups[at + 1] * row.groups[at + 2] for row in spanned)
            assert same(
                GROUP_COLUMNS[Column.GROUP_MEAN_DECODE_BATCH](row, group),
                batch / steps if steps else math.nan,
            )
            looked = [row.groups[at] for row in spanned if row.group_sampled_s]
            assert same(
                GROUP_COLUMNS[Column.GROUP_RUNNING](row, group),
                sum(looked) / len(looked) if looked else math.nan,
            )


def a_second(running: float) -> Row:
    return NOTHING._replace(covered_s=1.0, sampled_s=1.0, running=running, running_max=running)


def running(history: History, second: int, interval: int = 1) -> float:
    return ENGINE_COLUMNS[Column.RUNNING](history.row(second, interval, {}))


def test_seconds_are_kept_for_an_hour_and_blocks_for_a_day():
    history = History("a", GROUPS)
    for second in range(START, START + 4 * HOUR_ROWS):
        history.put(second, a_second(second % 100))
        if (second + 1) % BLOCK_S == 0:
            history.close_block(second // BLOCK_S)
    newest = START + 4 * HOUR_ROWS - 1
    assert running(history, newest - 3600) == (newest - 3600) % 100
    assert math.isnan(running(history, newest - HOUR_ROWS))
    assert running(history, START, 10) == sum(range(10)) / 10


def test_a_pause_leaves_nothing_of_the_lap_before():
    history = History("a", GROUPS)
    for second in range(START, START + HOUR_ROWS):
        history.put(second, a_second(1))
    again = START + HOUR_ROWS + 500
    history.put(again, a_second(2))
    assert math.isnan(running(history, again - 1))
    assert running(history, again - 501) == 1
    assert running(history, again) == 2
    history.put(again + 10 * HOUR_ROWS, a_second(3))
    assert math.isnan(running(history, again + 10 * HOUR_ROWS - 1))


def test_the_past_may_be_filled_in_later():
    history = History("a", GROUPS)
    history.put(START + 100, a_second(5))
    history.put(START, a_second(4))
    history.put(START - 2 * HOUR_ROWS, a_second(9))
    assert (running(history, START), running(history, START + 100)) == (4, 5)
    assert math.isnan(running(history, START - 2 * HOUR_ROWS))
    assert history.newest_second == START + 100


def test_an_instance_with_more_groups_keeps_what_was_before():
    history = History("a", GROUPS)
    history.began("one", START * 10**9, GROUPS)
    history.put(START, a_second(5)._replace(group_sampled_s=1.0, groups=(1.0, 0.0, 0.0, 4.0, 0.0, 0.0)))
    history.close_block(START // BLOCK_S)
    history.began("two", (START + 10) * 10**9, 4)
    assert history.group_count == 4
    row = history.row(START, 1, {})
    assert [GROUP_COLUMNS[Column.GROUP_RUNNING](row, group) for group in range(4)] == [1, 4, 0, 0]
    assert running(history, START // 10 * 10, 10) == 5
    assert history.restarts(0, 2**63) == [((START + 10) * 10**9, "two")]
    assert history.restarts((START + 11) * 10**9, 2**63) == []


def test_rows_that_were_not_kept_yet_are_given_too():
    history = History("a", GROUPS)
    history.put(START, a_second(5))
    latest = {START + 1: a_second(7)}
    assert ENGINE_COLUMNS[Column.RUNNING](history.row(START, 2, latest)) == 6
    assert ENGINE_COLUMNS[Column.RUNNING](history.row(START, 10, latest)) == 6


def test_token_gaps_of_a_block_are_those_of_all_its_gaps():
    history = History("a", GROUPS)
    for second, gap in ((START, 0.1), (START + 1, 0.2)):
        history.put(second, a_second(1)._replace(gaps=3, gap_p50_s=gap, gap_p99_s=gap))
    history.close_block(START // BLOCK_S, (0.125, 0.1875))
    row = history.row(START, 10, {})
    assert (row.gap_p50_s, row.gap_p99_s, row.gaps) == (0.125, 0.1875, 6)


@given(st.sampled_from(Row._fields[:-1]), st.sampled_from([math.nan, math.inf, -1.0, 1e300, 2**64]))
def test_numbers_that_cannot_be_do_no_harm(field, value):
    form = RowFormat(1)
    raw = bytearray(form.size)
    form.pack_into(raw, 0, form.nothing._replace(**{field: value}, groups=(value, value, value)))
    assert all(0.0 <= found <= 1e30 for found in form.unpack(raw)[:-1])
    form.pack_into(raw, 0, form.nothing._replace(preempted=10**6))
    assert form.unpack(raw).preempted == HALF_MAX


def test_a_day_of_four_groups_takes_a_megabyte():
    assert RowFormat(4).size * (HOUR_ROWS + DAY_ROWS) < 1.05e6


def test_one_row_is_merged_into_itself():
    row = a_second(3)
    assert merge([row]) is row
