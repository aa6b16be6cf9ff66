"""The probe of one scheduler: ties recorder, limits and control socket together, and fails alone.

Whatever goes wrong in here, the engine goes on: the first fault switches the probe off, gives the scheduler
its own limits back, and says so in the ring and in one log line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, cast

from rblntopd.probe import clock, ending
from rblntopd.probe.admission import Admission
from rblntopd.probe.changes import Changes
from rblntopd.probe.control_format import Answer, Op, Request, Status
from rblntopd.probe.control_server import ControlServer
from rblntopd.probe.description import EngineFacts
from rblntopd.probe.enforcement import Enforcement
from rblntopd.probe.limits import LimitState
from rblntopd.probe.limits_block import limits_block
from rblntopd.probe.plugin import logger
from rblntopd.probe.recorder import EMPTY, PREFILL, STOP_GROUP_CAPS, STOP_MAX_NUM_SEQS, Recorder
from rblntopd.probe.request_table import RequestTable
from rblntopd.probe.ring_format import JournalEntry, Live, ProbeState
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.sampler import INTERVAL_NS, Sampler
from rblntopd.probe.step_log import COMPLETED_FIELDS, Completed, Scheduled, StepLog
from rblntopd.probe.waiting import second_queue

#: A step waits so long for the probe's lock, which is held for microseconds; then the probe ends.
LOCK_TIMEOUT_S = 1.0


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
        self.scheduler = scheduler
        self.second_waiting = second_queue(scheduler)
        self._now = clock.monotonic_ns
        self._next_sample_ns = 0
        self._looked_at = -1
        self._shown_running = -1
        self._detaching = False

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
                self.show_change()
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
        # A simulated engine has a clock of its own, and our cost is real.
        began_ns = time.perf_counter_ns()
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
            running = len(self.scheduler.running)
            state.end_step(recorder.step, running)
            if state.settled_step or running != self._shown_running:
                self._show_limits()
        if may_sample and now_ns >= self._next_sample_ns:
            self._next_sample_ns = now_ns + INTERVAL_NS
            self._sampler.sample(now_ns)
            recorder.ring.set_live(Live.PROBE_NS, self.cost_ns)
            recorder.ring.set_live(Live.PROBE_STEPS, self.cost_steps)
        self._plan()
        self.cost_ns += time.perf_counter_ns() - began_ns

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
            self.show_change()
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

    def show_change(self) -> None:
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
                    self.show_change()
                if self._detaching:
                    ending.detach(self)
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
                self.show()

    # --- state -------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Fill a new ring with what is true now."""
        ring = self.recorder.ring
        ring.set_live(Live.STEP, self.recorder.step)
        self._show_limits()
        ring.set_live(Live.STATE, ProbeState.LIVE)

    def fault(self, error: Exception) -> None:
        """Switch the probe off for good; the engine goes on with the limits it was started with."""
        ending.switch_off(self, error)

    def hang_up(self) -> None:
        """No more questions."""
        if self.server is not None:
            self.server.close()

    def _detach_soon(self) -> None:
        """After the answer was sent."""
        self._detaching = True
