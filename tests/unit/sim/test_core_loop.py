"""The engine's loop on a device that is a table of times."""

from __future__ import annotations

import pytest

from rblntopd.sim.engine.config import vllm_config
from rblntopd.sim.engine.core import EngineCore
from rblntopd.sim.engine.device import NEVER_NS, Device, padded_rows
from rblntopd.sim.engine.request import Request
from rblntopd.sim.engine.scheduler import Scheduler
from rblntopd.sim.pipeline import StageTimes
from rblntopd.sim.sim_clock import VirtualClock

TIMES = StageTimes(
    decode_us=100, decode_row_us=10, prefill_us=200, prefill_token_us=1, transfer_us=5, empty_us=2
)


@pytest.fixture
def engine():
    def make(pp, requests, buckets=(), hangs_ns=NEVER_NS):
        config = vllm_config(pp=pp, max_num_batched_tokens=10)
        core = EngineCore(Scheduler, config, Device(pp, TIMES, buckets, hangs_ns), VirtualClock(0))
        for name in requests:
            core.scheduler.add_request(Request(name, 10, 3))
        return core

    return make


def test_the_queue_is_filled_before_the_loop_waits(engine):
    core = engine(2, "ab")
    assert core.step()
    assert (len(core.batch_queue), core.clock.now_ns()) == (1, 0)
    assert core.step()
    # 210 us a stage, 5 us between the two.
    assert (len(core.batch_queue), core.clock.now_ns()) == (1, 425_000)


def test_with_one_stage_each_batch_returns_before_the_next(engine):
    core = engine(1, "a")
    core.step()
    assert (len(core.batch_queue), core.clock.now_ns()) == (0, 210_000)
    core.step()
    assert core.clock.now_ns() == 210_000 + 110_000


def test_everything_is_finished_in_the_end(engine):
    core = engine(4, "abcdef")
    while core.busy:
        core.step()
    assert not core.scheduler.requests
    assert core.scheduler.kv_cache_manager.usage == 0
    assert not core.step()


def test_padded_rows_cost_as_much_as_real_ones(engine):
    core = engine(1, "a", buckets=(8,))
    core.step()
    core.step()
    assert core.clock.now_ns() == 210_000 + 180_000


def test_a_device_that_hangs_never_returns_a_batch(engine):
    core = engine(2, "ab", hangs_ns=0)
    core.step()
    assert core.batch_queue[0].done_ns == NEVER_NS


def test_a_batch_takes_the_smallest_bucket_that_holds_it():
    assert padded_rows([2, 4]) == [0, 2, 2, 4, 4]
    assert padded_rows([]) == [0]
