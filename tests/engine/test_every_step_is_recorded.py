"""The flight recorder against the independent observer: every step, once, and every figure of it."""

from __future__ import annotations

import pytest
from engine_harness.comparison import first_difference
from engine_harness.engine_in_process import drive
from engine_harness.request_load import burst, random_load
from engine_harness.ring_file import RingFile

from rblntopd.probe.ring_format import Kind, Live, Sample

SETTINGS = {
    "rbln": {},
    "rbln, several buckets": {"buckets": 4},
    "rbln, slots that are no multiple of pp": {"max_num_seqs": 9, "buckets": 3},
    "rbln, matches within a block": {"block_size": 128, "blocks": 60},
    "plain": {"rbln": False},
    "plain, preempting": {"rbln": False, "blocks": 80},
}


@pytest.mark.parametrize("pp", [1, 2, 4])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_records_equal_what_the_observer_saw(start_engine, runtime_dir, settings, pp):
    engine = start_engine(pp=pp, **settings)
    ring = RingFile.only_one_in(runtime_dir)
    drive(engine, random_load(seed=10 + pp, requests=120))
    engine.shutdown()
    assert ring.fault == ""
    assert first_difference(ring.new_steps(), engine.observer.completed) == ""
    kinds = {seen.kind for seen in engine.observer.completed}
    assert (Kind.MIXED in kinds) == (settings.get("rbln") is False)
    assert bool(engine.observer.preemptions) == (settings.get("blocks") == 80)


@pytest.mark.parametrize(("pp", "requests"), [(1, 720), (2, 420), (4, 220)])
def test_a_run_of_ten_thousand_steps_under_kv_pressure(start_engine, runtime_dir, pp, requests):
    engine = start_engine(pp=pp, blocks=80, buckets=4)
    ring = RingFile.only_one_in(runtime_dir)
    load = random_load(seed=20 + pp, requests=requests)
    steps = []
    drive(engine, load, after_step=lambda: steps.extend(ring.new_steps()))
    engine.shutdown()
    steps += ring.new_steps()

    assert ring.fault == ""
    assert first_difference(steps, engine.observer.completed) == ""
    assert sum(step.run_length for step in steps) >= 10_000
    assert sum(step.preempted for step in steps) > 20
    assert ring.live(Live.LOST_BATCHES) == 0


@pytest.mark.parametrize("pp", [1, 2, 4])
@pytest.mark.parametrize("rbln", [True, False])
def test_groups_sum_to_the_running_list_at_every_sample(start_engine, runtime_dir, monkeypatch, rbln, pp):
    # Samples of the engine's own thread only: those carry the step after which they were taken.
    monkeypatch.setattr("rblntopd.probe.quiet_thread.start", lambda probe: None)
    engine = start_engine(pp=pp, rbln=rbln, blocks=80)
    ring = RingFile.only_one_in(runtime_dir)
    samples: dict[int, Sample] = {}

    def look() -> None:
        sample = ring.sample()
        samples[sample.step] = sample

    drive(engine, random_load(seed=30 + pp, requests=150), after_step=look)
    assert len(samples) > 50
    for step, sample in samples.items():
        if not step:
            continue
        seen = engine.observer.scheduled[step - 1]
        assert sum(sample.group_running) + sample.unassigned == sample.running == seen.running
        assert sample.unassigned == 0
        assert sample.group_running[:pp] == seen.group_running
        assert sample.waiting == seen.waiting


def test_the_longest_sequence_of_three_requests(start_engine, runtime_dir):
    engine = start_engine(pp=2, max_num_seqs=8)
    ring = RingFile.only_one_in(runtime_dir)
    load = [
        request
        for tokens in (150, 200, 300)
        for request in burst(1, prompt_tokens=tokens, output_tokens=40, name=f"p{tokens}")
    ]
    drive(engine, load)
    engine.shutdown()
    steps = ring.new_steps()
    assert ring.description["max_model_len"] == 1024
    assert ring.description["max_num_batched_tokens"] == 128
    assert max(step.max_seq_len for step in steps if step.kind == Kind.PREFILL) == 300
    assert max(step.max_seq_len for step in steps) == 300 + 40 - 1
