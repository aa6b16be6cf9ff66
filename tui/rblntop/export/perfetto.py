"""Steps as a trace that Perfetto opens: the Trace Event format, a line of JSON an event.

A process is an engine, a thread is the row of a group, a slice is a batch from its schedule to completion.
Slices of one thread may not overlap: a batch that was scheduled before the last one of its row completed goes
to a second thread of that row.
"""

from __future__ import annotations

import json
import math
from typing import Any, TextIO

from rblntop.export.change_text import change_text
from rblntop.export.step_fields import KIND, STOP, causes_of
from rblntop.history import History
from rblntop.recording.step_block import StepRun
from rblntop_api.v1 import control_pb2, engine_pb2, step_pb2

LANES = 8
"""Threads that a row may have."""
EMPTY_THREAD = 1_000_000
SAME_CLOCK_NS = 1_000_000_000


def write_perfetto(history: History, out: TextIO) -> int:
    """The whole trace; returns how many steps it has."""
    trace = _Trace(out)
    out.write('{"displayTimeUnit":"ms","traceEvents":[\n')
    count = 0
    for run in history.runs:
        engine = trace.engine(run)
        if run.missed:
            engine.gap(run)
        for step in run.steps:
            engine.step(step)
        count += len(run.steps)
    for change in history.changes():
        trace.change(change)
    # The last event has no comma behind it.
    trace.event({"ph": "M", "name": "trace_name", "pid": 0, "args": {"name": history.name}}, last=True)
    other = {"source": history.name, "began_unix_ns": str(trace.began_ns or 0)}
    out.write(f'],"otherData":{json.dumps(other)}}}\n')
    return count


class _Trace:
    """Writes events; times count from the first one."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.began_ns: int | None = None
        self.engines: dict[str, _EngineTracks] = {}

    def event(self, event: dict[str, Any], *, last: bool = False) -> None:
        self._out.write(json.dumps(event, separators=(",", ":")) + ("\n" if last else ",\n"))

    def at_us(self, time_ns: int) -> float:
        """Microseconds since the trace began, with the nanoseconds behind the point."""
        return (time_ns - (self.began_ns or 0)) / 1000

    def engine(self, run: StepRun) -> _EngineTracks:
        """The tracks of the run's engine."""
        engine = run.engine or engine_pb2.Engine(name="engine")
        key = engine.instance_id or engine.name
        if key not in self.engines:
            order = len(self.engines) + 1
            # Perfetto calls thread n of process n the main one: rows count from 1, pids are larger.
            taken = {tracks.process for tracks in self.engines.values()}
            process = engine.pid if engine.pid and engine.pid not in taken else order
            self.engines[key] = _EngineTracks(self, engine, process, order)
        tracks = self.engines[key]
        # Times of one engine must not jump when the wall clock is slewed.
        if abs(run.offset_ns - tracks.offset_ns) > SAME_CLOCK_NS:
            tracks.offset_ns = run.offset_ns
        if self.began_ns is None:
            # Steps come in the order in which they completed.
            self.began_ns = min(step.scheduled_ns for step in run.steps) + tracks.offset_ns
        return tracks

    def change(self, change: control_pb2.Change) -> None:
        """An instant across the engine that was changed; of engines that have no steps here, none."""
        engine = self.engines.get(change.instance_id) or next(
            (tracks for tracks in self.engines.values() if tracks.name == change.engine), None
        )
        time_ns = change.time.ToNanoseconds()
        if engine is None or self.began_ns is None or not engine.offset_ns or time_ns < self.began_ns:
            return
        about = {
            "caller": change.caller.name,
            "reason": change.reason,
            "generation": change.generation,
            "accepted_step": change.step,
        }
        name = change_text(change)
        self.event({"ph": "i", "s": "p", "name": name, "cat": "limits", "ts": self.at_us(time_ns),
                    "pid": engine.process, "tid": 0, "args": about})  # fmt: skip


