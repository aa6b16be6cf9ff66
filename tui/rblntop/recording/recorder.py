"""Collects what comes from an engine into blocks of some seconds, and writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rblntop.recording.frame import MAX_UNPACKED, BlockKind
from rblntop.recording.message_block import MAX_MESSAGE, MAX_MESSAGES, pack_messages, packed_size
from rblntop.recording.step_block import StepRun, pack_steps
from rblntop.recording.writer import RecordingWriter
from rblntop_api.v1 import control_pb2, engine_pb2, event_pb2, snapshot_pb2, step_pb2

FLUSH_NS = 5_000_000_000
"""What a crash of the recorder can cost. Longer blocks pack little better."""
MAX_BLOCK_STEPS = 4096
SAME_CLOCK_NS = 1_000_000_000
"""Wall clocks are slewed all the time: steps keep the offset that they began with while it is about right."""


@dataclass(slots=True)
class Totals:
    """What a run of ``record`` has written."""

    steps: int = 0
    missed: int = 0
    snapshots: int = 0
    changes: int = 0
    events: int = 0


class Recorder:
    """Writes what it is given, in order. Times come in as arguments (wall clock, ns).

    Every method that writes raises ``FullError`` when the file may not become larger, and ``RecordingError``
    when it cannot be written.
    """

    def __init__(self, writer: RecordingWriter, now_ns: int, about: dict[str, str | int | float]) -> None:
        """Begin a run; ``about`` says who records what, for a person who looks into it later."""
        self.writer = writer
        self.totals = Totals()
        self._instance = ""
        self._steps: list[step_pb2.Step] = []
        self._missed = 0
        self._offset_ns = 0
        self._snapshots: list[bytes] = []
        self._snapshot_bytes = 0
        self._snapshot_ns = (0, 0)
        self._flushed_ns = now_ns
        self._json(BlockKind.SESSION, now_ns, about)

    def mark(self, now_ns: int, what: str, **more: str | int | float) -> None:
        """Note something that happened to the recording itself."""
        self.flush(now_ns)
        self._json(BlockKind.MARK, now_ns, {"mark": what, **more})

    def add_snapshot(self, snapshot: snapshot_pb2.Snapshot, now_ns: int) -> None:
        """One engine at one moment. Another process is another engine from here on."""
        if snapshot.engine.instance_id != self._instance:
            self.set_engine(snapshot.engine, now_ns)
        raw = snapshot.SerializeToString()
        if len(raw) > MAX_MESSAGE:
            return  # Of no engine that could be.
        full = self._snapshot_bytes + packed_size(raw) > MAX_UNPACKED or len(self._snapshots) == MAX_MESSAGES
        if full:
            self.flush(now_ns)
        time_ns = snapshot.time.ToNanoseconds() if snapshot.HasField("time") else now_ns
        self._snapshot_ns = (self._snapshot_ns[0] if self._snapshots else time_ns, time_ns)
        self._snapshots.append(raw)
        self._snapshot_bytes += packed_size(raw)
        self.totals.snapshots += 1
        self.flush_if_due(now_ns)

    def add_steps(
        self, steps: Sequence[step_pb2.Step], now_ns: int, *, missed: int = 0, offset_ns: int = 0
    ) -> None:
        """Steps, and how many are missing before them.

        Args:
            steps: In order.
            now_ns: Wall clock.
            missed: Records before the first one that the engine no longer has.
            offset_ns: Wall clock minus CLOCK_MONOTONIC of the engine's host. 0: not known.
        """
        if missed:
            self._flush_steps(now_ns)
            self._missed += missed
            self.totals.missed += missed
        if abs(offset_ns - self._offset_ns) > SAME_CLOCK_NS:
            self._flush_steps(now_ns)
            self._offset_ns = offset_ns
        for step in steps:
            self._steps.append(step)
            if len(self._steps) >= MAX_BLOCK_STEPS:
                self._flush_steps(now_ns)
        self.totals.steps += len(steps)
        self.flush_if_due(now_ns)

    def add_changes(self, changes: Iterable[control_pb2.Change], now_ns: int) -> None:
        """Changes of limits."""
        found = [change.SerializeToString(deterministic=True) for change in changes]
        if found:
            self.writer.append(BlockKind.CHANGES, pack_messages(found), items=len(found), first_ns=now_ns)
            self.totals.changes += len(found)

    def add_events(self, events: Sequence[event_pb2.Event], now_ns: int) -> None:
        """What happened to the engine."""
        if events:
            found = [event.SerializeToString() for event in events]
            self.writer.append(BlockKind.EVENTS, pack_messages(found), items=len(found), first_ns=now_ns)
            self.totals.events += len(found)

    def set_engine(self, engine: engine_pb2.Engine, now_ns: int) -> None:
        """What follows is of this engine."""
        if engine.instance_id == self._instance:
            return
        self.flush(now_ns)
        self._instance = engine.instance_id
        self._offset_ns = 0
        content = pack_messages([engine.SerializeToString()])
        self.writer.append(BlockKind.ENGINE, content, first_ns=now_ns)

    def flush_if_due(self, now_ns: int) -> None:
        """Write what has been collected for long enough."""
        # A wall clock that was set back must not stop it.
        if not 0 <= now_ns - self._flushed_ns < FLUSH_NS:
            self.flush(now_ns)

    def flush(self, now_ns: int) -> None:
        """Write what has been collected."""
        self._flush_steps(now_ns)
        if self._snapshots:
            first_ns, last_ns = self._snapshot_ns
            self.writer.append(
                BlockKind.SNAPSHOTS,
                pack_messages(self._snapshots),
                items=len(self._snapshots),
                first_ns=first_ns,
                last_ns=last_ns,
            )
            self._snapshots, self._snapshot_bytes = [], 0
        self._flushed_ns = now_ns

    def _flush_steps(self, now_ns: int) -> None:
        steps = self._steps
        if not steps:
            return
        run = StepRun(steps, self._missed, self._offset_ns)
        times = [steps[0].completed_ns, steps[-1].completed_ns]
        first_ns, last_ns = [at + self._offset_ns for at in times] if self._offset_ns else [now_ns] * 2
        self.writer.append(
            BlockKind.STEPS, pack_steps(run), items=len(steps), first_ns=first_ns, last_ns=last_ns
        )
        self._steps, self._missed = [], 0

    def _json(self, kind: BlockKind, now_ns: int, about: dict[str, str | int | float]) -> None:
        self.writer.append(kind, json.dumps(about).encode(), first_ns=now_ns)
