"""A window of any steps has exactly the figures that a recomputation from those steps has."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rblntopd.metrics.cells import NS
from rblntopd.metrics.series import rounded
from rblntopd.metrics.shapes import ShapeTimes, shape_of
from rblntopd.metrics.timeline import CELL_NS, Timeline
from rblntopd.metrics.window import window
from rblntopd.probe.ring_format import EmptyCause, InFlight, Kind, Step

START_NS = 1000 * NS
SLOTS, STAGES, GROUPS = 3, 2, 3
CAUSES = len(EmptyCause)


@dataclass(frozen=True)
class Recorded:
    step: Step
    counts: tuple[int, ...]
    slot_us: tuple[int, ...]


@st.composite
def histories(draw):
    """Steps in the order in which they completed, batches in flight, and a window's end and length."""
    completed_ns = START_NS
    found = []
    for number in range(draw(st.integers(0, 30))):
        wait_ns = draw(st.one_of(st.integers(0, 150_000_000), st.integers(0, 3 * NS), st.just(70 * NS)))
        completed_ns += wait_ns
        duration_ns = draw(st.one_of(st.integers(0, 120_000_000), st.integers(0, 4 * NS)))
        kind = draw(st.sampled_from(list(Kind)))
        empty = kind == Kind.EMPTY
        requests = 0 if empty else draw(st.integers(1, 8))
        prefills = 0
        if kind == Kind.PREFILL:
            prefills = requests
        elif kind == Kind.MIXED:
            prefills = draw(st.integers(1, requests))
        counts = tuple(draw(st.integers(0, 3)) if empty else 0 for _ in range(CAUSES))
        new = 0 if empty else draw(st.integers(0, 2))
        step = Step(
            step=number + 1,
            scheduled_ns=completed_ns - duration_ns,
            completed_ns=completed_ns,
            schedule_ns=draw(st.integers(0, 2**31)),
            generation=0,
            tokens=0 if empty else draw(st.integers(requests, 500)),
            waiting=0,
            max_seq_len=draw(st.integers(0, 900)),
            queue_wait_us=draw(st.integers(0, 2**31)) if new else 0,
            requests=requests,
            prefill_requests=prefills,
            padded=draw(st.sampled_from([0, 8])) if kind == Kind.DECODE else 0,
            running=0,
            held=0,
            ready=draw(st.integers(0, 1)),
            preempted=draw(st.integers(0, 1)),
            finished=draw(st.integers(0, 3)),
            unfinished=draw(st.integers(0, 2)),
            new_requests=new,
            run_length=max(1, sum(counts)),
            kv_usage=0.0,
            kind=kind,
            group=draw(st.integers(-1, GROUPS)) if kind in (Kind.DECODE, Kind.MIXED) else -1,
            row=0,
            admission_stop=0,
            in_flight=1,
        )
        found.append(Recorded(step, counts, tuple(draw(st.integers(0, 10**6)) if n else 0 for n in counts)))
    in_flight = [
        InFlight(100 + n, completed_ns - draw(st.integers(-NS, 3 * NS)), 5, 5, 8, kind, 0, 0)
        for n, kind in enumerate(draw(st.lists(st.sampled_from([Kind.EMPTY, Kind.DECODE]), max_size=2)))
    ]
    end_cell = completed_ns // CELL_NS + draw(st.integers(-30, 30))
    return found, in_flight, end_cell, draw(st.sampled_from([1, 2, 10, 60]))


def overlap(start, end, window_start, window_end):
    return max(0, min(end, window_end) - max(start, window_start))


def spread(amount, start, end, window_start, window_end):
    """What of ``amount`` lies in the window, when it is spread evenly over start..end in whole numbers."""
    if end <= start:
        return 0

    def before(moment):
        return amount * (min(max(moment, start), end) - start) // (end - start)

    return before(window_end) - before(window_start)


def demand_intervals(steps, in_flight, end_ns):
    found, opened, last_ns = [], None, 0
    for step in steps:
        if opened is None and (step.kind != Kind.EMPTY or step.unfinished):
            opened = max(step.scheduled_ns, last_ns)
        if opened is not None:
            last_ns = max(last_ns, step.completed_ns)
            if not step.unfinished:
                found.append((opened, last_ns))
                opened = None
    starts = [batch.scheduled_ns for batch in in_flight if batch.kind != Kind.EMPTY]
    if opened is not None:
        # What a batch in flight adds before the latest completion is not demand again.
        found.append((opened, max(last_ns, end_ns)))
    elif starts:
        found.append((max(last_ns, min(starts)), end_ns))
    return found


