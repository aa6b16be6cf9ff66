"""Each scenario shows what its name says, in virtual time and from its step records alone."""

from __future__ import annotations

from collections import Counter

import pytest

from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe.ring_format import AdmissionStop, Kind, Live
from rblntopd.sim.engine.device import NEVER_NS
from rblntopd.sim.engine.scenarios import MAX_NUM_SEQS, PP, SCENARIOS

FROM_S, TO_S = 15, 45


@pytest.fixture
def steps(start_sim, runtime_dir, read_records):
    """The records of a scenario from second 15 to 45; those of an engine that hangs end before."""

    def run(name):
        engine = start_sim(name)
        start_ns = engine.clock.now_ns()
        while engine.clock.now_ns() < start_ns + TO_S * 10**9:
            queue = engine.core.batch_queue
            if len(queue) == PP - 1 and queue[0].done_ns == NEVER_NS:
                break
            engine.turn()
        engine.shutdown()
        (path,) = runtime_dir.glob("**/*.ring")
        return [step for step in read_records(path) if step.scheduled_ns > start_ns + FROM_S * 10**9]

    return run


def decode_batches(steps):
    """Mean decode batch of each group."""
    sizes = {group: [] for group in range(PP)}
    for step in steps:
        if step.kind == Kind.DECODE:
            sizes[step.group].append(step.requests)
    return [sum(size) / max(1, len(size)) for size in sizes.values()]


def share(steps, of):
    """Share of the real steps for which ``of`` holds."""
    real = [step for step in steps if step.kind != Kind.EMPTY]
    return sum(map(of, real)) / len(real)


def test_every_scenario_says_in_a_sentence_what_there_is_to_see():
    assert all(scenario.summary.endswith(".") for scenario in SCENARIOS.values())


def test_balanced_groups_are_even_and_the_queue_is_full(steps):
    found = steps("balanced")
    batches = decode_batches(found)
    assert max(batches) < 1.3 * min(batches)
    assert share(found, lambda step: step.in_flight == PP) > 0.95


def test_collapse_has_batches_larger_than_a_share_and_empty_slots(steps):
    found = steps("collapse")
    assert max(step.requests for step in found) > 2 * MAX_NUM_SEQS // PP
    assert share(found, lambda step: step.requests <= 2) > 0.4
    assert sum(step.run_length for step in found if step.kind == Kind.EMPTY) > len(found) / 10


def test_uneven_batches_are_full_or_near_empty(steps):
    found = [step for step in steps("uneven") if step.kind == Kind.DECODE]
    mean = sum(step.requests for step in found) / len(found)
    assert share(found, lambda step: step.requests >= 1.5 * mean) > 0.2
    assert share(found, lambda step: step.requests <= 2) > 0.3


def test_a_forgotten_cap_keeps_requests_waiting_beside_padding(steps):
    found = steps("forgotten-cap")
    assert max(step.running for step in found) == 2 * PP
    assert {(step.requests, step.padded) for step in found if step.kind == Kind.DECODE} <= {(2, 8), (1, 8)}
    assert share(found, lambda step: step.waiting > 20) == 1
    assert share(found, lambda step: step.admission_stop == AdmissionStop.GROUP_CAPS) > 0.9


def test_a_prefill_storm_has_many_prefills_in_a_row(steps):
    found = steps("prefill-storm")
    longest = row = 0
    for step in found:
        row = row + 1 if step.kind == Kind.PREFILL else 0
        longest = max(longest, row)
    assert longest > 50


def test_kv_pressure_preempts(steps):
    found = steps("kv-pressure")
    assert sum(step.preempted for step in found) > 20
    assert max(step.kv_usage for step in found) > 0.95


def test_a_stalled_engine_has_batches_in_flight_and_no_more_steps(start_sim, runtime_dir, steps):
    assert steps("stalled") == []
    (path,) = runtime_dir.glob("**/*.ring")
    reader = RingReader.open(path)
    assert reader.live()[Live.UNFINISHED] > 0


def test_an_idle_engine_makes_no_step(steps):
    assert steps("idle") == []


def test_in_v0_each_group_has_max_num_seqs(steps):
    found = steps("v0")
    assert max(step.running for step in found) == MAX_NUM_SEQS
    assert SCENARIOS["v0"].config.scheduler_config.max_num_seqs * PP == MAX_NUM_SEQS
    kinds = Counter(step.kind for step in found)
    assert set(kinds) == {Kind.PREFILL, Kind.DECODE}
    assert {step.group for step in found if step.kind == Kind.DECODE} == set(range(PP))
