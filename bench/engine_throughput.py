"""Steps a second of the real EngineCore with probe, daemon and a 10 Hz subscriber, against a bare one.

Two engines in one process take turns; each pair of turns gives a ratio. The simulated NPU runs in real time:
with stages of 10 ms, as a large model has, and of 1 ms, where the scheduler itself is the bottleneck.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from bench import report
from bench.engine_in_process import add_requests, make_engine, prepare
from bench.live_daemon import daemon, subscriber

PAIRS = 10
TURN_S = 2.0
REQUESTS = 64


def steps_per_second(core: Any, seconds: float = TURN_S) -> float:
    """Of one turn."""
    start, steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        core.step_fn()
        steps += 1
    return steps / spent


def busy(core: Any, number: list[int]) -> None:
    """Have 64 requests running; they outlast the measurement."""
    missing = REQUESTS - core.scheduler.get_num_unfinished_requests()
    add_requests(core, missing, output_tokens=1800, start=number[0])
    number[0] += missing
    while len(core.scheduler.running) < REQUESTS:
        core.step_fn()


def compare(stage_us: float) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        prepare(Path(directory), stage_us=stage_us)
        bare = make_engine(probed=False, max_num_seqs=REQUESTS, virtual_time=False)
        probed = make_engine(probed=True, max_num_seqs=REQUESTS, virtual_time=False)
        numbers: dict[int, list[int]] = {id(bare): [0], id(probed): [0]}
        ratios, baselines = [], []
        with daemon(Path(directory)), subscriber(Path(directory), 0.1):
            for pair in range(PAIRS):
                turns = {}
                for core in (bare, probed) if pair % 2 else (probed, bare):
                    busy(core, numbers[id(core)])
                    turns[id(core)] = steps_per_second(core)
                ratios.append(turns[id(probed)] / turns[id(bare)])
                baselines.append(turns[id(bare)])
        probed.shutdown()
        bare.shutdown()
    low, high = report.interval_of_mean(ratios)
    report.row(
        f"stages of {stage_us / 1000:g} ms",
        f"{low:.4f} .. {high:.4f}",
        f"{report.median(baselines):.0f} steps/s bare, median",
        sum(ratios) / len(ratios),
        ">= 0.99 (95 % interval)",
    )


def main() -> None:
    import sys

    if len(sys.argv) > 1:
        compare(float(sys.argv[1]))
        return
    import subprocess

    report.heading(f"Engine throughput with probe and 10 Hz daemon, {PAIRS} interleaved pairs, pp 4")
    # A process each: the plugin, once registered, makes every further engine a probed one.
    for stage_us in (10_000, 1_000):
        subprocess.run([sys.executable, "-m", "bench.engine_throughput", str(stage_us)], check=True)


if __name__ == "__main__":
    main()