def nearest_rank(values, share):
    if not values:
        return None
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1] / NS


def approximately(expected):
    return None if expected is None else pytest.approx(expected, rel=1e-12, abs=1e-12)


def check(found, recorded, in_flight, end_cell, seconds):
    end_ns = end_cell * CELL_NS
    start_ns = end_ns - seconds * NS
    steps = [item.step for item in recorded]
    inside = [step for step in steps if start_ns <= step.completed_ns < end_ns]
    by_kind = defaultdict(list)
    for step in inside:
        by_kind[step.kind].append(step)
    decodes = by_kind[Kind.DECODE]
    assert found.decode_steps == len(decodes)
    assert found.prefill_steps == len(by_kind[Kind.PREFILL])
    assert found.mixed_steps == len(by_kind[Kind.MIXED])
    assert found.lost_steps == len(by_kind[Kind.LOST])
    assert found.empty_steps == sum(step.run_length for step in by_kind[Kind.EMPTY])
    assert found.preempted == sum(step.preempted for step in inside)
    assert found.finished == sum(step.finished for step in inside)
    real = [step for step in inside if step.kind != Kind.EMPTY]
    assert (found.max_seq_len or 0) == max((step.max_seq_len for step in real), default=0)

    padded = [step for step in decodes if step.padded]
    padding = sum(step.padded - step.requests for step in padded)
    pad_ratio = padding / sum(step.padded for step in padded) if padded else None
    assert found.decode_pad_ratio == approximately(pad_ratio)

    # Time.
    demand = sum(overlap(*one, start_ns, end_ns) for one in demand_intervals(steps, in_flight, end_ns))
    busy = stage = stall = 0
    shapes = ShapeTimes()
    for step in steps:
        if step.kind == Kind.EMPTY:
            continue
        held = (step.scheduled_ns, step.completed_ns, start_ns, end_ns)
        busy += overlap(*held)
        if step.kind == Kind.PREFILL and step.ready:
            stall += overlap(*held)
        if step.kind != Kind.LOST:
            shape = shape_of(step.kind, step.requests, step.padded, step.tokens)
            stage += spread(shapes.learn(shape, step.completed_ns - step.scheduled_ns), *held)
    for batch in in_flight:
        if batch.kind != Kind.EMPTY:
            busy += overlap(batch.scheduled_ns, end_ns, start_ns, end_ns)
            unloaded = shapes.unloaded_ns(shape_of(batch.kind, batch.requests, batch.padded, batch.tokens))
            stage += overlap(batch.scheduled_ns, batch.scheduled_ns + (unloaded or 0), start_ns, end_ns)
    slot_time = SLOTS * demand

    def share(part, whole):
        return approximately(min(1.0, part / whole) if whole else None)

    assert found.queue_occupancy_ratio == share(busy, slot_time)
    assert found.prefill_stall_ratio == share(stall, slot_time)
    assert found.stage_busy_ratio_estimate == share(stage, STAGES * demand)
    if demand:
        assert found.bubble_ratio == approximately(1 - min(1.0, busy / slot_time))
        assert sum(one.ratio for one in found.empty) == approximately(found.bubble_ratio)
    else:
        assert found.bubble_ratio is None

    # Causes, in the proportion in which they were recorded.
    causes = [0] * CAUSES
    cause_steps = [0] * CAUSES
    for at, item in enumerate(recorded):
        step = item.step
        before = demand_intervals(steps[: at + 1], [], 0)
        demand_end = max((end for _, end in before), default=0)
        end = min(step.completed_ns, demand_end)
        for cause, (count, slot_us) in enumerate(zip(item.counts, item.slot_us, strict=True)):
            if not count:
                continue
            cause_steps[cause] += count * (start_ns <= step.completed_ns < end_ns)
            if end > step.scheduled_ns:
                part = slot_us * 1000 * (end - step.scheduled_ns) // (step.completed_ns - step.scheduled_ns)
                causes[cause] += spread(part, step.scheduled_ns, end, start_ns, end_ns)
    shown = {one.cause: one for one in found.empty}
    for cause in EmptyCause:
        assert (shown[cause].steps if cause in shown else 0) == cause_steps[cause]
        if slot_time and cause != EmptyCause.DEMAND:
            scale = min(1.0, max(0, slot_time - busy) / sum(causes)) if sum(causes) else 1.0
            ratio = shown[cause].ratio if cause in shown else 0.0
            assert ratio == approximately(causes[cause] * scale / slot_time)

    # Rates.
    covered = max(0, end_ns - max(start_ns, steps[0].completed_ns)) / NS if steps else 0.0
    assert found.covered_seconds == covered

    def rate(count):
        return approximately(count / covered if covered else None)

    mixed = by_kind[Kind.MIXED]
    outputs = sum(step.requests - step.prefill_requests for step in decodes + mixed)
    prefill_tokens = sum(
        step.tokens - (step.requests - step.prefill_requests) for step in by_kind[Kind.PREFILL] + mixed
    )
    assert found.output_tokens_per_second == rate(outputs)
    assert found.prefill_tokens_per_second == rate(prefill_tokens)
    assert found.steps_per_second == rate(len(decodes) + len(by_kind[Kind.PREFILL]) + len(mixed))
    assert found.admitted_per_second == rate(sum(step.new_requests for step in real))

    # Distributions.
    whole = [step for step in real if step.kind != Kind.LOST]
    latencies = [rounded(step.completed_ns - step.scheduled_ns) for step in whole]
    waits = [rounded(step.queue_wait_us * 1000) for step in real for _ in range(step.new_requests)]
    assert found.step_p50_seconds == nearest_rank(latencies, 0.5)
    assert found.step_p99_seconds == nearest_rank(latencies, 0.99)
    assert found.schedule_p50_seconds == nearest_rank([rounded(step.schedule_ns) for step in whole], 0.5)
    assert found.queue_wait_p50_seconds == nearest_rank(waits, 0.5)
    assert found.queue_wait_p99_seconds == nearest_rank(waits, 0.99)

    gaps = defaultdict(list)
    last = {}
    for step in steps:
        decoding = step.requests - step.prefill_requests
        if step.kind in (Kind.DECODE, Kind.MIXED) and decoding and step.group >= 0:
            if step.group in last and start_ns <= step.completed_ns < end_ns:
                gaps[step.group].append(rounded(step.completed_ns - last[step.group]))
            last[step.group] = step.completed_ns
            if step.finished >= decoding:
                del last[step.group]
        if not step.unfinished:
            last.clear()
    everyone = [gap for values in gaps.values() for gap in values]
    assert found.token_gap_p50_seconds == nearest_rank(everyone, 0.5)
    assert found.token_gap_p99_seconds == nearest_rank(everyone, 0.99)
    for group in found.groups:
        mine = [step for step in decodes if step.group == group.group]
        assert group.decode_steps == len(mine)
        mean = sum(step.requests for step in mine) / len(mine) if mine else None
        assert group.mean_decode_batch == approximately(mean)
        with_bucket = [step for step in mine if step.padded]
        padding = sum(step.padded - step.requests for step in with_bucket)
        expected = padding / sum(step.padded for step in with_bucket) if with_bucket else None
        assert group.decode_pad_ratio == approximately(expected)
        assert group.token_gap_p50_seconds == nearest_rank(gaps[group.group], 0.5)
        assert group.token_gap_p99_seconds == nearest_rank(gaps[group.group], 0.99)


@settings(deadline=None, max_examples=int(os.environ.get("RBLNTOP_EXAMPLES", "150")))
@given(histories(), st.data())
def test_a_window_equals_a_recomputation_from_its_steps(history, data):
    recorded, in_flight, end_cell, seconds = history
    timeline = Timeline(GROUPS, 8)
    at = 0
    while at < len(recorded):
        # Somebody looks in between, also ahead of the steps: what comes late must still be counted.
        if data.draw(st.booleans()):
            window(timeline, seconds, end_cell, [], slots=SLOTS, stages=STAGES)
        chunk = recorded[at : at + data.draw(st.integers(1, 8))]
        timeline.add(
            [(at + n + 1, *item.step) for n, item in enumerate(chunk)],
            {at + n: (item.counts, item.slot_us) for n, item in enumerate(chunk)},
        )
        at += len(chunk)
    found = window(timeline, seconds, end_cell, in_flight, slots=SLOTS, stages=STAGES)
    check(found, recorded, in_flight, end_cell, seconds)
