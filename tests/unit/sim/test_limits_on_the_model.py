"""The probe of a real engine on the model: what it shows, and that its limits are kept."""

from __future__ import annotations

import pytest

from rblntopd.probe.limits import LimitError
from rblntopd.probe.ring_format import Kind, Step
from rblntopd.sim.engine import vllm_names


@pytest.fixture
def run(start_sim, read_records):
    """Starts a scenario; each call of ``more`` runs it on and gives the new records."""

    class Run:
        def __init__(self, name):
            self.engine = start_sim(name)
            self._next = 0

        def more(self, seconds) -> list[Step]:
            clock = self.engine.clock
            end_ns = clock.now_ns() + seconds * 10**9
            while clock.now_ns() < end_ns:
                self.engine.turn()
            ring = self.engine.probe.recorder.ring
            assert self.engine.scheduler._rblntop is not None
            found = read_records(ring.path, self._next)
            self._next += len(found)
            return found

    return Run


def test_the_description_says_simulated(run):
    description = run("balanced").engine.probe.facts.description
    assert description["simulated"] is True
    assert description["name"] == "sim-balanced/0"
    assert (description["vllm_version"], description["notice"]) == ("0.30.0", "")
    assert description["scheduler_class"].startswith("rblntopd.sim.engine.")
    assert description["decode_buckets"] == [1, 2, 4, 8]
    assert all(control["available"] for control in description["controls"].values())


def test_a_lowered_max_num_seqs_drains_and_preempts_nobody(run):
    sim = run("balanced")
    sim.more(20)
    assert len(sim.engine.scheduler.running) > 12
    sim.engine.probe.set_limits(max_num_seqs=12)
    draining, settled = sim.more(10), sim.more(10)
    assert sum(step.preempted for step in draining + settled) == 0
    assert {step.generation for step in settled} == {1}
    assert max(step.running for step in settled) == 12
    assert min(step.waiting for step in settled) > 0


def test_uneven_group_caps_are_exact_and_can_be_taken_back(run):
    sim = run("balanced")
    sim.more(10)
    sim.engine.probe.set_limits(group_caps={0: 1, 1: 2, 2: 3, 3: 4})
    sim.more(15)
    capped = [step for step in sim.more(10) if step.kind == Kind.DECODE]
    assert {group: max(step.requests for step in capped if step.group == group) for group in range(4)} == {
        0: 1, 1: 2, 2: 3, 3: 4,
    }  # fmt: skip
    sim.engine.probe.set_limits(group_caps=dict.fromkeys(range(4), 8))
    sim.more(15)
    assert max(step.running for step in sim.more(10)) > 10


def test_caps_heal_a_collapsed_pipeline(run):
    sim = run("collapse")
    sim.more(20)
    before = sim.more(20)
    sim.engine.probe.set_limits(group_caps=dict.fromkeys(range(4), 8))
    sim.more(10)
    after = sim.more(20)
    empty = [sum(s.run_length for s in steps if s.kind == Kind.EMPTY) for steps in (before, after)]
    assert empty[1] < empty[0] / 10
    assert max(step.requests for step in after) <= 8


def test_a_cap_above_what_is_compiled_is_refused(run):
    sim = run("balanced")
    with pytest.raises(LimitError, match=r"1\.\.8"):
        sim.engine.probe.set_limits(group_caps={0: 9})


def test_the_limits_of_v0_cannot_be_changed_yet(run):
    sim = run("v0")
    with pytest.raises(LimitError, match="max_num_running_reqs=32, not max_num_seqs=8"):
        sim.engine.probe.set_limits(max_num_seqs=4)


def test_the_names_are_refused_where_the_real_vllm_is_loaded(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "vllm", pytest)
    with pytest.raises(RuntimeError, match="vLLM is loaded"):
        vllm_names.install()
