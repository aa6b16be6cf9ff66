"""CPU and memory of the daemon: engines at 100 steps/s, one subscriber at 1 Hz.

The rings are written by a load generator in another process. Baseline: that generator's own CPU.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import tempfile
import time
import uuid
from pathlib import Path

import psutil

from bench import report
from bench.live_daemon import daemon, subscriber
from rblntopd.probe.ring_format import Kind, Live, ProbeState, Sample, Step
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.runtime_dir import make_engines_dir

STEPS_PER_SECOND = 100
WARM_S, MEASURE_S = 5, 20
PP = 4


def write(directory: str, engines: int, stop: multiprocessing.synchronize.Event) -> None:
    """Write ``engines`` rings at the rate of running engines until told to stop."""
    rings = []
    engines_dir = make_engines_dir(Path(directory))
    for number in range(engines):
        description = {
            "name": f"bench/{number}", "instance_id": f"bench-{number}", "pid": 1, "model": "bench",
            "pp_size": PP, "batch_queue_depth": PP, "group_count": PP, "max_num_seqs": 32,
            "decode_buckets": [8],
            "max_model_len": 4096, "max_num_batched_tokens": 512, "block_size": 16, "num_blocks": 1000,
        }  # fmt: skip
        ring = RingWriter.create(
            engines_dir / f"bench-{number}.ring",
            description,
            boot_id=str(uuid.uuid4()),
            start_ticks=1,
            in_flight_slots=PP,
        )
        ring.set_live(Live.STATE, ProbeState.LIVE)
        rings.append(ring)
    step, period_ns, next_ns = 0, 1_000_000_000 // STEPS_PER_SECOND, time.monotonic_ns()
    while not stop.is_set():
        step += 1
        group = step % PP
        for ring in rings:
            ring.publish(
                Step(
                    step, next_ns - 4 * period_ns, next_ns, 100_000, 0, 7, 0, 500, 0, 7, 0, 8, 28, 0, 7,
                    0, 0, 28, 0, 1, 0.5, Kind.DECODE, group, group, 0, PP,
                )
            )  # fmt: skip
            if step % (STEPS_PER_SECOND // 10) == 0:
                ring.write_sample(Sample(next_ns, step, 28, 0, 0, 0, 0, 0, 500, 0.5, 0, 500, 0, (7,) * PP))
                for word, value in (
                    (Live.STEP, step), (Live.SCHEDULE_NS, next_ns), (Live.COMPLETE_NS, next_ns),
                    (Live.UNFINISHED, 28),
                ):  # fmt: skip
                    ring.set_live(word, value)
        next_ns += period_ns
        stop.wait(max(0.0, (next_ns - time.monotonic_ns()) / 1e9))


def measure(engines: int, promise: str) -> None:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        stop = context.Event()
        writer = context.Process(target=write, args=(directory, engines, stop))
        writer.start()
        try:
            with daemon(Path(directory)) as process, subscriber(Path(directory), 1.0):
                watched, generator = psutil.Process(process.pid), psutil.Process(writer.pid)
                # Until every cache and window is filled, it grows.
                time.sleep(WARM_S)
                before = [sum(of.cpu_times()[:2]) for of in (watched, generator)]
                time.sleep(MEASURE_S)
                after = [sum(of.cpu_times()[:2]) for of in (watched, generator)]
                ours, theirs = ((end - start) / MEASURE_S for start, end in zip(before, after, strict=True))
                memory = watched.memory_info().rss / 1e6
        finally:
            stop.set()
            writer.join(30)
    report.row(
        f"{engines} engine{'s' * (engines > 1)} at {STEPS_PER_SECOND} steps/s",
        f"{ours:.2%}, {memory:.0f} MB",
        f"{theirs:.2%} of a core writing the rings",
        ours / theirs,
        promise,
    )


def main() -> None:
    report.heading(f"Daemon, one subscriber at 1 Hz ({MEASURE_S} s)")
    measure(1, "<= 1 % of a core, <= 80 MB")
    measure(64, "<= 15 % of a core")


if __name__ == "__main__":
    main()
