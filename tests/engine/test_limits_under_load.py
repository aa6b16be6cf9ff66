"""Limits that change while the real scheduler is under load: exact when settled, and harmless on the way."""

from __future__ import annotations

import pytest
from engine_harness.control_client import ControlClient
from engine_harness.engine_in_process import EngineInProcess
from engine_harness.fairness import admissions_above, longest_wait_in_decode_steps, settled_decodes
from engine_harness.ring_file import RingFile
from engine_harness.sustained_load import SustainedLoad

from rblntopd.probe.control_format import Status
from rblntopd.probe.ring_format import Kind

SETTLED_STEPS = 400


class LimitedEngine:
    """An engine under sustained load, its ring and its control socket."""

    def __init__(self, engine: EngineInProcess, ring: RingFile) -> None:
        self.engine, self.ring = engine, ring
        self.load = SustainedLoad(engine)
        self.control = ControlClient(ring.path)
        self._run_settled()

    def change(self, admission: int, **limits: object) -> dict[int, set[int]]:
        """Change limits, run until settled and then for a while; the decode batches by group of that while.

        Checks on the way that draining never admits above the target.
        """
        answer = self.control.set_limits(**limits, while_waiting=self.load.step)
        assert answer.status == Status.OK, answer.text
        assert self.ring.limits().admission == admission
        self.load.step_until(lambda: self.ring.limits().settled_step > 0)
        settled = self.ring.limits().settled_step
        self.load.step()
        draining = self.engine.observer.scheduled[answer.step :]
        assert admissions_above(draining, admission) == []
        assert self.engine.observer.scheduled[settled].running <= admission
        self.load.step_until(lambda: self.engine.observer.scheduled[-1].running == admission)
        start = len(self.engine.observer.scheduled)
        self._run_settled()
        steps = self.engine.observer.scheduled[start:]
        assert max(seen.running for seen in steps) == admission
        shown = self.ring.limits()
        assert shown.max_num_seqs_effective == admission
        assert shown.cap_effective == shown.cap_targets
        return settled_decodes(steps, quiet=4 * self.engine.pp)

    def _run_settled(self) -> None:
        for _ in range(SETTLED_STEPS):
            self.load.step()

    def finish(self) -> None:
        """Let everything finish; check that nothing was lost, preempted, starved or too large."""
        self.load.finish()
        assert self.ring.fault == ""
        observer = self.engine.observer
        sent = self.load.sent
        assert self.engine.output_tokens == {rid: planned.output_tokens for rid, planned in sent.items()}
        assert not observer.preemptions
        # Batches are filled from the head of the running list, as in stock. Each time the even share shrinks,
        # what no longer fits waits for one more round; with two groups there is at most one such round.
        rounds = 2 if self.engine.pp <= 2 else 3
        assert longest_wait_in_decode_steps(observer.scheduled) <= rounds * self.engine.pp
        decodes = [seen for seen in observer.scheduled if seen.kind == Kind.DECODE]
        assert max(seen.requests for seen in decodes) <= self.engine.largest_bucket


@pytest.fixture
def limited(start_engine, runtime_dir):
    """Start an engine under sustained load."""
    controls = []

    def start(**settings):
        engine = start_engine(**settings)
        started = LimitedEngine(engine, RingFile.only_one_in(runtime_dir))
        controls.append(started.control)
        return started

    yield start
    for control in controls:
        control.close()


def test_max_num_seqs_down_and_up_again(limited):
    engine = limited(pp=2, max_num_seqs=8)
    assert engine.change(admission=4, max_num_seqs=4) == {0: {2}, 1: {2}}
    assert engine.change(admission=8, max_num_seqs=8) == {0: {4}, 1: {4}}
    engine.finish()


def test_group_caps_are_exact_batch_sizes(limited):
    engine = limited(pp=2, max_num_seqs=8)
    assert engine.change(admission=6, group_caps=(2, 4)) == {0: {2}, 1: {4}}
    assert engine.change(admission=4, group_caps=(1, 3)) == {0: {1}, 1: {3}}
    assert engine.change(admission=8, group_caps=(4, 4)) == {0: {4}, 1: {4}}
    engine.finish()


