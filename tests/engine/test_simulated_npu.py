"""The simulated NPU under the real engine: what a model runner must do, it does."""

from __future__ import annotations

import pytest
from engine_harness.engine_in_process import drive
from engine_harness.request_load import burst, random_load

from rblntopd.probe.ring_format import Kind


@pytest.mark.parametrize("pp", [1, 2, 4])
def test_every_request_gets_its_full_output(start_engine, pp):
    engine = start_engine(pp=pp)
    load = random_load(seed=pp, requests=60, abort_ratio=0)
    drive(engine, load)
    assert engine.output_tokens == {planned.request_id: planned.output_tokens for planned in load}
    assert set(engine.finish_reasons.values()) == {"length"}


def test_a_preempted_request_computes_its_whole_sequence_again_and_loses_no_token(start_engine):
    engine = start_engine(pp=2, blocks=72)
    load = burst(12, prompt_tokens=60, output_tokens=150)
    drive(engine, load)
    assert engine.observer.preemptions
    assert engine.output_tokens == {planned.request_id: 150 for planned in load}


def test_a_request_is_in_one_batch_at_a_time_but_for_the_chunks_of_its_prefill(start_engine):
    engine = start_engine(pp=4, blocks=96, max_num_seqs=16)
    drive(engine, random_load(seed=7, requests=80))
    decoding: list[str] = []
    for seen in engine.observer.scheduled:
        in_flight = {
            rid
            for other in engine.observer.scheduled[max(0, seen.step - 4) : seen.step - 1]
            if other.scheduled_ns <= seen.scheduled_ns < other.completed_ns
            for rid in other.decoding
        }
        assert not in_flight & set(seen.decoding)
        decoding += seen.decoding
    assert decoding


def test_the_same_load_gives_the_same_run(start_engine):
    runs = []
    for _ in range(2):
        engine = start_engine(pp=2)
        start_ns = engine.clock.now_ns()
        drive(engine, random_load(seed=3, requests=30))
        runs.append([(seen.decoding, seen.completed_ns - start_ns) for seen in engine.observer.completed])
    assert runs[0] == runs[1]


def test_decode_settles_at_an_even_split_of_the_running_requests(start_engine):
    engine = start_engine(pp=2)
    drive(engine, burst(8, prompt_tokens=20, output_tokens=100))
    settled = [seen.requests for seen in engine.observer.completed if seen.kind == Kind.DECODE][20:-40]
    assert set(settled) == {4}


def test_rows_beyond_the_batch_cost_time_as_the_bucket_says(start_engine):
    """Three decodes in a bucket of eight take as long as eight."""
    spans = []
    for requests in (3, 8):
        engine = start_engine(pp=1)
        drive(engine, burst(requests, prompt_tokens=20, output_tokens=50))
        last = [seen for seen in engine.observer.completed if seen.requests == requests][-1]
        spans.append(last.completed_ns - last.scheduled_ns)
    assert spans[0] == spans[1]
