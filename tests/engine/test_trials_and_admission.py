"""Changes on trial, admission, reset, detach and start-up limits, on the real schedulers in virtual time."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from engine_harness.ring_file import RingFile
from engine_harness.sustained_load import SustainedLoad

from rblntopd.probe import rbln_budget
from rblntopd.probe.control_format import Flag, Op, Request, Status
from rblntopd.probe.ring_format import Action, LimitFlags, Live, ProbeState

PLAIN = pytest.param(False, id="plain")
RBLN = pytest.param(True, id="rbln")


class TriedEngine:
    """One engine under load, asked directly, with its ring."""

    def __init__(self, engine, runtime_dir):
        self.engine, self.ring = engine, RingFile.only_one_in(runtime_dir)
        self.load = SustainedLoad(engine)
        self.probe = engine.scheduler._rblntop

    def ask(self, op, **fields):
        return self.probe.ask_directly(Request(op, 1, caller="uid 7 (ops)", **fields))

    def try_limits(self, max_num_seqs, ttl_ms=60_000, change_id="a"):
        answer = self.ask(Op.SET_LIMITS, max_num_seqs=max_num_seqs, ttl_ms=ttl_ms, change_id=change_id)
        assert answer.status == Status.OK
        return answer

    def run(self, steps=200):
        for _ in range(steps):
            self.load.step()

    def target(self):
        return self.ring.limits().max_num_seqs_target

    def decodes_by_group(self, steps):
        """The largest decode batch of each group of late, steps that admitted somebody left out."""
        largest = {}
        for seen in self.engine.observer.scheduled[-steps:]:
            if seen.decoding and not seen.new_requests:
                largest[seen.group] = max(largest.get(seen.group, 0), len(seen.decoding))
        return largest

    def actions(self):
        return [Action(entry.action) for entry in self.ring.journal()]


@pytest.fixture
def tried(start_engine, runtime_dir):
    def start(**settings):
        return TriedEngine(start_engine(**{"pp": 2, "max_num_seqs": 8, **settings}), runtime_dir)

    return start


def test_the_time_of_a_trial_runs_from_when_it_has_settled(tried):
    engine = tried()
    engine.run()
    start_ns = engine.engine.clock.now_ns()
    engine.try_limits(2, ttl_ms=5)
    assert engine.ring.limits().trial_deadline_ns == 0
    engine.load.step_until(lambda: engine.ring.limits().settled_step > 0)
    # The drain took longer than the ttl.
    assert engine.engine.clock.now_ns() - start_ns > 5_000_000
    engine.load.step_until(lambda: engine.ring.limits().trial_generation == 0)
    assert engine.target() == 0
    assert engine.actions() == [Action.TRY, Action.REVERT]
    started, reverted = engine.ring.journal()
    assert reverted.generation == started.generation + 1
    assert (started.caller, reverted.caller) == (b"uid 7 (ops)", b"probe")
    assert (reverted.change_id, reverted.old_max_num_seqs, reverted.new_max_num_seqs) == (b"a", 2, 0)


def test_a_trial_on_an_idle_engine_is_undone_by_the_clock_alone(start_engine, runtime_dir):
    engine = start_engine(pp=2, max_num_seqs=8)
    ring = RingFile.only_one_in(runtime_dir)
    request = Request(Op.SET_LIMITS, 1, ttl_ms=50, max_num_seqs=4, change_id="a")
    assert engine.scheduler._rblntop.ask_directly(request).status == Status.OK
    _until(lambda: ring.limits().trial_deadline_ns > 0)
    # No step, no question, no daemon: only time passes.
    engine.clock.wait_until(engine.clock.now_ns() + 60_000_000)
    _until(lambda: ring.limits().trial_generation == 0)
    assert ring.limits().max_num_seqs_target == 0
    assert engine.scheduler.max_num_running_reqs == 8


def test_a_trial_that_never_settles_is_undone_all_the_same(tried):
    engine = tried()
    engine.run()
    engine.try_limits(2, ttl_ms=1000)
    # The device hangs: an hour without a step.
    engine.engine.clock.wait_until(engine.engine.clock.now_ns() + 3601 * 10**9)
    _until(lambda: engine.ring.limits().trial_generation == 0)
    assert engine.target() == 0


def test_what_is_kept_stays_and_what_is_undone_goes_back(tried):
    engine = tried()
    engine.run()
    engine.try_limits(6)
    assert engine.ask(Op.CONFIRM, change_id="b").status == Status.WRONG_ID
    assert engine.ask(Op.CONFIRM, change_id="a").status == Status.OK
    engine.try_limits(4)
    refused = engine.ask(Op.SET_LIMITS, max_num_seqs=5)
    assert (refused.status, refused.text) == (
        Status.TRIAL_PENDING,
        "change a is on trial: keep it or undo it first",
    )
    assert engine.ask(Op.CANCEL, change_id="a").status == Status.OK
    assert engine.target() == 6
    late = engine.ask(Op.CONFIRM, change_id="a")
    assert (late.status, late.text) == (Status.NO_TRIAL, "no change is on trial; change a was undone")
    engine.engine.clock.wait_until(engine.engine.clock.now_ns() + 120 * 10**9)
    engine.run()
    assert engine.target() == 6
    engine.load.finish()


def test_validation_gives_the_verdict_and_changes_nothing(tried):
    engine = tried()
    before = engine.ring.limits()
    asked = {"max_num_seqs": 5, "flags": Flag.VALIDATE_ONLY | Flag.EXPECT_GENERATION}
    verdict = engine.ask(Op.SET_LIMITS, **asked)
    assert engine.ring.limits() == before
    assert engine.actions() == []
    done = engine.ask(Op.SET_LIMITS, max_num_seqs=5, flags=Flag.EXPECT_GENERATION)
    assert (verdict.status, verdict.text) == (done.status, done.text)
    assert (verdict.generation, done.generation) == (0, 1)
    raced = engine.ask(Op.SET_LIMITS, **asked)
    assert (raced.status, raced.generation) == (Status.CONFLICT, 1)


@pytest.mark.parametrize("rbln", [RBLN, PLAIN])
def test_group_caps_are_exact(tried, rbln):
    engine = tried(rbln=rbln)
    engine.run()
    assert engine.ask(Op.SET_LIMITS, group_caps=(1, 3)).status == Status.OK
    engine.load.step_until(lambda: engine.ring.limits().settled_step > 0)
    engine.run(300)
    assert engine.decodes_by_group(200) == {0: 1, 1: 3}
    engine.load.finish()


def test_group_caps_outlive_the_detaching_of_another_engine_of_the_process(tried):
    engine = tried()
    engine.run()
    assert engine.ask(Op.SET_LIMITS, group_caps=(1, 3)).status == Status.OK
    engine.load.step_until(lambda: engine.ring.limits().settled_step > 0)
    # It saw no limits just before these were set, and its thread was late.
    rbln_budget.uninstall()
    engine.run(300)
    assert engine.decodes_by_group(200) == {0: 1, 1: 3}
    engine.load.finish()


@pytest.mark.parametrize("rbln", [RBLN, PLAIN])
def test_hold_enforces_caps_at_once_and_gives_everybody_a_turn(tried, rbln):
    engine = tried(rbln=rbln)
    engine.run(400)
    seen = engine.engine.observer.scheduled
    assert seen[-1].running == 8
    answer = engine.ask(Op.SET_LIMITS, group_caps=(1, 2), flags=Flag.HOLD)
    running = [request.request_id for request in engine.engine.scheduler.running]
    engine.run(40)
    held = seen[answer.step : answer.step + 40]
    sizes = {}
    for step in held:
        if step.decoding:
            sizes.setdefault(step.group, []).append(len(set(step.decoding) & set(running)))
    assert {group: max(found) for group, found in sizes.items()} == {0: 1, 1: 2}
    decoded = {key for step in held for key in step.decoding}
    assert set(running) <= decoded | set(engine.engine.finish_reasons)
    sample = engine.ring.sample()
    assert sample.held > 0
    assert 0 < sample.held_turns <= 8
    assert engine.ring.limits().flags & LimitFlags.HOLD
    engine.load.finish()


@pytest.mark.parametrize("rbln", [RBLN, PLAIN])
def test_closed_admission_lets_running_requests_finish_and_opens_by_itself(tried, rbln):
    engine = tried(rbln=rbln)
    engine.run()
    assert engine.ask(Op.CLOSE_ADMISSION, ttl_ms=3_600_000).status == Status.OK
    while engine.engine.busy:
        engine.engine.step()
    limits = engine.ring.limits()
    assert limits.flags & LimitFlags.CLOSED
    assert engine.engine.scheduler.get_request_counts() == (0, 6)
    engine.engine.clock.wait_until(limits.closed_until_ns)
    # An idle engine sleeps on its input: it is woken, and not by a step of its own.
    _until(lambda: engine.engine.busy)
    engine.load.finish()
    assert engine.actions() == [Action.CLOSE, Action.REOPEN]
    sent = engine.load.sent
    assert engine.engine.output_tokens == {key: planned.output_tokens for key, planned in sent.items()}


def test_a_pause_of_vllm_itself_is_not_cleared_and_does_not_clear_ours(tried):
    engine = tried()
    scheduler = engine.engine.scheduler
    paused, unpaused = type(scheduler.pause_state).PAUSED_ALL, type(scheduler.pause_state).UNPAUSED
    assert engine.ask(Op.CLOSE_ADMISSION).status == Status.OK
    scheduler.set_pause_state(paused)
    assert engine.ask(Op.OPEN_ADMISSION).text == "the scheduler stays paused by somebody else (vLLM's /pause)"
    assert scheduler.pause_state == paused
    assert engine.ask(Op.OPEN_ADMISSION).status == Status.REFUSED
    assert engine.ask(Op.CLOSE_ADMISSION).status == Status.OK
    scheduler.set_pause_state(unpaused)
    assert scheduler.pause_state == type(paused).PAUSED_NEW
    assert engine.ask(Op.OPEN_ADMISSION).status == Status.OK
    assert scheduler.pause_state == unpaused
    engine.load.step()
    engine.load.finish()


def test_reset_ends_a_trial_and_goes_back_to_the_start(tried):
    engine = tried()
    engine.run()
    assert engine.ask(Op.SET_LIMITS, group_caps=(1, 3)).status == Status.OK
    engine.try_limits(4)
    assert engine.ask(Op.RESET).status == Status.OK
    limits = engine.ring.limits()
    assert (limits.trial_generation, limits.max_num_seqs_target, limits.cap_targets[:2]) == (0, 0, (0, 0))
    assert engine.engine.scheduler.max_num_running_reqs == 8
    assert "nothing to reset" in engine.ask(Op.RESET).text
    engine.load.finish()


def test_detach_gives_the_scheduler_its_own_methods_back(tried):
    engine = tried()
    engine.run()
    scheduler = engine.engine.scheduler
    probed = type(scheduler)
    assert engine.ask(Op.SET_LIMITS, group_caps=(1, 3)).status == Status.OK
    assert engine.ask(Op.DETACH).status == Status.OK
    _until(lambda: engine.ring.live(Live.STATE) == ProbeState.DETACHED)
    assert type(scheduler) is probed.__mro__[1]
    assert scheduler.max_num_running_reqs == 8
    assert engine.actions()[-2:] == [Action.RESET, Action.DETACH]
    # A step that waited for the lock meanwhile, with a question before it.
    engine.probe.ask()
    engine.probe.begin()
    assert engine.ring.live(Live.STATE) == ProbeState.DETACHED
    assert _is_locked(engine.ring.path)
    engine.load.finish()
    sent = engine.load.sent
    assert engine.engine.output_tokens == {key: planned.output_tokens for key, planned in sent.items()}


def test_nothing_is_accepted_any_more_once_a_detach_is(tried):
    """The answer comes first, the detaching a moment later: a change in between would stay for good."""
    engine = tried()
    engine.run()
    assert engine.ask(Op.DETACH).status == Status.OK
    for asked in (
        Request(Op.SET_LIMITS, 2, max_num_seqs=2),
        Request(Op.SET_LIMITS, 3, max_num_seqs=2, ttl_ms=1, change_id="a"),
        Request(Op.CLOSE_ADMISSION, 4),
    ):
        assert engine.probe.ask_directly(asked).status == Status.REFUSED
    engine.load.step()
    _until(lambda: engine.ring.live(Live.STATE) == ProbeState.DETACHED)
    scheduler = engine.engine.scheduler
    assert (scheduler.max_num_running_reqs, scheduler.pause_state) == (8, 0)
    engine.load.finish()


def test_an_engine_starts_throttled(start_engine, runtime_dir, tmp_path, monkeypatch):
    settings = tmp_path / "limits.toml"
    settings.write_text("max_num_seqs = 6\ngroup_caps = [2, 4]\n")
    monkeypatch.setenv("RBLNTOP_LIMITS", str(settings))
    monkeypatch.setenv("RBLNTOP_MAX_NUM_SEQS", "4")
    engine = TriedEngine(start_engine(pp=2, max_num_seqs=8), runtime_dir)
    assert engine.actions() == [Action.START]
    engine.run()
    assert max(seen.running for seen in engine.engine.observer.scheduled) == 4
    assert engine.ring.limits().cap_targets[:2] == (2, 4)
    assert engine.ask(Op.RESET).status == Status.OK
    engine.load.step_until(lambda: engine.engine.observer.scheduled[-1].running == 8)
    engine.load.finish()


def test_start_up_limits_that_cannot_be_are_ignored_and_said(start_engine, runtime_dir, monkeypatch):
    monkeypatch.setenv("RBLNTOP_GROUP_CAPS", "2,9")
    start_engine(pp=2, max_num_seqs=8)
    ring = RingFile.only_one_in(runtime_dir)
    assert ring.limits().generation == 0
    assert ring.description["notice"] == "start-up limits are ignored: cap of group 1=9 is not in 1..4"


def test_start_up_limits_in_a_pipe_do_not_keep_the_engine_from_starting(
    start_engine, runtime_dir, tmp_path, monkeypatch
):
    os.mkfifo(tmp_path / "limits.toml")
    monkeypatch.setenv("RBLNTOP_LIMITS", str(tmp_path / "limits.toml"))
    start_engine(pp=2, max_num_seqs=8)
    notice = RingFile.only_one_in(runtime_dir).description["notice"]
    assert notice == f"start-up limits are ignored: {tmp_path}/limits.toml: is not a file"


def test_a_probe_that_fails_opens_what_it_had_closed(tried, monkeypatch):
    engine = tried()
    engine.run()
    assert engine.ask(Op.CLOSE_ADMISSION).status == Status.OK
    engine.probe.fault(RuntimeError("broken"))
    assert engine.engine.scheduler.pause_state == 0
    assert engine.actions()[-1] == Action.FAULT
    engine.load.finish()


def test_a_probe_that_fails_while_vllm_resumes_leaves_nothing_closed(tried, monkeypatch):
    engine = tried()
    engine.run()
    scheduler = engine.engine.scheduler
    assert engine.ask(Op.CLOSE_ADMISSION).status == Status.OK
    monkeypatch.setattr(engine.probe.recorder.ring, "write_limits", _break_down)
    scheduler.set_pause_state(type(scheduler.pause_state).UNPAUSED)
    assert scheduler.pause_state == 0
    engine.load.finish()


def _break_down(*_):
    raise RuntimeError("broken")


def _is_locked(path):
    """Whether another process sees the lock that dies with the engine; a process does not see its own."""
    script = "import fcntl, sys; fcntl.lockf(open(sys.argv[1]), fcntl.LOCK_SH | fcntl.LOCK_NB)"
    asked = subprocess.run([sys.executable, "-c", script, path], stderr=subprocess.PIPE, text=True)
    return "BlockingIOError" in asked.stderr


def _until(reached, timeout_s=30.0):
    """Wait for the probe's own thread."""
    end_s = time.monotonic() + timeout_s
    while not reached():
        assert time.monotonic() < end_s, "not reached"
        time.sleep(0.005)
