"""The sim engine against the real EngineCore and schedulers: the same load makes the same steps, one by one.

Compared is everything the observer sees of a step: kind, group, request ids in order, tokens, padded batch,
longest sequence, running and waiting, preemptions, batches in flight, and the virtual time of begin and end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from engine_harness.engine_in_process import EngineInProcess, drive
from engine_harness.model_in_process import ModelInProcess
from engine_harness.observer import SeenStep
from engine_harness.request_load import PlannedRequest, random_load

from rblntopd.probe.ring_format import Kind

SCARCE = 72
"""KV blocks of 16 tokens; one request of the random loads takes up to 33."""


def steps(
    engine: EngineInProcess | ModelInProcess, load: list[PlannedRequest], meddle: Callable[[Any, int], None]
) -> list[SeenStep]:
    """Every step that ``load`` makes, in the engine's time since the load began."""
    start_ns = engine.clock.now_ns()
    seen = engine.observer.scheduled
    drive(engine, load, after_step=lambda: meddle(engine.scheduler, len(seen)))
    return [
        dataclasses.replace(
            step, scheduled_ns=step.scheduled_ns - start_ns, completed_ns=step.completed_ns - start_ns
        )
        for step in seen
    ]


def first_difference(real: list[SeenStep], model: list[SeenStep]) -> str:
    """Where the two part, in words; empty if they do not."""
    for left, right in zip(real, model, strict=False):
        if left != right:
            fields = [field.name for field in dataclasses.fields(left)]
            parted = {
                name: (getattr(left, name), getattr(right, name))
                for name in fields
                if getattr(left, name) != getattr(right, name)
            }
            return f"step {left.step}: {parted} (real, model) in {left}"
    return "" if len(real) == len(model) else f"{len(real)} real steps, {len(model)} of the model"


@pytest.fixture
def both(start_engine: Any) -> Any:
    """Runs a load through both, and gives the steps when they are the same.

    ``meddle`` is called on either scheduler after each step, with the number of steps.
    """

    def run(
        load: list[PlannedRequest],
        meddle: Callable[[Any, int], None] = lambda scheduler, step: None,
        **settings: Any,
    ) -> list[SeenStep]:
        engine = start_engine(enable_prefix_caching=False, **settings)
        settings.setdefault("rbln", True)
        v2_runner = bool(engine.scheduler.use_v2_model_runner) and not settings["rbln"]
        model = ModelInProcess(use_v2_model_runner=v2_runner, **settings)
        seen = [steps(one, load, meddle) for one in (engine, model)]
        assert first_difference(*seen) == ""
        assert engine.observer.preemptions == model.observer.preemptions
        return seen[0]

    return run


@pytest.mark.parametrize("pp", [1, 2, 4])
@pytest.mark.parametrize("rbln", [True, False], ids=["rbln", "plain"])
def test_a_random_load_makes_the_same_steps(both, rbln, pp):
    load = random_load(40 + pp, requests=150, prompt_tokens=(1, 400), abort_ratio=0.1)
    seen = both(load, rbln=rbln, pp=pp, max_num_seqs=16, buckets=3)
    kinds = {Kind.EMPTY, Kind.PREFILL, Kind.DECODE} | (set() if rbln else {Kind.MIXED})
    assert {step.kind for step in seen} == kinds


@pytest.mark.parametrize("pp", [1, 2, 4])
@pytest.mark.parametrize("rbln", [True, False], ids=["rbln", "plain"])
def test_thousands_of_steps_under_kv_pressure_are_the_same(both, rbln, pp):
    load = [
        request
        for seed in (50, 60, 70)
        for request in random_load(seed + pp, requests=120, prompt_tokens=(1, 400), abort_ratio=0.1)
    ]
    seen = both(load, rbln=rbln, pp=pp, blocks=SCARCE, max_num_seqs=16, buckets=3)
    assert len(seen) > 2000
    assert sum(step.preempted for step in seen) > 50


@pytest.mark.parametrize("rbln", [True, False], ids=["rbln", "plain"])
def test_sequences_that_reach_the_end_of_the_context(both, rbln):
    load = random_load(80, requests=60, prompt_tokens=(1, 290), output_tokens=(50, 400))
    seen = both(load, rbln=rbln, pp=2, max_model_len=300)
    assert max(step.max_seq_len for step in seen) == 299


def test_slots_that_are_no_multiple_of_pp(both):
    load = random_load(81, requests=80, mean_gap_ms=10)
    seen = both(load, pp=4, max_num_seqs=9, buckets=4)
    assert max(step.padded for step in seen) == 2


@pytest.mark.parametrize("rbln", [True, False], ids=["rbln", "plain"])
def test_admission_that_is_paused_and_a_limit_that_is_lowered(both, rbln):
    def meddle(scheduler: Any, step: int) -> None:
        state = type(scheduler.pause_state)
        turn = step % 300
        if turn in (50, 100):
            scheduler.set_pause_state(
                state.PAUSED_NEW if turn == 50 and scheduler.running else state.UNPAUSED
            )
        if turn >= 150:
            scheduler.max_num_running_reqs = max(6, len(scheduler.running))
        if turn == 0:
            scheduler.max_num_running_reqs = 16

    load = random_load(82, requests=150, mean_gap_ms=5, output_tokens=(20, 120), abort_ratio=0)
    seen = both(load, meddle, rbln=rbln, pp=2, max_num_seqs=16)
    assert {6, 16} <= {step.max_num_running_reqs for step in seen}


def test_decodes_that_are_held_back_in_the_plain_scheduler(both):
    def meddle(scheduler: Any, step: int) -> None:
        for request in scheduler.running[3:]:
            if request.num_tokens - request.num_computed_tokens == 1:
                request.next_decode_eligible_step = scheduler.current_step + 2

    load = random_load(83, requests=80, mean_gap_ms=10)
    seen = both(load, meddle, rbln=False, pp=2, max_num_seqs=16)
    assert max(len(step.unscheduled_decodes) for step in seen) > 3
