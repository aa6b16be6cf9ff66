"""The steps of a ring file, without a daemon; the engine may be dead."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rblntop.cli.engine_door import Causes, EngineRing, RingFileError, open_ring, ring
from rblntop.cli.ring_messages import engine_message, journal_messages
from rblntop.client.errors import ClientError, RefusedError
from rblntop.history import History
from rblntop.recording.step_block import StepRun
from rblntop_api.v1 import control_pb2, step_pb2

# The ring's enums start at 0; in the API 0 is "unspecified", as is what a newer probe may say.
_KINDS: dict[int, Any] = {int(kind): step_pb2.StepKind.Value(f"STEP_KIND_{kind.name}") for kind in ring.Kind}
_STOPS: dict[int, Any] = {
    int(stop): step_pb2.AdmissionStop.Value(f"ADMISSION_STOP_{stop.name}") for stop in ring.AdmissionStop
}
_CAUSES: dict[int, Any] = {
    int(cause): step_pb2.EmptyCause.Value(f"EMPTY_CAUSE_{cause.name}") for cause in ring.EmptyCause
}


class RingError(ClientError):
    """The file is no ring that can be read."""


def ring_history(path: Path, first: int = 0) -> History:
    """All that the ring at ``path`` holds from record ``first`` on.

    Raises:
        RingError: it cannot be read.
    """
    try:
        engine = open_ring(path)
    except RingFileError as error:
        raise RingError(str(error)) from error
    return History(str(path), _runs(engine, first), lambda: _changes(path))


def _runs(engine: EngineRing, sequence: int) -> Iterator[StepRun]:
    who, header = engine_message(engine), engine.reader.header
    # Since its start the wall clock may have been set; of a living engine on this host it is known now.
    offset_ns = header.real_ns - header.mono_ns
    if engine.alive:
        offset_ns = time.time_ns() - time.monotonic_ns()
    try:
        head = engine.reader.head()
        while sequence < head:
            found = engine.reader.read(sequence)
            if found.next == sequence:
                break
            sequence = found.next
            if found.rows:
                steps = [step_message(*step) for step in found.steps()]
                yield StepRun(steps, found.missed, offset_ns, who)
    except RingFileError as error:
        raise RingError(str(error)) from error
    finally:
        engine.close()


def _changes(path: Path) -> list[control_pb2.Change]:
    """The ring's journal: every change that was accepted."""
    try:
        engine = open_ring(path)
    except RingFileError:
        return []
    try:
        return journal_messages(engine)
    except RefusedError:
        return []
    finally:
        engine.close()


def step_message(sequence: int, step: ring.Step, causes: Causes | None) -> step_pb2.Step:
    """One step, or one run of empty steps, as the daemon would send it."""
    message = step_pb2.Step(
        sequence=sequence,
        step=step.step,
        kind=_KINDS.get(step.kind, 0),
        group=step.group if step.group >= 0 else None,
        row=step.row,
        scheduled_ns=step.scheduled_ns,
        completed_ns=step.completed_ns,
        schedule_ns=step.schedule_ns,
        requests=step.requests,
        prefill_requests=step.prefill_requests,
        tokens=step.tokens,
        padded_batch=step.padded or None,
        max_seq_len=step.max_seq_len,
        running=step.running,
        waiting=step.waiting,
        held=step.held,
        ready=step.ready,
        preempted=step.preempted,
        finished=step.finished,
        unfinished=step.unfinished,
        new_requests=step.new_requests,
        queue_wait_us=step.queue_wait_us,
        admission_stop=_STOPS.get(step.admission_stop, 0),
        in_flight=step.in_flight,
        kv_usage_ratio=step.kv_usage,
        generation=step.generation,
        count=step.run_length,
    )
    if causes is not None:
        for cause, (steps, slot_us) in enumerate(zip(*causes, strict=True)):
            if steps:
                message.causes.add(cause=_CAUSES[cause], steps=steps, slot_us=slot_us)
    return message
