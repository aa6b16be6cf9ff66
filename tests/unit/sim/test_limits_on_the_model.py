"""The probe of a real engine on the model: what it shows, and that its limits are kept."""

from __future__ import annotations

import sys

import pytest

from rblntopd.probe.control_format import Flag, Op, Request, Status
from rblntopd.probe.ring_format import Kind, Step
from rblntopd.sim.engine import vllm_names
from rblntopd.sim.engine.scheduler import Scheduler

EIGHT_EACH = (8, 8, 8, 8)


@pytest.fixture
def run(start_sim, read_records):
    """Starts a scenario; each call of ``more`` runs it on and gives the new records."""

    class Run:
        def __init__(self, name, **changed):
            self.engine = start_sim(name, **changed)
            self._next = 0

        def more(self, seconds) -> list[Step]:
            clock = self.engine.clock
            end_ns = clock.now_ns() + seconds * 10**9
            while clock.now_ns() < end_ns:
                self.engine.turn()
            assert self.engine.scheduler._rblntop is not None
            found = read_records(self.engine.probe.recorder.ring.path, self._next)
            self._next += len(found)
            return found

        def ask(self, op, **request):
            answer = self.engine.probe.ask_directly(Request(op, 1, **request))
            assert answer.status == Status.OK, answer.text
            return answer

    return Run


def empty_steps(steps):
    return sum(step.run_length for step in steps if step.kind == Kind.EMPTY)


def largest_decode_batches(steps):
    decodes = [step for step in steps if step.kind == Kind.DECODE]
    return {group: max(step.requests for step in decodes if step.group == group) for group in range(4)}


def test_the_description_says_simulated(run):
    description = run("balanced").engine.probe.facts.description
    assert description["simulated"] is True
    assert description["name"] == "sim-balanced/0"
    assert (description["vllm_version"], description["notice"]) == ("0.30.0", "")
    assert description["scheduler_class"].startswith("rblntopd.sim.engine.")
    assert description["decode_buckets"] == [1, 2, 4, 8]


@pytest.mark.parametrize("scheduler", [{}, {"scheduler": Scheduler}], ids=["rbln", "plain"])
def test_every_control_is_available(run, scheduler):
    controls = run("balanced", **scheduler).engine.probe.facts.description["controls"]
    assert {name: control["reason"] for name, control in controls.items()} == dict.fromkeys(controls, "")


def test_a_lowered_max_num_seqs_drains_and_preempts_nobody(run):
    sim = run("balanced")
    sim.more(15)
    assert len(sim.engine.scheduler.running) > 12
    sim.ask(Op.SET_LIMITS, max_num_seqs=12)
    draining, settled = sim.more(10), sim.more(10)
    assert sum(step.preempted for step in draining + settled) == 0
    assert {step.generation for step in settled} == {1}
    assert max(step.running for step in settled) == 12
    assert min(step.waiting for step in settled) > 0


@pytest.mark.parametrize("scheduler", [{}, {"scheduler": Scheduler}], ids=["rbln", "plain"])
def test_uneven_group_caps_are_exact_and_can_be_taken_back(run, scheduler):
    sim = run("balanced", **scheduler)
    sim.more(10)
    sim.ask(Op.SET_LIMITS, group_caps=(1, 2, 3, 4))
    sim.more(15)
    assert largest_decode_batches(sim.more(10)) == {0: 1, 1: 2, 2: 3, 3: 4}
    sim.ask(Op.RESET)
    sim.more(10)
    assert max(step.running for step in sim.more(10)) > 10


def test_held_caps_bind_at_once_and_everybody_gets_a_turn(run):
    sim = run("balanced")
    sim.more(15)
    before = {request.request_id: request.num_tokens for request in sim.engine.scheduler.running}
    sim.ask(Op.SET_LIMITS, group_caps=(2, 2, 2, 2), flags=Flag.HOLD)
    held = sim.more(3)
    assert max(step.requests for step in held[8:] if step.kind == Kind.DECODE) == 2
    assert max(step.held for step in held) > 0
    assert all(
        request.num_tokens > before[request.request_id]
        for request in sim.engine.scheduler.running
        if request.request_id in before
    )


def test_closed_admission_lets_running_requests_finish_and_opens_again(run):
    sim = run("balanced")
    sim.more(10)
    sim.ask(Op.CLOSE_ADMISSION)
    sim.more(20)
    assert not sim.engine.core.busy
    assert sim.engine.scheduler.get_request_counts()[1] > 10
    sim.ask(Op.OPEN_ADMISSION)
    assert max(step.running for step in sim.more(5)) > 10


def test_caps_heal_a_collapsed_pipeline(run):
    sim = run("collapse")
    sim.more(15)
    before = sim.more(15)
    sim.ask(Op.SET_LIMITS, group_caps=EIGHT_EACH)
    sim.more(10)
    after = sim.more(15)
    assert empty_steps(after) < empty_steps(before) / 10
    assert max(step.requests for step in after) <= 8


def test_a_cap_above_what_is_compiled_is_refused(run):
    answer = run("balanced").engine.probe.ask_directly(Request(Op.SET_LIMITS, 1, group_caps=(9, 0, 0, 0)))
    assert answer.status == Status.INVALID
    assert "1..8" in answer.text


def test_the_limits_of_v0_cannot_be_changed_yet(run):
    answer = run("v0").engine.probe.ask_directly(Request(Op.SET_LIMITS, 1, max_num_seqs=4))
    assert answer.status == Status.UNAVAILABLE
    assert "max_num_seqs=8 holds in each of 4 schedulers: 32 in all" in answer.text


def test_the_names_are_refused_where_the_real_vllm_is_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", pytest)
    with pytest.raises(RuntimeError, match="vLLM is loaded"):
        vllm_names.install()
