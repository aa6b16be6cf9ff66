"""The probe of one scheduler: ties recorder, limits and control socket together, and fails alone.

Whatever goes wrong in here, the engine goes on: the first fault switches the probe off, gives the scheduler
its own limits back, and says so in the ring and in one log line.
"""

from __future__ import annotations

import itertools
import os
import time
import weakref
from collections.abc import Mapping
from threading import Lock
from typing import Any, cast

from rblntopd.probe import clock, quiet_thread
from rblntopd.probe.control_format import Answer, Op, Request, Status
from rblntopd.probe.control_server import ControlServer
from rblntopd.probe.description import EngineFacts, describe
from rblntopd.probe.enforcement import Enforcement, limits_of
from rblntopd.probe.engine_files import create_ring, create_server, prune_dead_rings
from rblntopd.probe.limits import LimitError, LimitState, LimitUnavailableError
from rblntopd.probe.plugin import logger
from rblntopd.probe.recorder import STOP_GROUP_CAPS, STOP_MAX_NUM_SEQS, Recorder
from rblntopd.probe.ring_format import Limits, Live, ProbeState
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.runtime_dir import make_engines_dir, runtime_dir
from rblntopd.probe.sampler import INTERVAL_NS, Sampler
from rblntopd.probe.step_log import COMPLETED_FIELDS, Completed, Scheduled, StepLog

#: A step waits so long for the probe's lock, which is held for microseconds; then the probe ends.
LOCK_TIMEOUT_S = 1.0

_numbers = itertools.count()
_attached: weakref.WeakSet[Probe] = weakref.WeakSet()


