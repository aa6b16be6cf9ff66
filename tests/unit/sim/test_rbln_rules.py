"""vllm-rbln's rules in the model. The whole of it is held to the real scheduler in tests/engine."""

from __future__ import annotations

from rblntopd.sim.engine.earlier_rbln import HardCapOnly, NoDecodeCap
from rblntopd.sim.engine.rbln_scheduler import DecodeBatchBudget


def prefill(engine, count: int) -> None:
    """Have ``count`` requests ready to decode."""
    engine.add(*[(5, 100)] * count)
    for _ in range(count):
        engine.schedule()
    while engine.in_flight:
        engine.land()


def test_a_prefill_runs_alone_and_chunk_after_chunk(stepped):
    engine = stepped(pp=2, max_num_batched_tokens=10)
    prefill(engine, 2)
    engine.add((25, 9), (5, 9))
    assert [engine.step() for _ in range(4)] == [{"c": 10}, {"c": 10}, {"c": 5}, {"d": 5}]
    assert engine.step() == {"a": 1, "b": 1}


def test_decodes_are_spread_over_the_batches_of_the_pipeline(stepped):
    engine = stepped(pp=2, max_num_seqs=16)
    prefill(engine, 5)
    assert [list(engine.schedule()), list(engine.schedule())] == [["a", "b", "c"], ["d", "e"]]


def test_a_batch_is_never_larger_than_what_is_compiled(stepped):
    engine = stepped(pp=2, max_num_seqs=4)
    prefill(engine, 4)
    assert [len(engine.schedule()) for _ in range(3)] == [2, 2, 0]


def test_a_full_decode_batch_keeps_waiting_prefills_out(stepped):
    engine = stepped(pp=2, max_num_seqs=5)
    prefill(engine, 4)
    engine.add((5, 100))
    assert engine.schedule() == {"a": 1, "b": 1}
    assert engine.schedule() == {"c": 1, "d": 1}
    assert engine.schedule() == {"e": 5}


def test_a_prompt_of_one_token_joins_the_decodes(stepped):
    engine = stepped(pp=2, max_num_seqs=16)
    prefill(engine, 2)
    engine.add((1, 9), (5, 9))
    assert engine.schedule() == {"a": 1, "c": 1}
    assert engine.schedule() == {"d": 5}


def test_with_the_hard_cap_alone_the_last_group_gets_what_is_left(stepped):
    engine = stepped(HardCapOnly, pp=2, max_num_seqs=8)
    prefill(engine, 5)
    assert [len(engine.schedule()), len(engine.schedule())] == [4, 1]


def test_without_a_cap_one_batch_takes_all(stepped):
    engine = stepped(NoDecodeCap, pp=2, max_num_seqs=8)
    prefill(engine, 5)
    assert [len(engine.schedule()), len(engine.schedule())] == [5, 0]


def test_the_budget_has_a_hard_cap_for_all_and_a_soft_one_for_decodes():
    budget = DecodeBatchBudget.for_step(max_num_seqs=9, pipeline_parallel_size=2, demand=3)
    budget.admit()
    assert budget.can_admit()
    budget.admit()
    assert not budget.can_admit()
    assert budget.can_admit(apply_soft_cap=False)
    for _ in range(2):
        budget.admit()
    assert not budget.can_admit(apply_soft_cap=False)
    budget.reset()
    assert budget.can_admit()
