"""A recording of a few seconds of a made-up engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rblntop.recording.recorder import Recorder
from rblntop.recording.writer import RecordingWriter
from rblntop_api.v1 import control_pb2, engine_pb2, snapshot_pb2, step_pb2

SECOND = 1_000_000_000
START_NS = 1_760_000_000 * SECOND
OFFSET_NS = START_NS - 5 * SECOND
"""Wall clock minus CLOCK_MONOTONIC."""


def engine_of(instance: str = "boot-1") -> engine_pb2.Engine:
    return engine_pb2.Engine(
        name="demo/0", instance_id=instance, pp_size=2, group_count=2, batch_queue_depth=2, max_num_seqs=8
    )


def snapshot_at(second: float, instance: str = "boot-1", **fields: object) -> snapshot_pb2.Snapshot:
    snapshot = snapshot_pb2.Snapshot(engine=engine_of(instance), step=int(second * 10), running=7)
    for name, value in fields.items():
        setattr(snapshot, name, value)
    snapshot.groups.add(group=0, running=4)
    snapshot.groups.add(group=1, running=3)
    snapshot.time.FromNanoseconds(START_NS + int(second * SECOND))
    return snapshot


def step_at(sequence: int, **fields: object) -> step_pb2.Step:
    """A decode of 100 ms, ten of which begin in a second, in the groups by turns."""
    begun_ns = 5 * SECOND + sequence * SECOND // 10
    known: dict[str, object] = {
        "sequence": sequence, "step": sequence + 1, "kind": step_pb2.STEP_KIND_DECODE, "group": sequence % 2,
        "row": sequence % 2, "scheduled_ns": begun_ns, "completed_ns": begun_ns + SECOND // 10, "requests": 3,
        "tokens": 3, "padded_batch": 4, "running": 7, "waiting": 2, "kv_usage_ratio": 0.25, "generation": 1,
        "count": 1,
    }  # fmt: skip
    return step_pb2.Step(**{**known, **fields})  # type: ignore[arg-type]


def change_at(second: float, generation: int = 2) -> control_pb2.Change:
    change = control_pb2.Change(engine="demo/0", generation=generation, action=2, reason="test", step=12)
    change.time.FromNanoseconds(START_NS + int(second * SECOND))
    change.values.add(kind=2, group=1, old_value=4, new_value=2)
    return change


def record(path: Path, *, seconds: int = 60, begin: int = 0, append: bool = False) -> Path:
    """``seconds`` of a snapshot a second and ten steps a second."""
    open_writer = RecordingWriter.append_to if append else RecordingWriter.create
    writer = open_writer(path, 1 << 30)
    recorder = Recorder(writer, START_NS + begin * SECOND, {"recorder": "test"})
    for second in range(begin, begin + seconds):
        now_ns = START_NS + second * SECOND
        recorder.add_snapshot(snapshot_at(second), now_ns)
        steps = [step_at(sequence) for sequence in range(second * 10, second * 10 + 10)]
        recorder.add_steps(steps, now_ns, offset_ns=OFFSET_NS)
    recorder.flush(START_NS + (begin + seconds) * SECOND)
    writer.close()
    return path


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A minute."""
    return record(tmp_path / "demo.rec")


@pytest.fixture
def record_to() -> Callable[..., Path]:
    """``record``."""
    return record
