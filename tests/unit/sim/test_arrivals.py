"""Requests as they come: repeatable, in order, and never too many in memory."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from rblntopd.sim.engine.arrivals import Traffic, merged
from rblntopd.sim.engine.config import vllm_config
from rblntopd.sim.engine.front_end import MAX_WAITING, FrontEnd
from rblntopd.sim.engine.rbln_scheduler import RBLNScheduler

MIXED = (Traffic(5, (10, 100), (1, 50)), Traffic(0.5, (500, 900), (5, 5), burst=4, give_up_ratio=0.5))


def first(count, seed):
    return list(islice(merged(MIXED, seed), count))


def test_the_seed_decides_all():
    assert first(200, seed=1) == first(200, seed=1) != first(200, seed=2)


def test_requests_come_in_order_at_the_rate_and_with_the_lengths_asked_for():
    arrivals = first(3000, seed=1)
    assert all(early.at_ns <= late.at_ns for early, late in pairwise(arrivals))
    per_second = len(arrivals) / (arrivals[-1].at_ns / 1e9)
    assert per_second == pytest.approx(5 + 0.5 * 4, rel=0.1)
    long = [one for one in arrivals if one.prompt_tokens >= 500]
    assert all(10 <= one.prompt_tokens <= 100 for one in arrivals if one not in long)
    assert {one.output_tokens for one in long} == {5}
    assert sum(one.gives_up_ns > 0 for one in long) / len(long) == pytest.approx(0.5, abs=0.1)


def test_requests_can_be_there_at_the_start_and_none_come_later():
    only_at_start = Traffic(0, (10, 10), (5, 5), at_start=3)
    assert [one.at_ns for one in merged((only_at_start,), seed=1)] == [0, 0, 0]


def test_no_traffic_is_no_requests():
    assert list(merged((), seed=1)) == []


def test_a_full_queue_turns_requests_away():
    scheduler = RBLNScheduler(vllm_config())
    front_end = FrontEnd(scheduler, merged(MIXED, seed=1), started_ns=0)
    front_end.deliver(3600 * 10**9)
    assert len(scheduler.waiting) <= MAX_WAITING
    assert front_end.turned_away > 20_000


def test_a_client_that_gives_up_takes_its_request_back():
    scheduler = RBLNScheduler(vllm_config())
    impatient = Traffic(1, (10, 10), (5, 5), give_up_ratio=1, patience_s=1)
    front_end = FrontEnd(scheduler, merged((impatient,), seed=1), started_ns=0)
    front_end.deliver(100 * 10**9)
    assert not scheduler.requests or front_end.due_ns - 100 * 10**9 < 10**9
    assert len(scheduler.requests) <= 3