class Probe:
    """Everything that rblntop does inside an engine, called around its two step methods."""

    def __init__(
        self,
        scheduler: Any,
        facts: EngineFacts,
        limits: LimitState,
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
        self._lock = Lock()
        self.acquire, self.release = self._lock.acquire, self._lock.release
        """Held during ``schedule()``: limits change between two steps only, never within one."""
        self.recorder = Recorder(scheduler, facts, ring)
        self.enforcement = Enforcement(scheduler, facts, self.recorder.rows, limits)
        self.recorder.limit_holds = self.enforcement.holds_back
        self.log: StepLog = []
        self.due_ns = 0
        """When the log must be read whatever it holds."""
        self.cost_ns = self.cost_steps = 0
        """The probe's own time on the engine's thread, and the steps it took it for."""
        self._sampler = Sampler(scheduler, facts, self.recorder)
        self._scheduler = scheduler
        self._now = clock.monotonic_ns
        self._next_sample_ns = 0
        self._looked_at = -1
        self._shown_running = -1
        self._vanished = False

    @classmethod
    def attach(cls, scheduler: Any, mode: str) -> Probe:
        """Make the probe of a scheduler that was just constructed, with its ring and control socket.

        Raises:
            OSError: there is no place for the ring.
            AttributeError: the scheduler is not like any that we know.
        """
        for name in ("finished_req_ids", "skipped_waiting", "waiting", "running", "requests", "_pause_state"):
            getattr(scheduler, name)
        facts = describe(scheduler, next(_numbers))
        description = facts.description
        directory = make_engines_dir(runtime_dir())
        prune_dead_rings(directory, description["name"])
        limits = limits_of(scheduler, facts, observe_only=mode == "observe")
        path = directory / f"{description['instance_id']}.ring"
        server = None
        if mode != "observe":
            server, why = create_server(path.with_suffix(".sock"))
            limits.max_num_seqs_reason = limits.max_num_seqs_reason or why
            limits.group_cap_reason = limits.group_cap_reason or why
        description["control_socket"] = server.path.name if server else None
        description["controls"] = {
            "max_num_seqs": _control(limits.max_num_seqs_reason),
            "group_cap": _control(limits.group_cap_reason),
        }
        try:
            probe = cls(scheduler, facts, limits, create_ring(path, description, facts.queue_depth), server)
        except OSError:
            if server:
                server.close()
            raise
        probe._show()
        _attached.add(probe)
        quiet_thread.start(probe)
        logger.info("rblntop: recording %s into %s", facts.description["name"], path)
        return probe

    # --- around the scheduler's step methods; none of these raises ---------------------------------------

    def begin(self) -> None:
        """Before ``schedule()``, under the lock, while :attr:`busy`: serve, and set the limits."""
        try:
            if self.asked:
                self.asked = False
                if self.server is not None:
                    self.server.serve(self._handle)
            enforcement = self.enforcement
            state = enforcement.state
            if self.log and (enforcement.active or not state.in_force_step):
                self.read_log(self._now())
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
        finally:
            self._lock.release()

    def give_up(self) -> None:
        """The lock was not let go of: an interrupt hit between two lines of ours."""
        self.fault(TimeoutError(f"the probe's own lock was held for {LOCK_TIMEOUT_S:g} s"))

    def read_log(self, now_ns: int) -> None:
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
                self.cost_steps += 1
        del self.log[: len(entries)]
        if state.in_force_step and not state.settled_step:
            running = len(self._scheduler.running)
            state.end_step(recorder.step, running)
            if state.settled_step or running != self._shown_running:
                self._show_limits()
        if now_ns >= self._next_sample_ns:
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
        self.busy = self.asked or self.enforcement.active or not in_force
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

    def set_limits(
        self, max_num_seqs: int | None = None, group_caps: Mapping[int, int] | None = None
    ) -> list[str]:
        """Change limits, together or not at all, and return warnings. In force from the next step.

        Raises:
            LimitError: a value out of its range, or a limit that this engine does not have.
        """
        with self._lock:
            self.read_log(self._now())
            return self._change(max_num_seqs, group_caps or {})

    def _change(self, max_num_seqs: int | None, group_caps: Mapping[int, int]) -> list[str]:
        recorder = self.recorder
        warnings = self.enforcement.change(
            max_num_seqs,
            group_caps,
            step=recorder.step,
            now_ns=time.monotonic_ns(),
        )
        # An empty run must not span two generations.
        recorder.flush()
        state = self.enforcement.state
        recorder.generation = state.generation
        recorder.admission_stop_at_limit = STOP_GROUP_CAPS if state.admission_from_caps else STOP_MAX_NUM_SEQS
        self._show_limits()
        self._plan()
        return warnings

    def _handle(self, request: Request) -> Answer:
        """Carry out one question from the control socket."""
        # So that the step in the answer is the latest, and not the latest that was read.
        self.read_log(self._now())
        state, step = self.enforcement.state, self.recorder.step

        def answer(status: Status, text: str = "") -> Answer:
            return Answer(status, request.request_id, state.generation, step, text)

        if request.op == Op.HELLO:
            return answer(Status.OK)
        if request.op != Op.SET_LIMITS:
            return answer(Status.MALFORMED, f"unknown operation {request.op}: this probe is older than you")
        caps = {group: cap for group, cap in enumerate(request.group_caps) if cap}
        try:
            warnings = self._change(request.max_num_seqs or None, caps)
        except LimitUnavailableError as error:
            return answer(Status.UNAVAILABLE, str(error))
        except LimitError as error:
            return answer(Status.INVALID, str(error))
        return answer(Status.OK, "\n".join(warnings))

    def _show_limits(self) -> None:
        state, recorder = self.enforcement.state, self.recorder
        running = self._shown_running = len(self._scheduler.running)
        caps = [cap or 0 for cap in state.caps]
        recorder.ring.write_limits(
            Limits(
                state.generation, state.accepted_ns, state.accepted_step, state.in_force_step,
                state.settled_step, state.ceiling, state.target if state.target_set else 0,
                state.effective(running) if self.enforcement.active else state.start,
                state.admission, state.group_count, state.cap_ceiling, state.floor, 0,
                tuple(caps),
                tuple(state.batch_cap(group) if cap else 0 for group, cap in enumerate(caps)),
                tuple(state.excess),
            )
        )  # fmt: skip

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
                if recorder.step + len(self.log) == self._looked_at:
                    # No step since: what is there is all there is to come for now.
                    self.read_log(self._now())
                    recorder.flush()
                    self._sampler.sample(self._now())
                self._looked_at = recorder.step + len(self.log)
                recorder.ring.set_live(Live.CONTROL_NS, time.monotonic_ns())
            except Exception as error:  # noqa: BLE001 - as above
                self.fault(error)

    def restore_files(self) -> None:
        """Make again what somebody cleaned away, with the sequence numbers going on. On the quiet thread.

        The file system may be slow: only the swap holds the lock that a step would wait for.
        """
        old, server = self.recorder.ring, self.server
        new_ring = new_server = None
        try:
            if old.vanished:
                make_engines_dir(runtime_dir())
                new_ring = create_ring(old.path, self.facts.description, self.facts.queue_depth, old.head)
            if server is not None and not server.path.exists():
                new_server = ControlServer.create(server.path)
        except OSError as error:
            # The limits in force matter more than the records: stay, and try again.
            if not self._vanished and not self.closed:
                logger.warning("rblntop: %s vanished and cannot be made again: %s", old.path, error)
            self._vanished = True
        if new_ring is None and new_server is None:
            return
        with self._lock:
            if self.closed:
                return
            self._vanished = False
            if new_server is not None and server is not None:
                self.server = new_server
                server.abandon()
            if new_ring is not None:
                # Steps may have gone into the old one meanwhile.
                new_ring.continue_from(old.head)
                self.recorder.ring = new_ring
                old.close()
                self._show()
        logger.warning("rblntop: %s had vanished and was made again", old.path)

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
        try:
            if self.enforcement.active:
                self.enforcement.active = False
                self.enforcement.restore()
            self.recorder.ring.set_fault(text)
            if self.server is not None:
                self.server.close()
        except Exception:  # noqa: BLE001 - as above
            logger.warning("rblntop: and could not say so in its ring", exc_info=True)

    def forget_in_child(self) -> None:
        """A fork: the child has neither our thread nor our lock's owner, and must not write our ring."""
        self._scheduler._rblntop = None
        self.closed = True


def _control(reason: str) -> dict[str, Any]:
    return {"available": not reason, "reason": reason}


def _forget_all_in_child() -> None:
    for probe in list(_attached):
        probe.forget_in_child()


os.register_at_fork(after_in_child=_forget_all_in_child)
