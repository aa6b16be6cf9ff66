"""The probe of one scheduler: ties recorder, limits and control socket together, and fails alone.

Whatever goes wrong in here, the engine goes on: the first fault switches the probe off, gives the scheduler
its own limits back, and says so in the ring and in one log line.
"""

from __future__ import annotations

import itertools
import os
import time
import weakref
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any, cast

from rblntopd.probe import clock, quiet_thread, rbln_budget
from rblntopd.probe.admission import Admission, core_under_construction
from rblntopd.probe.changes import Changes
from rblntopd.probe.control_format import Answer, Op, Request, Status
from rblntopd.probe.control_server import ControlServer
from rblntopd.probe.description import EngineFacts, describe
from rblntopd.probe.enforcement import Enforcement, limits_of
from rblntopd.probe.engine_files import create_ring, create_server, prune_dead_rings
from rblntopd.probe.limits import LimitState
from rblntopd.probe.limits_block import limits_block
from rblntopd.probe.plugin import logger
from rblntopd.probe.recorder import EMPTY, PREFILL, STOP_GROUP_CAPS, STOP_MAX_NUM_SEQS, Recorder
from rblntopd.probe.request_table import RequestTable
from rblntopd.probe.ring_format import JournalEntry, Live, ProbeState
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.runtime_dir import make_engines_dir, runtime_dir
from rblntopd.probe.sampler import INTERVAL_NS, Sampler
from rblntopd.probe.start_limits import start_limits
from rblntopd.probe.step_log import COMPLETED_FIELDS, Completed, Scheduled, StepLog
from rblntopd.probe.waiting import second_queue

#: A step waits so long for the probe's lock, which is held for microseconds; then the probe ends.
LOCK_TIMEOUT_S = 1.0

_numbers = itertools.count()
_attached: weakref.WeakSet[Probe] = weakref.WeakSet()
_detached: list[RingWriter] = []
"""Kept for their locks: the engine lives, and its ring says what became of the probe."""


