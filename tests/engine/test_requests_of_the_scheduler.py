"""The table of requests against the real schedulers' own lists, and what it takes of the engine's time."""

from __future__ import annotations

import random

import pytest
from engine_harness.limit_operator import LimitOperator
from engine_harness.sustained_load import SustainedLoad

from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe.control_format import Flag, Op, Request, Status
from rblntopd.probe.request_table import INTERVAL_NS
from rblntopd.probe.ring_format import NO_GROUP, RequestState

PLAIN = pytest.param(False, id="plain")
RBLN = pytest.param(True, id="rbln")


@pytest.fixture
def table(runtime_dir):
    def table(engine):
        """Ask for the table, as a daemon does, and read it."""
        probe = engine.scheduler._rblntop
        probe._requests._written_ns -= INTERVAL_NS  # The clock of these engines hardly moves.
        answer = probe.ask_directly(Request(Op.LIST_REQUESTS, 1))
        assert (answer.status, answer.text) == (Status.OK, "")
        (path,) = runtime_dir.glob("engines/*.ring")
        # Left open: closing a file drops the locks that this process has on it.
        return RingReader.open(path).requests()

    return table


@pytest.mark.parametrize("rbln", [PLAIN, RBLN])
def test_the_table_is_what_the_scheduler_has(start_engine, table, rbln):
    engine = start_engine(rbln=rbln, pp=2, max_num_seqs=8)
    operator, chance = LimitOperator(engine, rbln=rbln), random.Random(3)
    grouped = waited = 0
    for _ in range(30):
        operator.send(chance, 3)
        operator.run(7)
        found = table(engine)
        scheduler = engine.scheduler
        known = {request.request_id: request for request in scheduler.requests.values()}
        assert found.total == len(found.rows) == len(known)
        running = {request.request_id for request in scheduler.running}
        for row in found.rows:
            name = row.request_id.rstrip(b"\0").decode()
            request = known.pop(name)
            assert (row.state == RequestState.RUNNING) is (name in running)
            assert row.prompt_tokens == request.num_prompt_tokens
            assert row.output_tokens == request.num_output_tokens
            assert row.computed_tokens == request.num_computed_tokens
            assert row.preemptions == request.num_preemptions
            grouped += row.group != NO_GROUP
            waited += row.state == RequestState.WAITING
            if row.state == RequestState.WAITING:
                assert (row.group, row.wait_ms) == (NO_GROUP, row.age_ms)
        assert not known
        # The groups of the running requests are those of the sample.
        probe = engine.scheduler._rblntop
        members, _ = probe.recorder.rows.running_per_group(
            request.request_id for request in scheduler.running
        )
        by_row = [row.group for row in found.rows if row.state == RequestState.RUNNING]
        assert [by_row.count(group) for group in range(2)] == members
    assert grouped > 50
    assert waited > 50


@pytest.mark.parametrize("rbln", [PLAIN, RBLN])
def test_held_requests_are_told_apart(start_engine, table, rbln):
    engine = start_engine(rbln=rbln, pp=2, max_num_seqs=8)
    load, probe = SustainedLoad(engine), engine.scheduler._rblntop
    for _ in range(200):
        load.step()
    answer = probe.ask_directly(Request(Op.SET_LIMITS, 1, Flag.HOLD, group_caps=(1, 1)))
    assert answer.status == Status.OK
    held = 0
    for _ in range(40):
        load.step()
        found = {row.request_id.rstrip(b"\0").decode(): row.state for row in table(engine).rows}
        running = {request.request_id for request in engine.scheduler.running}
        names = {name for name, state in found.items() if state == RequestState.HELD}
        assert names == probe.enforcement.held_ids & running
        held += len(names)
    assert held > 20


@pytest.mark.parametrize("rbln", [PLAIN, RBLN])
def test_a_request_that_is_like_no_other_costs_the_table_and_not_the_probe(start_engine, table, rbln):
    engine = start_engine(rbln=rbln, pp=2, max_num_seqs=8)
    operator, chance = LimitOperator(engine, rbln=rbln), random.Random(7)
    operator.send(chance, 3)
    operator.run(5)
    probe = engine.scheduler._rblntop
    probe._requests._waits_us = None
    answer = probe.ask_directly(Request(Op.LIST_REQUESTS, 1))
    assert answer.status == Status.UNAVAILABLE
    assert "AttributeError" in answer.text
    assert not probe.closed
    operator.run(5)
