"""What a change would do, by the arithmetic of the last minute's steps."""

from __future__ import annotations

import pytest

from rblntopd.metrics.cells import NS
from rblntopd.metrics.preview import preview
from rblntopd.metrics.timeline import Timeline
from rblntopd.probe.limits import LimitChange, LimitState
from rblntopd.probe.ring_format import Kind, Step

NOW_NS = 1000 * NS


def decode(group, requests, padded, seconds_ago=1.0, finished=0):
    completed_ns = NOW_NS - int(seconds_ago * NS)
    step = Step(
        step=1, scheduled_ns=completed_ns - 1000, completed_ns=completed_ns, schedule_ns=1, generation=0,
        tokens=requests, waiting=0, max_seq_len=9, queue_wait_us=0, requests=requests, prefill_requests=0,
        padded=padded, running=8, held=0, ready=0, preempted=0, finished=finished, unfinished=8,
        new_requests=0, run_length=1, kv_usage=0.0, kind=Kind.DECODE, group=group, row=group,
        admission_stop=0, in_flight=1,
    )  # fmt: skip
    return (1, *step)


def timeline(*rows):
    found = Timeline(2, 8)
    found.add(sorted(rows, key=lambda row: row[3]), {})
    return found


def limits(change, members=(0, 0)):
    state = LimitState(start=16, group_count=2, floor=2, ceiling=16, cap_ceiling=8)
    state.accept(state.wanted(change), members=members, step=1, now_ns=1)
    return state


def caps(*values, hold=None):
    return LimitChange(group_caps=dict(enumerate(values)), hold=hold)


def look(found, change, members=(0, 0), buckets=(2, 4, 8)):
    state = limits(change, members)
    return preview(found, state, buckets, running=sum(members), members=members, now_ns=NOW_NS)


def test_a_lower_cap_runs_in_a_smaller_bucket_where_there_is_one():
    steps = timeline(*[decode(0, 5, 8)] * 3, decode(1, 3, 4))
    found = look(steps, caps(4, 4))
    assert (found.decode_steps, found.steps_in_smaller_bucket) == (4, 3)
    assert found.decode_pad_ratio_now == pytest.approx((3 * 3 + 1) / (3 * 8 + 4))
    assert found.decode_pad_ratio_then == pytest.approx(1 / 16)
    first, second = found.groups
    assert (first.mean_decode_batch_now, first.mean_decode_batch_then) == (5, 4)
    assert (first.decode_pad_ratio_now, first.decode_pad_ratio_then) == (3 / 8, 0)
    assert (second.mean_decode_batch_now, second.mean_decode_batch_then) == (3, 3)


def test_with_a_single_bucket_a_lower_cap_saves_nothing_and_pads_more():
    found = look(timeline(*[decode(0, 6, 8)] * 3), caps(4, 4), buckets=(8,))
    assert (found.decode_steps, found.steps_in_smaller_bucket) == (3, 0)
    assert (found.decode_pad_ratio_now, found.decode_pad_ratio_then) == (2 / 8, 4 / 8)


def test_a_lower_max_num_seqs_leaves_each_group_an_even_share():
    found = look(timeline(decode(0, 8, 8), decode(1, 8, 8)), LimitChange(max_num_seqs=6))
    assert [group.mean_decode_batch_then for group in found.groups] == [3, 3]
    assert found.steps_in_smaller_bucket == 2


def test_an_engine_that_does_not_spread_its_decodes_packs_what_is_admitted_into_one_batch():
    found = look(timeline(decode(0, 12, 16)), LimitChange(max_num_seqs=6), buckets=(4, 8, 16))
    assert found.groups[0].mean_decode_batch_then == 6


def test_without_buckets_only_the_admission_bounds_a_batch():
    found = look(timeline(decode(0, 8, 0)), LimitChange(max_num_seqs=6), buckets=())
    assert found.groups[0].mean_decode_batch_then == 6
    assert found.decode_pad_ratio_now is None


def test_who_drains_is_what_runs_above_the_new_admission():
    found = look(timeline(), caps(2, 2), members=(5, 4))
    assert found.draining == 5
    assert [(group.running, group.cap, group.excess) for group in found.groups] == [(5, 2, 3), (4, 2, 2)]


def test_with_hold_what_is_above_each_cap_takes_turns():
    found = look(timeline(), caps(2, 8, hold=True), members=(5, 4))
    assert [group.excess for group in found.groups] == [3, 0]


def test_the_drain_is_estimated_by_what_finished_in_the_last_minute():
    steps = timeline(*(decode(0, 4, 4, seconds_ago=ago, finished=1) for ago in (30, 20, 10)))
    found = look(steps, caps(2, 2), members=(4, 4))
    # 3 in the 30 s that are known.
    assert found.drain_seconds == pytest.approx(4 * 30 / 3)


def test_where_none_finished_no_time_is_given():
    assert look(timeline(decode(0, 4, 4)), caps(2, 2), members=(4, 4)).drain_seconds is None


def test_steps_older_than_a_minute_do_not_count():
    assert look(timeline(decode(0, 5, 8, seconds_ago=62), decode(0, 5, 8)), caps(4, 4)).decode_steps == 1


def test_an_engine_that_did_nothing_has_no_ratios():
    found = look(timeline(), caps(4, 4))
    assert (found.decode_steps, found.decode_pad_ratio_now, found.decode_pad_ratio_then) == (0, None, None)
    assert found.groups[0].mean_decode_batch_now is None


def test_counts_of_a_day_take_the_room_of_a_minute():
    found = Timeline(1, 8)
    for ago in range(500, 0, -1):
        found.add([decode(0, 5, 8, seconds_ago=ago)], {})
    assert len(found.groups[0].batches._seconds) <= 62