class Probe:
    """Everything that rblntop does inside an engine, called around its two step methods."""

    def __init__(
        self,
        scheduler: Any,
        facts: EngineFacts,
        limits: LimitState,
        admission: Admission,
        ring: RingWriter,
        server: ControlServer | None,
    ) -> None:
        self.facts = facts
        self.server = server
        self.closed = False
        self.busy = False
        """Whether :meth:`begin` has something to do before the next step."""
        self.asked = False
        """Whether the control socket has something for the engine's thread."""
        self.files_missing = False
        """Whether ring or socket vanished and could not be made again so far."""
        self._lock = Lock()
        self.acquire, self.release = self._lock.acquire, self._lock.release
        """Held during ``schedule()``: limits change between two steps only, never within one."""
        self.recorder = Recorder(scheduler, facts, ring)
        self.enforcement = Enforcement(scheduler, facts, self.recorder.rows, limits)
        self.recorder.limit_holds = self.enforcement.holds_back
        self.recorder.held = lambda: self.enforcement.held
        self.changes = Changes(self.enforcement, admission, self._write_journal, self._detach_soon)
        self.log: StepLog = []
        self.due_ns = 0
        """When the log must be read whatever it holds."""
        self.cost_ns = self.cost_steps = 0
        """The probe's own time on the engine's thread, and the steps it took it for."""
        self._sampler = Sampler(scheduler, facts, self.recorder, self.enforcement)
        self._requests = RequestTable(scheduler, self.recorder.rows, self.recorder.waits_us)
        self._scheduler = scheduler
        self.second_waiting = second_queue(scheduler)
        self._now = clock.monotonic_ns
        self._next_sample_ns = 0
        self._looked_at = -1
        self._shown_running = -1
        self._detaching = False

    @classmethod
    def attach(cls, scheduler: Any, mode: str) -> Probe:
        """Make the probe of a scheduler that was just constructed, with its ring and control socket.

        Raises:
            OSError: there is no place for the ring.
            AttributeError: the scheduler is not like any that we know.
        """
        for name in ("finished_req_ids", "waiting", "running", "requests", "_pause_state"):
            getattr(scheduler, name)
        facts = describe(scheduler, next(_numbers))
        description = facts.description
        directory = make_engines_dir(runtime_dir())
        prune_dead_rings(directory, description["name"])
        limits = limits_of(scheduler, facts, observe_only=mode == "observe")
        admission = Admission(scheduler, core_under_construction(), observe_only=mode == "observe")
        path = directory / f"{description['instance_id']}.ring"
        server = None
        if mode != "observe":
            server, why = create_server(path.with_suffix(".sock"))
            limits.max_num_seqs_reason = limits.max_num_seqs_reason or why
            limits.group_cap_reason = limits.group_cap_reason or why
            admission.reason = admission.reason or why
        description["control_socket"] = server.path.name if server else None
        description["controls"] = {
            "max_num_seqs": _control(limits.max_num_seqs_reason),
            "group_cap": _control(limits.group_cap_reason),
            "admission": _control(admission.reason),
        }
        started_with, ignored = start_limits(limits)
        if ignored:
            description["notice"] = "; ".join(filter(None, (description["notice"], ignored)))
            logger.warning("rblntop: %s", ignored)
        try:
            ring = create_ring(path, description, facts.queue_depth)
            probe = cls(scheduler, facts, limits, admission, ring, server)
        except OSError:
            if server:
                server.close()
            raise
        if started_with is not None:
            probe.changes.start_with(started_with, step=0)
            probe._changed()
        probe._show()
        _attached.add(probe)
        quiet_thread.start(probe)
        logger.info("rblntop: recording %s into %s", facts.description["name"], path)
        return probe

    # --- around the scheduler's step methods; none of these raises ---------------------------------------

    def begin(self) -> None:
        """Before ``schedule()``, under the lock, while :attr:`busy`: serve, and set the limits."""
        if self.closed:
            # While the engine's thread waited for the lock.
            return
        try:
            if self.asked:
                self.asked = False
                if self.server is not None:
                    self.server.serve(self._handle)
            enforcement = self.enforcement
            state = enforcement.state
            if self.log and (enforcement.needs_rows or not state.in_force_step):
                # Not the moment for a sample: a batch has just completed, and its slot would look free.
                self.read_log(self._now(), may_sample=False)
            if self.changes.timed and self.changes.tick(self.recorder.step):
                self._changed()
            if state.generation and not state.in_force_step:
                state.begin_step(self.recorder.step + 1)
                self._show_limits()
            if enforcement.active and enforcement.begin_step():
                self._show_limits()
        except Exception as error:  # noqa: BLE001 - the engine goes on, whatever is wrong with us
            self.fault(error)

    def _end(self) -> None:
        """After ``schedule()`` with limits of ours, in the place of a bare :attr:`release`."""
        try:
            fault = self.enforcement.end_step()
            if fault is not None:
                self.fault(fault)
        except Exception as error:  # noqa: BLE001 - as above
            self.fault(error)
        finally:
            self._lock.release()

    def give_up(self) -> None:
        """The lock was not let go of: an interrupt hit between two lines of ours."""
        self.fault(TimeoutError(f"the probe's own lock was held for {LOCK_TIMEOUT_S:g} s"))

    def read_log(self, now_ns: int, may_sample: bool = True) -> None:
        """Turn what the steps wrote down into records, and do what is due. Under the lock.

        May raise: the caller switches the probe off.
        """
        recorder, enforcement = self.recorder, self.enforcement
        state = enforcement.state
        # The engine's thread may append meanwhile, so exactly what was read is taken away.
        entries = self.log[:]
        for entry in entries:
            if len(entry) == COMPLETED_FIELDS:
                recorder.completed(cast(Completed, entry))
            else:
                recorder.scheduled(cast(Scheduled, entry))
                if state.targets.hold and recorder.latest_kind not in (EMPTY, PREFILL):
                    enforcement.turns.decoded(cast(Scheduled, entry)[1])
                self.cost_steps += 1
        del self.log[: len(entries)]
        if state.in_force_step and not state.settled_step:
            running = len(self._scheduler.running)
            state.end_step(recorder.step, running)
            if state.settled_step or running != self._shown_running:
                self._show_limits()
        if may_sample and now_ns >= self._next_sample_ns:
            self._next_sample_ns = now_ns + INTERVAL_NS
            self._sampler.sample(now_ns)
            recorder.ring.set_live(Live.PROBE_NS, self.cost_ns)
            recorder.ring.set_live(Live.PROBE_STEPS, self.cost_steps)
        self._plan()
        self.cost_ns += self._now() - now_ns

    def _plan(self) -> None:
        """Which of the next step's hooks have work to do."""
        state = self.enforcement.state
        in_force = not state.generation or bool(state.in_force_step)
        self.busy = self.asked or self.enforcement.active or not in_force or self.changes.timed
        # While limits bind, begin() reads the log before each step, which is when the caps need it.
        every_step = (state.generation and not state.settled_step) or self.recorder.needs_requests
        self.due_ns = 0 if every_step else self._next_sample_ns
        self.release = self._end if self.enforcement.active else self._lock.release

    def close(self) -> None:
        """The engine shuts down in order."""
        if self.closed:
            return
        self.closed = True
        if not self._lock.acquire(timeout=LOCK_TIMEOUT_S):
            return
        try:
            self.read_log(self._now())
            self.recorder.flush()
            if self.server is not None:
                self.server.close()
            self.recorder.ring.close()
        except Exception:  # noqa: BLE001 - as above
            logger.warning("rblntop: the probe did not end cleanly", exc_info=True)
        finally:
            self._lock.release()

    # --- limits ------------------------------------------------------------------------------------------

    def ask_directly(self, request: Request) -> Answer:
        """Carry out a request of this process, as if it had come through the control socket."""
        with self._lock:
            return self._handle(request)

    def set_pause_state(self, wanted: Any, set_state: Callable[[Any], Any]) -> Any:
        """Somebody else pauses or resumes the scheduler, between two steps."""
        if not self._lock.acquire(timeout=LOCK_TIMEOUT_S):
            self.give_up()
            return set_state(wanted)
        try:
            state = wanted
            try:
                state = self.changes.admission.set_by_others(wanted)
                self._show_limits()
            except Exception as error:  # noqa: BLE001 - as above
                self.fault(error)
                # Ours is given back, and nobody could open it later.
                state = wanted
            return set_state(state)
        finally:
            self._lock.release()

    def _handle(self, request: Request) -> Answer:
        """Carry out one question from the control socket."""
        # So that the step in the answer is the latest, and not the latest that was read.
        self.read_log(self._now())
        generation = self.enforcement.state.generation
        if request.op == Op.LIST_REQUESTS:
            return self._list_requests(request)
        answer = self.changes.handle(request, self.recorder.step)
        if self.enforcement.state.generation != generation:
            self._changed()
        else:
            # A trial that was kept or extended makes no generation.
            self._show_limits()
            self._plan()
        return answer

    def _list_requests(self, request: Request) -> Answer:
        """Write the table of requests, and say that it is there. Nothing that limits need depends on it."""
        recorder = self.recorder
        status, text = Status.OK, ""
        try:
            held = self.enforcement.held_ids
            self._requests.write(recorder.ring, recorder.step, self._now(), held)
        except Exception as error:  # noqa: BLE001 - a request that is not like any that we know
            status, text = Status.UNAVAILABLE, f"{type(error).__name__}: {error}"
        return Answer(status, request.request_id, self.enforcement.state.generation, recorder.step, text)

    def _changed(self) -> None:
        """Another generation of limits is in force from the next step."""
        recorder, state = self.recorder, self.enforcement.state
        # An empty run must not span two generations.
        recorder.flush()
        recorder.generation = state.generation
        recorder.admission_stop_at_limit = STOP_GROUP_CAPS if state.admission_from_caps else STOP_MAX_NUM_SEQS
        self._show_limits()
        self._plan()

    def _write_journal(self, entry: JournalEntry) -> None:
        self.recorder.ring.write_journal(entry)

    def _show_limits(self) -> None:
        self._shown_running = self.enforcement.running
        self.recorder.ring.write_limits(limits_block(self.changes))

    # --- the quiet thread --------------------------------------------------------------------------------

    def ask(self) -> None:
        """Have the engine's thread serve before its next step, should it come first."""
        self.asked = self.busy = True

    def serve(self) -> None:
        """Answer what the control socket holds. On the quiet thread."""
        with self._lock:
            try:
                if not self.closed and self.server is not None:
                    self.server.serve(self._handle)
            except Exception as error:  # noqa: BLE001 - as above
                self.fault(error)

    def look(self) -> None:
        """Show what is in flight and give a sign of life, where no step does. On the quiet thread."""
        with self._lock:
            try:
                if self.closed:
                    return
                recorder = self.recorder
                if self.changes.timed and self.changes.tick(recorder.step):
                    self._changed()
                if self._detaching:
                    self._detach()
                    return
                if recorder.step + len(self.log) == self._looked_at:
                    # No step since: what is there is all there is to come for now.
                    self.read_log(self._now())
                    recorder.flush()
                    self._sampler.sample(self._now())
                self._looked_at = recorder.step + len(self.log)
                recorder.ring.set_live(Live.CONTROL_NS, time.monotonic_ns())
            except Exception as error:  # noqa: BLE001 - as above
                self.fault(error)

    def replace_files(self, ring: RingWriter | None, server: ControlServer | None) -> None:
        """Go on with new files in the place of vanished ones. On the quiet thread."""
        with self._lock:
            if self.closed:
                return
            if server is not None and self.server is not None:
                old_server, self.server = self.server, server
                old_server.abandon()
            if ring is not None:
                old = self.recorder.ring
                # Steps may have gone into the old one meanwhile.
                ring.continue_from(old.head)
                ring.take_journal(old)
                self.recorder.ring = ring
                old.close()
                self._show()

    # --- state -------------------------------------------------------------------------------------------

    def _show(self) -> None:
        """Fill a new ring with what is true now."""
        ring = self.recorder.ring
        ring.set_live(Live.STEP, self.recorder.step)
        self._show_limits()
        ring.set_live(Live.STATE, ProbeState.LIVE)

    def fault(self, error: Exception) -> None:
        """Switch the probe off for good; the engine goes on with the limits it was started with."""
        self._scheduler._rblntop = None
        self.closed = True
        text = f"{type(error).__name__}: {error}"
        logger.warning("rblntop: the probe switched itself off: %s", text, exc_info=error)
        for end in (
            partial(self.changes.give_back, self.recorder.step),
            _uninstall_unused_budget,
            partial(self.recorder.ring.set_fault, text),
            self._hang_up,
        ):
            # Each is owed to the engine, whatever became of the one before.
            try:
                end()
            except Exception:  # noqa: BLE001 - as above
                logger.warning("rblntop: and it did not end cleanly", exc_info=True)

    def _hang_up(self) -> None:
        if self.server is not None:
            self.server.close()

    def _detach_soon(self) -> None:
        """After the answer was sent."""
        self._detaching = True

    def _detach(self) -> None:
        """Give the scheduler its own methods back, for good. Under the lock, so outside ``schedule()``."""
        scheduler, ring = self._scheduler, self.recorder.ring
        self.closed = True
        # The attribute stays: a method of ours may just have been entered on the engine's thread.
        scheduler._rblntop = None
        scheduler.__class__ = type(scheduler).__mro__[1]
        _uninstall_unused_budget()
        self.recorder.flush()
        ring.set_live(Live.STATE, ProbeState.DETACHED)
        _detached.append(ring)
        self._hang_up()
        logger.info("rblntop: detached; the engine has its own limits and methods")

    def forget_in_child(self) -> None:
        """A fork: the child has neither our thread nor our lock's owner, and must not write our ring."""
        self._scheduler._rblntop = None
        self.closed = True


def _control(reason: str) -> dict[str, Any]:
    return {"available": not reason, "reason": reason}


def _uninstall_unused_budget() -> None:
    """Give vllm-rbln its own budget back where no engine of this process has its limits changed."""
    if not any(probe.enforcement.active for probe in list(_attached) if not probe.closed):
        rbln_budget.uninstall()


def _forget_all_in_child() -> None:
    for probe in list(_attached):
        probe.forget_in_child()


os.register_at_fork(after_in_child=_forget_all_in_child)
