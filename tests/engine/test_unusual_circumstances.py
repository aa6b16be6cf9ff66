"""Whatever is wrong with us or around us, the engine serves as it would without us."""

from __future__ import annotations

import logging
import pkgutil
import time

import pytest
from engine_harness.control_client import ControlClient
from engine_harness.engine_in_process import drive
from engine_harness.request_load import burst
from engine_harness.ring_file import RingFile
from vllm_rbln.v1.core import rbln_scheduler

from rblntopd.probe import attach
from rblntopd.probe.control_format import Flag, Op, Request, Status
from rblntopd.probe.ring_format import Kind, Live


@pytest.fixture
def probe_log():
    """What the probe logs; vLLM's logger does not pass it on."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append
    logger = logging.getLogger("vllm.rblntop")
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def test_a_runtime_directory_that_cannot_be_written(start_engine, monkeypatch, probe_log):
    monkeypatch.setenv("RBLNTOP_RUNTIME_DIR", "/proc/rblntop")
    engine = start_engine(pp=2)
    load = burst(12, prompt_tokens=40, output_tokens=50)
    drive(engine, load)
    assert engine.output_tokens == {planned.request_id: 50 for planned in load}
    (warning,) = [record.getMessage() for record in probe_log if record.levelno >= logging.WARNING]
    assert "/proc/rblntop" in warning


def test_an_engine_that_cannot_be_attached_to_leaves_nothing_to_ask(
    start_engine, runtime_dir, monkeypatch, probe_log
):
    def no_ring(*_: object) -> None:
        raise ValueError("no ring today")

    monkeypatch.setattr(attach, "create_ring", no_ring)
    engine = start_engine(pp=2)
    load = burst(4, prompt_tokens=40, output_tokens=20)
    drive(engine, load)
    assert engine.output_tokens == {planned.request_id: 20 for planned in load}
    assert [path for path in runtime_dir.rglob("*") if not path.is_dir()] == []
    (warning,) = [record.getMessage() for record in probe_log if record.levelno >= logging.WARNING]
    assert warning == "rblntop: the probe is off: no ring today"


@pytest.mark.parametrize(
    "arrival_time",
    [
        pytest.param(0.0, id="epoch"),
        pytest.param(-1e9, id="before"),
        pytest.param(1e12, id="far ahead"),
    ],
)
def test_an_arrival_time_from_another_clock(start_engine, runtime_dir, monkeypatch, arrival_time):
    """It comes with the request from another process, perhaps another host."""
    engine = start_engine(pp=2)
    ring = RingFile.only_one_in(runtime_dir)
    monkeypatch.setattr(time, "time", lambda: arrival_time)
    for planned in burst(20, prompt_tokens=40, output_tokens=60):
        engine.add(planned)
    monkeypatch.undo()
    while engine.busy:
        engine.step()
    engine.shutdown()
    assert ring.fault == ""
    assert sum(step.finished for step in ring.new_steps()) == 20


def test_batches_whose_output_never_comes_get_a_record_that_says_so(start_engine, runtime_dir):
    """A fault path of the engine clears its queue without processing the outputs."""
    engine = start_engine(pp=4, max_num_seqs=16)
    ring = RingFile.only_one_in(runtime_dir)
    for planned in burst(16, prompt_tokens=20, output_tokens=200):
        engine.add(planned)
    while len(engine.core.batch_queue) < 3 or engine.scheduler.get_request_counts()[1]:
        engine.step()
    before = [seen.step for seen in engine.observer.scheduled if not seen.completed_ns]
    assert len(before) == 3
    engine.core.batch_queue.clear()
    engine.observer.queue_was_cleared()
    for request_id in list(engine.scheduler.requests):
        engine.abort(request_id)
    drive(engine, burst(16, prompt_tokens=20, output_tokens=30, name="after"))
    engine.shutdown()
    lost = [step for step in ring.new_steps() if step.kind == Kind.LOST]
    assert [step.step for step in lost] == before
    assert ring.live(Live.LOST_BATCHES) == len(before)
    assert ring.fault == ""
    assert {rid for rid in engine.output_tokens if rid.startswith("after")} == {
        f"after-{n}" for n in range(16)
    }


def test_requests_given_up_while_they_run_are_counted_out(start_engine, runtime_dir):
    engine = start_engine(pp=2)
    ring = RingFile.only_one_in(runtime_dir)
    for planned in burst(8, prompt_tokens=20, output_tokens=200):
        engine.add(planned)
    for _ in range(60):
        engine.step()
    for number in range(0, 8, 2):
        engine.abort(f"b-{number}")
    while engine.busy:
        engine.step()
    engine.shutdown()
    assert ring.fault == ""
    assert ring.new_steps()[-1].unfinished == 0


def test_a_fault_of_ours_inside_schedule_ends_the_probe_and_not_the_engine(
    start_engine, runtime_dir, monkeypatch
):
    engine = start_engine(pp=2, max_num_seqs=8)
    ring = RingFile.only_one_in(runtime_dir)
    load = burst(12, prompt_tokens=40, output_tokens=50)
    for planned in load:
        engine.add(planned)
    for _ in range(40):
        engine.step()
    asked = Request(Op.SET_LIMITS, 1, max_num_seqs=4, group_caps=(1,))
    assert engine.scheduler._rblntop.ask_directly(asked).status == Status.OK

    def break_down(self, demand):
        raise RuntimeError("broken cap")

    monkeypatch.setattr("rblntopd.probe.rbln_budget.StepCaps.caps", break_down)
    while engine.busy:
        engine.step()
    assert ring.fault == "RuntimeError: broken cap"
    assert engine.output_tokens == {planned.request_id: 50 for planned in load}
    assert engine.scheduler.max_num_running_reqs == 8


@pytest.mark.parametrize(
    ("rbln", "broken"),
    [
        (True, "rblntopd.probe.rbln_budget.enter"),
        (True, "rblntopd.probe.hold.HeldOrder.end_step"),
        (False, "rblntopd.probe.plain_caps.PlainCaps.begin_step"),
        (False, "rblntopd.probe.hold.HeldOrder.end_step"),
    ],
)
def test_a_fault_of_ours_around_schedule_leaves_the_order_of_the_requests(
    start_engine, runtime_dir, monkeypatch, rbln, broken
):
    engine = start_engine(pp=2, max_num_seqs=8, rbln=rbln)
    load = burst(8, prompt_tokens=40, output_tokens=50)
    for planned in load:
        engine.add(planned)
    for _ in range(40):
        engine.step()
    scheduler = engine.scheduler
    asked = Request(Op.SET_LIMITS, 1, Flag.HOLD, group_caps=(1, 2))
    assert scheduler._rblntop.ask_directly(asked).status == Status.OK
    for _ in range(7):
        engine.step()
    before = list(scheduler.running)
    module, _, name = broken.rpartition(".")
    owner = pkgutil.resolve_name(module)
    stock = getattr(owner, name)

    def work_and_break_down(*args):
        stock(*args)
        raise RuntimeError("broken")

    monkeypatch.setattr(owner, name, work_and_break_down)
    for _ in range(4):
        engine.step()
    assert scheduler.running == before
    assert all(request.next_decode_eligible_step == 0 for request in before)
    while engine.busy:
        engine.step()
    assert engine.output_tokens == {planned.request_id: 50 for planned in load}
    assert scheduler.max_num_running_reqs == 8


def test_a_fault_whose_own_end_fails_still_gives_everything_back(start_engine, runtime_dir, monkeypatch):
    engine = start_engine(pp=2, max_num_seqs=8)
    ring = RingFile.only_one_in(runtime_dir)
    for planned in burst(8, prompt_tokens=40, output_tokens=50):
        engine.add(planned)
    probe = engine.scheduler._rblntop
    stock = rbln_scheduler.DecodeBatchBudget
    assert probe.ask_directly(Request(Op.SET_LIMITS, 1, max_num_seqs=4)).status == Status.OK
    for _ in range(40):
        engine.step()
    assert rbln_scheduler.DecodeBatchBudget is not stock

    def break_down(self):
        raise RuntimeError("cannot wake the engine")

    monkeypatch.setattr("rblntopd.probe.admission.Admission.open", break_down)
    probe.fault(RuntimeError("odd \udcff"))
    assert engine.scheduler.max_num_running_reqs == 8
    assert rbln_scheduler.DecodeBatchBudget is stock
    assert ring.fault == "RuntimeError: odd ?"
    assert not probe.server.path.exists()


def test_a_lock_that_was_never_let_go_ends_the_probe_and_not_the_engine(start_engine, runtime_dir):
    """An interrupt can hit between two lines of ours (Ctrl-C with an engine in this process)."""
    engine = start_engine(pp=2, max_num_seqs=8)
    ring = RingFile.only_one_in(runtime_dir)
    load = burst(4, prompt_tokens=40, output_tokens=20)
    for planned in load:
        engine.add(planned)
    engine.step()
    engine.scheduler._rblntop.acquire()
    while engine.busy:
        engine.step()
    assert "the probe's own lock was held" in ring.fault
    assert engine.output_tokens == {planned.request_id: 20 for planned in load}
    engine.shutdown()


def test_requests_aborted_in_the_middle_of_their_prefill_are_forgotten(start_engine, runtime_dir):
    engine = start_engine(pp=2, max_num_seqs=8, max_num_batched_tokens=32)
    load = burst(2, prompt_tokens=900, output_tokens=20)
    for planned in load:
        engine.add(planned)
    for _ in range(3):
        engine.step()
    recorder = engine.scheduler._rblntop.recorder
    assert recorder.prefilling
    for planned in load:
        engine.abort(planned.request_id)
    for planned in burst(4, prompt_tokens=20, output_tokens=100, name="later"):
        engine.add(planned)
    while engine.busy:
        engine.step()
    assert recorder.prefilling == set()


def test_a_ring_and_socket_that_somebody_removed_come_back(start_engine, runtime_dir):
    engine = start_engine(pp=2, max_num_seqs=8)
    ring = RingFile.only_one_in(runtime_dir)
    socket = ring.path.with_suffix(".sock")
    drive(engine, burst(4, prompt_tokens=20, output_tokens=20))
    before = engine.scheduler._rblntop.recorder.ring.head
    assert before
    ring.path.unlink()
    socket.unlink()
    give_up = time.monotonic() + 60
    while engine.scheduler._rblntop.recorder.ring.vanished or not socket.exists():
        assert time.monotonic() < give_up, "neither came back"
    # What the old one got between its end and the swap is gone with it; the numbers go on.
    again = RingFile(ring.path, first=RingFile(ring.path).live(Live.HEAD))
    assert again.live(Live.HEAD) >= before
    assert again.description == ring.description
    control = ControlClient(ring.path)
    answer = control.set_limits(max_num_seqs=4)
    control.close()
    assert answer.status == Status.OK
    load = burst(12, prompt_tokens=20, output_tokens=20, name="after")
    drive(engine, load)
    engine.shutdown()
    steps = [step for step in again.new_steps() if step.kind != Kind.EMPTY]
    assert sum(step.finished for step in steps) == 12
    assert max(step.running for step in steps) == 4