class _EngineTracks:
    """One engine: a thread a row, one for empty slots, and counters."""

    def __init__(self, trace: _Trace, engine: engine_pb2.Engine, process: int, order: int) -> None:
        self._trace = trace
        self.name = engine.name
        self.process = process
        self.offset_ns = 0
        self._generation: int | None = None
        self._ends: dict[int, int] = {}
        """When the last slice of each thread ended."""
        self._shown: dict[str, float] = {}
        """Counters as they were last written."""
        simulated = " SIMULATED" if engine.simulated else ""
        self._meta("process_name", name=f"{engine.name}{simulated}")
        self._meta("process_sort_index", sort_index=order)
        for row in range(min(engine.group_count, 64)):
            self._thread(row * LANES)

    def step(self, step: step_pb2.Step) -> None:
        """A slice, and what changed with it."""
        begun = self._trace.at_us(step.scheduled_ns + self.offset_ns)
        lasted = max(0, step.completed_ns - step.scheduled_ns) / 1000
        if self._generation is not None and step.generation != self._generation:
            self._instant(begun, f"generation {step.generation} in force", {"step": step.step})
        self._generation = step.generation
        kind = KIND.get(step.kind, str(step.kind))
        args: dict[str, Any] = {"step": step.step, "sequence": step.sequence, "kind": kind}
        if step.kind == step_pb2.STEP_KIND_EMPTY:
            causes = causes_of(step)
            cause = max(causes, key=causes.__getitem__) if causes else "unknown"
            args |= {"steps": step.count, "generation": step.generation}
            args |= {f"because_{name}": steps for name, steps in causes.items()}
            args |= {f"slot_us_{name}": c.slot_us for name, c in zip(causes, step.causes, strict=False)}
            self._slice(EMPTY_THREAD, step, f"empty: {cause}", kind, begun, lasted, args)
        else:
            name = f"{kind} {step.requests}"
            if step.HasField("padded_batch"):
                name += f"/{step.padded_batch}"
                args["padded_batch"] = step.padded_batch
                pad = max(0, step.padded_batch - step.requests) / max(1, step.padded_batch)
                self._counter(begun, "decode padding", "%", 100 * pad)
            if step.HasField("group"):
                args["group"] = step.group
            args |= {
                "requests": step.requests, "prefill_requests": step.prefill_requests, "tokens": step.tokens,
                "max_seq_len": step.max_seq_len, "running": step.running, "waiting": step.waiting,
                "held": step.held, "ready": step.ready, "in_flight": step.in_flight,
                "preempted": step.preempted, "finished": step.finished, "new_requests": step.new_requests,
                "generation": step.generation, "admission_stop": STOP.get(step.admission_stop, "unspecified"),
                "schedule_us": step.schedule_ns / 1000,
            }  # fmt: skip
            row = step.group if step.HasField("group") else step.row
            self._slice(min(row, 1000) * LANES, step, name, kind, begun, lasted, args)
        self._counter(begun, "running", "requests", step.running)
        self._counter(begun, "waiting", "requests", step.waiting)
        self._counter(begun, "KV usage", "%", 100 * step.kv_usage_ratio)

    def gap(self, run: StepRun) -> None:
        """Steps that nobody has."""
        at = self._trace.at_us(run.steps[0].scheduled_ns + self.offset_ns)
        self._instant(at, f"gap: {run.missed:,} steps missed", {"missed": run.missed})

    def _slice(
        self, thread: int, step: step_pb2.Step, name: str, kind: str, begun: float, lasted: float, args: Any
    ) -> None:
        last = thread + LANES - 1
        while thread < last and step.scheduled_ns < self._ends.get(thread, 0):
            thread += 1
        if thread not in self._ends:
            self._thread(thread)
        self._ends[thread] = max(step.completed_ns, step.scheduled_ns)
        self._trace.event({"ph": "X", "name": name, "cat": kind, "ts": begun, "dur": lasted,
                           "pid": self.process, "tid": thread + 1, "args": args})  # fmt: skip

    def _instant(self, at: float, name: str, args: dict[str, Any]) -> None:
        self._trace.event({"ph": "i", "s": "p", "name": name, "cat": "limits", "ts": at,
                           "pid": self.process, "tid": 0, "args": args})  # fmt: skip

    def _counter(self, at: float, name: str, unit: str, value: float) -> None:
        """Perfetto names it by both words: ``running requests``."""
        value = round(value, 2) if math.isfinite(value) else 0
        if self._shown.get(name) != value:
            self._shown[name] = value
            self._trace.event({"ph": "C", "name": name, "ts": at, "pid": self.process, "args": {unit: value}})

    def _thread(self, thread: int) -> None:
        row, lane = divmod(thread, LANES)
        name = "empty slots" if thread >= EMPTY_THREAD else f"group {row}"
        self._meta("thread_name", thread, name=f"{name} ({lane + 1})" if lane else name)
        self._meta("thread_sort_index", thread, sort_index=thread + 1)
        self._ends.setdefault(thread, 0)

    def _meta(self, what: str, thread: int = -1, /, **args: str | int) -> None:
        self._trace.event({"ph": "M", "name": what, "pid": self.process, "tid": thread + 1, "args": args})