def test_both_limits_together(limited):
    engine = limited(pp=2, max_num_seqs=8)
    assert engine.change(admission=5, max_num_seqs=5, group_caps=(2, 4)) == {0: {2}, 1: {3}}
    engine.finish()


@pytest.mark.parametrize(("pp", "start", "target"), [(2, 8, 5), (4, 16, 9), (4, 32, 9), (4, 16, 6)])
def test_a_target_that_is_no_multiple_of_pp(limited, pp, start, target):
    engine = limited(pp=pp, max_num_seqs=start)
    engine.change(admission=target, max_num_seqs=target)
    engine.finish()


def test_a_ceiling_that_is_no_multiple_of_pp(limited):
    engine = limited(pp=2, max_num_seqs=9)
    refused = engine.control.set_limits(max_num_seqs=9, while_waiting=engine.load.step)
    assert refused.status == Status.INVALID
    assert "8" in refused.text
    assert engine.change(admission=8, max_num_seqs=8) == {0: {4}, 1: {4}}
    assert engine.change(admission=3, max_num_seqs=3)
    engine.finish()


def test_the_lowest_values(limited):
    engine = limited(pp=2, max_num_seqs=8)
    assert engine.change(admission=2, max_num_seqs=2) == {0: {1}, 1: {1}}
    assert engine.change(admission=2, max_num_seqs=8, group_caps=(1, 1)) == {0: {1}, 1: {1}}
    engine.finish()


def test_four_groups(limited):
    engine = limited(pp=4, max_num_seqs=16)
    assert engine.change(admission=10, group_caps=(1, 2, 3, 4)) == {0: {1}, 1: {2}, 2: {3}, 3: {4}}
    assert engine.change(admission=8, max_num_seqs=8, group_caps=(4, 4, 4, 4)) == {
        group: {2} for group in range(4)
    }
    engine.finish()


def test_max_num_seqs_on_the_plain_scheduler(limited):
    engine = limited(pp=2, max_num_seqs=8, rbln=False)
    engine.change(admission=4, max_num_seqs=4)
    engine.change(admission=8, max_num_seqs=8)
    engine.finish()


def test_the_generation_of_every_record_is_the_one_it_ran_under(limited):
    engine = limited(pp=2, max_num_seqs=8)
    first = engine.control.set_limits(max_num_seqs=4, while_waiting=engine.load.step)
    assert first.generation == 1
    for _ in range(50):
        engine.load.step()
    second = engine.control.set_limits(group_caps=(1, 3), while_waiting=engine.load.step)
    engine.finish()
    engine.engine.shutdown()
    for step in engine.ring.new_steps():
        expected = 0 if step.step <= first.step else 1 if step.step <= second.step else 2
        if step.kind != Kind.EMPTY:
            assert step.generation == expected


def test_a_refused_change_changes_nothing(limited):
    engine = limited(pp=2, max_num_seqs=8)
    before = engine.ring.limits()
    for request in (
        {"max_num_seqs": 1},
        {"max_num_seqs": 9},
        {"group_caps": (5, 1)},
        {"group_caps": (1, 1, 1)},
        {"max_num_seqs": 4, "group_caps": (0, 9)},
    ):
        refused = engine.control.set_limits(**request, while_waiting=engine.load.step)
        assert refused.status == Status.INVALID, request
        assert refused.text
    assert engine.ring.limits() == before
    assert engine.engine.scheduler.max_num_running_reqs == 8
    engine.finish()


def test_an_idle_engine_accepts_a_change_at_once_and_starts_under_it(start_engine, runtime_dir):
    engine = start_engine(pp=2, max_num_seqs=8)
    ring = RingFile.only_one_in(runtime_dir)
    control = ControlClient(ring.path)
    answer = control.set_limits(max_num_seqs=4)
    assert (answer.status, answer.generation, answer.step) == (Status.OK, 1, 0)
    load = SustainedLoad(engine)
    for _ in range(SETTLED_STEPS):
        load.step()
    load.finish()
    assert max(seen.running for seen in engine.observer.scheduled) == 4
    control.close()
