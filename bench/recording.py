"""Bytes of an hour of recording at 100 steps/s, and what it costs to pack them.

Baseline: the same steps and snapshots as serialised messages one after the other.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench import report, synthetic_stream
from rblntop.recording.reader import Recording
from rblntop.recording.recorder import Recorder
from rblntop.recording.writer import RecordingWriter

STEPS_PER_SECOND = 100
MEASURED_S = 600
PER_HOUR = 3600 / MEASURED_S


def main() -> None:
    report.heading(
        f"Recording, {STEPS_PER_SECOND} steps/s and a snapshot a second ({MEASURED_S} s, as an hour)"
    )
    steps = list(synthetic_stream.steps(MEASURED_S, STEPS_PER_SECOND))
    snapshots = list(synthetic_stream.snapshots(MEASURED_S))
    with tempfile.TemporaryDirectory() as directory:
        parts = {"steps": (steps, []), "snapshots": ([], snapshots), "both": (steps, snapshots)}
        for name, (some_steps, some_snapshots) in parts.items():
            path = Path(directory) / f"{name}.rec"
            began = time.process_time()
            plain = sum(len(message.SerializeToString()) + 5 for message in (*some_steps, *some_snapshots))
            serialising_s = time.process_time() - began
            began = time.process_time()
            record(path, some_steps, some_snapshots)
            packing_s = time.process_time() - began
            size = path.stat().st_size
            report.row(
                f"bytes an hour, {name}",
                f"{size * PER_HOUR / 1e6:.1f} MB",
                f"{plain * PER_HOUR / 1e6:.1f} MB as messages",
                size / plain,
                "<= 20 MB" if name == "both" else "",
            )
        report.row(
            "packing and writing, of a core",
            f"{packing_s / MEASURED_S:.3%}",
            f"{serialising_s / MEASURED_S:.3%} serialising alone",
            packing_s / serialising_s,
        )
        began = time.process_time()
        with Recording.open(path) as recording:
            count = sum(len(run.steps) for run in recording.steps())
        assert count == len(steps)
        report.row("reading all steps of an hour", f"{(time.process_time() - began) * PER_HOUR:.1f} s")


def record(path: Path, steps: list, snapshots: list) -> None:  # type: ignore[type-arg]
    writer = RecordingWriter.create(path, 1 << 40)
    recorder = Recorder(writer, synthetic_stream.START_NS, {"recorder": "bench"})
    offset_ns = synthetic_stream.START_NS - synthetic_stream.MONO_NS
    for second in range(MEASURED_S):
        now_ns = synthetic_stream.START_NS + second * 1_000_000_000
        for snapshot in snapshots[second : second + 1]:
            recorder.add_snapshot(snapshot, now_ns)
        batch = steps[second * STEPS_PER_SECOND : (second + 1) * STEPS_PER_SECOND]
        recorder.add_steps(batch, now_ns, offset_ns=offset_ns)
    recorder.flush(now_ns)
    writer.close()


if __name__ == "__main__":
    main()
