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
from pathlib import Path
from threading import Lock
from typing import Any

from rblntopd.probe import clock, quiet_thread
from rblntopd.probe.control_format import Answer, Op, Request, Status
from rblntopd.probe.control_server import ControlServer
from rblntopd.probe.description import EngineFacts, describe
from rblntopd.probe.enforcement import Enforcement, limits_of
from rblntopd.probe.limits import LimitError, LimitState, LimitUnavailableError
from rblntopd.probe.plugin import logger
from rblntopd.probe.process import boot_id, start_ticks
from rblntopd.probe.recorder import STOP_GROUP_CAPS, STOP_MAX_NUM_SEQS, Recorder
from rblntopd.probe.ring_format import Limits, Live, ProbeState
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.runtime_dir import make_engines_dir, runtime_dir
from rblntopd.probe.sampler import INTERVAL_NS, Sampler

_numbers = itertools.count()
_attached: weakref.WeakSet[Probe] = weakref.WeakSet()

#: The probe's own time is measured in one step of so many.
COST_EVERY = 16
#: The engine's thread looks at the control socket at most this often.
POLL_NS = 1_000_000
#: How often the quiet thread looks whether the ring still has its name.
VANISHED_NS = 500_000_000


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
        self.last_step_ns = 0
        """Latest step on CLOCK_MONOTONIC, whatever the recorder's clock: the quiet thread is in real time."""
        self._lock = Lock()
        self.acquire = self._lock.acquire
        """Held during ``schedule()``: limits change between two steps only, never within one."""
        self.recorder = Recorder(scheduler, facts, ring)
        self.enforcement = Enforcement(scheduler, facts, self.recorder.rows, limits)
        self.recorder.limit_holds = self.enforcement.holds_back
        self.output_arrived = self.recorder.output_arrived
        self._sampler = Sampler(scheduler, facts, self.recorder)
        self._scheduler = scheduler
        self._now = clock.monotonic_ns
        self._next_sample_ns = self._next_poll_ns = self._next_look_ns = 0
        self._cost_ns = self._cost_steps = 0

    @classmethod
    def attach(cls, scheduler: Any, mode: str) -> Probe:
        """Make the probe of a scheduler that was just constructed, with its ring and control socket.

        Raises:
            OSError: there is no place for the ring.
            AttributeError: the scheduler is not like any that we know.
        """
        facts = describe(scheduler, next(_numbers))
        directory = make_engines_dir(runtime_dir())
        limits = limits_of(scheduler, facts, observe_only=mode == "observe")
        path = directory / f"{facts.description['instance_id']}.ring"
        server = None if mode == "observe" else ControlServer.create(path.with_suffix(".sock"))
        facts.description["control_socket"] = server.path.name if server else None
        facts.description["controls"] = {
            "max_num_seqs": _control(limits.max_num_seqs_reason),
            "group_cap": _control(limits.group_cap_reason),
        }
        probe = cls(scheduler, facts, limits, _create_ring(path, facts), server)
        probe._show()
        _attached.add(probe)
        quiet_thread.start(probe)
        logger.info("rblntop: recording %s into %s", facts.description["name"], path)
        return probe

    # --- around the scheduler's step methods; none of these raises ---------------------------------------

    def begin(self) -> int:
        """Before ``schedule()``, under the lock: carry out changes and set the limits. Returns the time."""
        try:
            now_ns = self.last_step_ns = time.monotonic_ns()
            if now_ns >= self._next_poll_ns and self.server is not None:
                self._next_poll_ns = now_ns + POLL_NS
                self.server.serve(self._handle)
            enforcement = self.enforcement
            if enforcement.state.generation:
                state = enforcement.state
                if not state.in_force_step:
                    self._put_in_force()
                if enforcement.active:
                    enforcement.begin_step()
            return self._now()
        except Exception as error:  # noqa: BLE001 - the engine goes on, whatever is wrong with us
            self._fault(error)
            return 0

    def scheduled(self, output: Any, started_ns: int) -> None:
        """After ``schedule()``, under the lock: note the batch."""
        try:
            ended_ns = self._now()
            recorder = self.recorder
            recorder.scheduled(output, started_ns, ended_ns)
            enforcement = self.enforcement
            if enforcement.active:
                enforcement.step_caps.in_flight.update(output.num_scheduled_tokens)
            state = enforcement.state
            if state.in_force_step and not state.settled_step:
                self._drained()
            if ended_ns >= self._next_sample_ns:
                self._next_sample_ns = ended_ns + INTERVAL_NS
                self._sampler.sample(ended_ns)
            if not recorder.step % COST_EVERY:
                self._add_cost(self._now() - ended_ns)
        except Exception as error:  # noqa: BLE001 - as above
            self._fault(error)

    def end(self) -> None:
        """``schedule()`` returned or raised: let go of the lock."""
        try:
            if self.enforcement.active:
                self.enforcement.end_step()
        finally:
            self._lock.release()

    def completed(self, output: Any) -> None:
        """After ``update_from_output()``: publish the step's record."""
        try:
            with self._lock:
                self.recorder.completed(output)
                if self.enforcement.active:
                    self.enforcement.step_caps.in_flight.difference_update(output.num_scheduled_tokens)
        except Exception as error:  # noqa: BLE001 - as above
            self._fault(error)

    def close(self) -> None:
        """The engine shuts down in order."""
        if self.closed:
            return
        self.closed = True
        try:
            with self._lock:
                self.recorder.flush()
                if self.server is not None:
                    self.server.close()
                self.recorder.ring.close()
        except Exception:  # noqa: BLE001 - as above
            logger.warning("rblntop: the probe did not end cleanly", exc_info=True)

    # --- limits ------------------------------------------------------------------------------------------

    def set_limits(
        self, max_num_seqs: int | None = None, group_caps: Mapping[int, int] | None = None
    ) -> list[str]:
        """Change limits, together or not at all, and return warnings. In force from the next step.

        Raises:
            LimitError: a value out of its range, or a limit that this engine does not have.
        """
        with self._lock:
            return self._change(max_num_seqs, group_caps or {})

    def _change(self, max_num_seqs: int | None, group_caps: Mapping[int, int]) -> list[str]:
        recorder = self.recorder
        warnings = self.enforcement.change(
            max_num_seqs,
            group_caps,
            step=recorder.step,
            now_ns=time.monotonic_ns(),
            in_flight=lambda: [batch.output.num_scheduled_tokens for batch in recorder.in_flight.values()],
        )
        state = self.enforcement.state
        recorder.generation = state.generation
        recorder.admission_stop_at_limit = STOP_GROUP_CAPS if state.admission_from_caps else STOP_MAX_NUM_SEQS
        self._show_limits()
        return warnings

    def _put_in_force(self) -> None:
        state = self.enforcement.state
        state.begin_step(self.recorder.step + 1)
        self._show_limits()

    def _drained(self) -> None:
        """Show the drain's progress, and its end."""
        state = self.enforcement.state
        state.end_step(self.recorder.step, len(self._scheduler.running))
        self._show_limits()

    def _handle(self, request: Request) -> Answer:
        """Carry out one question from the control socket."""
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
        running = len(self._scheduler.running)
        caps = [cap or 0 for cap in state.caps]
        recorder.ring.write_limits(
            Limits(
                state.generation, state.accepted_ns, state.accepted_step, state.in_force_step,
                state.settled_step, state.ceiling, state.target,
                state.effective(running) if self.enforcement.active else state.start,
                state.admission, state.group_count, state.cap_ceiling, state.floor, 0,
                tuple(caps),
                tuple(state.batch_cap(group) if cap else 0 for group, cap in enumerate(caps)),
                tuple(state.excess),
            )
        )  # fmt: skip

    # --- the quiet thread --------------------------------------------------------------------------------

    def quiet(self, asked: bool) -> None:
        """No step runs: answer questions, and show what the engine is stuck on. On the quiet thread."""
        try:
            with self._lock:
                if self.closed:
                    return
                if asked and self.server is not None:
                    self.server.serve(self._handle)
                now_ns = time.monotonic_ns()
                if now_ns < self._next_look_ns:
                    return
                self._next_look_ns = now_ns + INTERVAL_NS
                self.recorder.flush()
                self._sampler.sample(self._now())
                self.recorder.ring.set_live(Live.CONTROL_NS, now_ns)
                if not now_ns // INTERVAL_NS % (VANISHED_NS // INTERVAL_NS):
                    self._recreate_if_vanished()
        except Exception as error:  # noqa: BLE001 - as above
            self._fault(error)

    def _recreate_if_vanished(self) -> None:
        """Somebody cleaned the directory: come back, with the sequence numbers going on."""
        old = self.recorder.ring
        if not old.vanished:
            return
        make_engines_dir(runtime_dir())
        self.recorder.ring = _create_ring(old.path, self.facts, head=old.head)
        old.close()
        if self.server is not None and not self.server.path.exists():
            server, self.server = self.server, ControlServer.create(self.server.path)
            server.abandon()
        self._show()
        logger.warning("rblntop: %s had vanished and was made again", old.path)

    # --- state -------------------------------------------------------------------------------------------

    def _show(self) -> None:
        """Fill a new ring with what is true now."""
        ring = self.recorder.ring
        ring.set_live(Live.STEP, self.recorder.step)
        self._show_limits()
        ring.set_live(Live.STATE, ProbeState.LIVE)

    def _add_cost(self, after_ns: int) -> None:
        self._cost_ns += after_ns
        self._cost_steps += 1
        ring = self.recorder.ring
        ring.set_live(Live.PROBE_NS, self._cost_ns)
        ring.set_live(Live.PROBE_STEPS, self._cost_steps)

    def _fault(self, error: Exception) -> None:
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
        except Exception:  # noqa: BLE001 - as above
            logger.warning("rblntop: and could not say so in its ring", exc_info=True)

    def forget_in_child(self) -> None:
        """A fork: the child has neither our thread nor our lock's owner, and must not write our ring."""
        self._scheduler._rblntop = None
        self.closed = True


def _create_ring(path: Path, facts: EngineFacts, head: int = 0) -> RingWriter:
    return RingWriter.create(
        path,
        facts.description,
        boot_id=boot_id(),
        start_ticks=start_ticks(),
        in_flight_slots=facts.queue_depth,
        head=head,
    )


def _control(reason: str) -> dict[str, Any]:
    return {"available": not reason, "reason": reason}


def _forget_all_in_child() -> None:
    for probe in list(_attached):
        probe.forget_in_child()


os.register_at_fork(after_in_child=_forget_all_in_child)
