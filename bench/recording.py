"""Bytes of an hour of recording at 100 steps/s, and what it costs to pack them and to send them.

Baselines: the same steps and snapshots as serialised messages; a daemon whose steps somebody follows.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from bench import report, synthetic_stream
from bench.daemon_cost import write
from bench.live_daemon import command, daemon
from rblntop.recording.reader import Recording
from rblntop.recording.recorder import Recorder
from rblntop.recording.writer import RecordingWriter

STEPS_PER_SECOND = 100
MEASURED_S = 600
WARM_S, MEASURE_S = 4, 15
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
    measure_daemon()


def measure_daemon() -> None:
    """CPU of the daemon, and of the recorder, with a ring written at 100 steps/s."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory, ExitStack() as stack:
        stop = context.Event()
        writer = context.Process(target=write, args=(directory, 1, stop))
        writer.start()
        stack.callback(lambda: (stop.set(), writer.join(30)))
        runtime = Path(directory)
        watched = psutil.Process(stack.enter_context(daemon(runtime)).pid)
        connect = ("--connect", f"unix:{runtime}/rblntopd.sock")
        clients = {
            "nobody": ["sleep", "1000"],
            "steps": command("rblnctl", "steps", "--json", *connect),
            "record": command("rblnctl", "record", "-o", f"{directory}/bench.rec", *connect),
        }
        found = {}
        for name, client in clients.items():
            with subprocess.Popen(client, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                found[name] = cpu_of(watched, psutil.Process(process.pid))
                process.terminate()
    idle, following, recording = (found[name][0] for name in clients)
    report.row(
        "what recording adds to the daemon, of a core",
        f"{recording - idle:.2%}",
        f"{following - idle:.2%} by `rblnctl steps`",
        (recording - idle) / (following - idle),
        "<= 1 %",
    )
    report.row("recorder, of a core", f"{found['record'][1]:.2%}")


def cpu_of(*processes: psutil.Process) -> list[float]:
    """Shares of a core that processes take, once they run."""
    time.sleep(WARM_S)
    before = [sum(process.cpu_times()[:2]) for process in processes]
    time.sleep(MEASURE_S)
    return [
        (sum(process.cpu_times()[:2]) - begun) / MEASURE_S
        for process, begun in zip(processes, before, strict=True)
    ]


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
