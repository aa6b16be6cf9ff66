"""vLLM's rules in the model. The whole of it is held to the real scheduler in tests/engine."""

from __future__ import annotations

import pytest

from rblntopd.sim.engine.request import RequestStatus
from rblntopd.sim.engine.scheduler import PauseState, Scheduler


@pytest.fixture
def plain(stepped):
    return lambda **sizes: stepped(Scheduler, pp=2, **sizes)


def test_prompts_are_cut_to_the_tokens_of_a_step_and_share_it_with_decodes(plain):
    engine = plain(max_num_batched_tokens=100)
    engine.add((30, 9), (120, 9))
    assert engine.step() == {"a": 30, "b": 70}
    assert engine.step() == {"a": 1, "b": 50}
    assert engine.step() == {"a": 1, "b": 1}


def test_a_request_is_not_scheduled_again_while_its_last_token_is_in_flight(plain):
    engine = plain()
    engine.add((5, 9), (5, 9))
    engine.schedule()
    assert engine.schedule() == {}
    engine.land()
    assert engine.schedule() == {"a": 1, "b": 1}


def test_the_next_chunk_of_a_prompt_need_not_wait_for_the_one_before(plain):
    engine = plain(max_num_batched_tokens=10)
    engine.add((25, 9))
    assert [engine.schedule(), engine.schedule(), engine.schedule()] == [{"a": 10}, {"a": 10}, {"a": 5}]


def test_a_request_ends_with_its_last_output_token(plain):
    engine = plain()
    engine.add((5, 3))
    for _ in range(3):
        assert engine.step()
    assert not engine.scheduler.requests
    # One more, empty, to tell the workers that it ended.
    assert engine.scheduler.has_requests()
    assert engine.step() == {}
    assert not engine.scheduler.has_requests()


def test_a_sequence_ends_with_the_context(plain):
    engine = plain(max_model_len=8)
    engine.add((5, 100))
    while engine.scheduler.requests:
        engine.step()
    assert engine.scheduler.current_step == 3


def test_no_more_than_max_num_seqs_run(plain):
    engine = plain(max_num_seqs=2)
    engine.add((5, 9), (5, 9), (5, 9))
    assert engine.step() == {"a": 5, "b": 5}


def test_the_last_admitted_is_preempted_when_kv_blocks_run_out_and_comes_first_again(plain):
    engine = plain(blocks=5, block_size=4)
    engine.add((8, 20), (4, 20), (4, 20))
    assert engine.step() == {"a": 8, "b": 4, "c": 4}
    assert engine.step() == {"a": 1}
    assert engine.scheduler.requests["c"].status is RequestStatus.PREEMPTED
    assert [request.request_id for request in engine.scheduler.waiting] == ["b", "c"]
    assert engine.scheduler.kv_cache_manager.usage == 3 / 4


def test_a_preempted_request_computes_prompt_and_output_again(plain):
    engine = plain(blocks=5, block_size=4)
    engine.add((8, 3), (4, 9), (4, 9))
    for _ in range(3):
        engine.step()
    # Each had one output token when it was preempted.
    assert engine.step() == {"b": 5, "c": 5}


def test_a_preempted_request_waits_for_the_token_that_was_under_way(plain):
    engine = plain(blocks=5, block_size=4)
    engine.add((8, 20), (4, 20))
    engine.step()
    engine.scheduler.kv_cache_manager.num_free = 0
    engine.scheduler.running.reverse()
    engine.schedule()
    stale = engine.scheduler.requests["a"]
    assert stale.status is RequestStatus.PREEMPTED
    stale.num_stale_output_tokens = 1
    engine.scheduler.kv_cache_manager.num_free = 4
    assert "a" not in engine.schedule()
    assert list(engine.scheduler.skipped_waiting) == [stale]


def test_a_prompt_is_admitted_only_if_all_of_it_fits(plain):
    engine = plain(blocks=5, block_size=4, max_num_batched_tokens=8)
    engine.add((20, 9))
    assert engine.step() == {}


def test_paused_admission_lets_running_requests_go_on(plain):
    engine = plain()
    engine.add((5, 9))
    engine.step()
    engine.add((5, 9))
    engine.scheduler.set_pause_state(PauseState.PAUSED_NEW)
    assert engine.step() == {"a": 1}
    engine.scheduler.set_pause_state(PauseState.PAUSED_ALL)
    assert engine.step() == {}
    engine.scheduler.set_pause_state(PauseState.UNPAUSED)
    assert engine.step() == {"a": 1, "b": 5}


def test_an_aborted_request_gives_its_blocks_back_and_its_output_is_dropped(plain):
    engine = plain()
    engine.add((5, 9))
    engine.schedule()
    engine.scheduler.finish_requests(["a", "unknown"])
    assert engine.scheduler.kv_cache_manager.usage == 0
    engine.land()
    assert not engine.scheduler.requests


def test_a_decode_can_be_held_back_to_a_later_step(plain):
    engine = plain()
    engine.add((5, 9), (5, 9))
    engine.step()
    engine.scheduler.requests["a"].next_decode_eligible_step = engine.scheduler.current_step + 2
    assert engine.step() == {"b": 1}
    assert engine.step() == {"a": 1, "b": 1}
