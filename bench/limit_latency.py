"""From the RPC to a limit that is accepted, and in force, on the real EngineCore; also with a stuck device.

The engine runs in a process of its own under load (simulated NPU, real time). Baseline: an RPC of the same
daemon that changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import report
from bench.live_daemon import daemon

CALLS = 200
ENGINE = """
import sys
from pathlib import Path
from bench.engine_in_process import add_requests, make_engine, prepare
prepare(Path(sys.argv[1]), stage_us=float(sys.argv[2]))
running = int(sys.argv[3])
core = make_engine(probed=True, max_num_seqs=running, virtual_time=False)
number = 0
while True:
    missing = running * 5 // 4 - core.scheduler.get_num_unfinished_requests()
    add_requests(core, missing, output_tokens=400, start=number)
    number += missing
    core.step_fn()
"""


@contextmanager
def engine(directory: Path, stage_us: float, running: int) -> Iterator[None]:
    """An engine under load that outlasts the measurement."""
    python = os.environ["RBLNTOP_ENGINE_PYTHON"]
    log = (directory / "engine.log").open("wb")
    arguments = [str(directory), str(stage_us), str(running)]
    process = subprocess.Popen([python, "-c", ENGINE, *arguments], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait(30)


async def measure(directory: Path, name: str, running: int, *, in_force: bool) -> None:
    import grpc

    from rblntop_api.v1 import control_pb2, control_pb2_grpc, limits_pb2, telemetry_pb2, telemetry_pb2_grpc

    async with grpc.aio.insecure_channel(f"unix:{directory / 'rblntopd.sock'}") as channel:
        telemetry = telemetry_pb2_grpc.TelemetryStub(channel)
        control = control_pb2_grpc.ControlStub(channel)
        watch = telemetry.WatchSnapshots(telemetry_pb2.WatchSnapshotsRequest())
        async for tick in watch:
            if any(snapshot.in_flight or snapshot.step > 50 for snapshot in tick.snapshots):
                break
        watch.cancel()

        async def call(value: int, wait_for: int) -> float:
            change = limits_pb2.LimitKind.LIMIT_KIND_MAX_NUM_SEQS
            start = time.perf_counter()
            answer = await control.SetLimits(
                control_pb2.SetLimitsRequest(
                    changes=[control_pb2.LimitChange(kind=change, value=value)], wait_for=wait_for
                ),
                timeout=30,
            )
            assert answer.engines[0].phase >= wait_for, answer.engines[0].waiting_because
            return time.perf_counter() - start

        nothing = []
        for _ in range(CALLS):
            start = time.perf_counter()
            await telemetry.ListEngines(telemetry_pb2.ListEnginesRequest())
            nothing.append(time.perf_counter() - start)
        baseline = report.median(nothing) * 1000
        phases = [("accepted", control_pb2.CHANGE_PHASE_ACCEPTED, "p99 <= 10 ms")]
        if in_force:
            phases.append(("in force", control_pb2.CHANGE_PHASE_IN_FORCE, "at the next schedule()"))
        for phase, wait_for, promise in phases:
            times = [await call(running - number % 5, wait_for) * 1000 for number in range(CALLS)]
            report.row(
                f"{name}: {phase}, p50 and p99",
                f"{report.median(times):.1f}, {report.quantile(times, 0.99):.1f} ms",
                f"{baseline:.1f} ms ListEngines, p50",
                report.median(times) / baseline,
                promise,
            )


def main() -> None:
    report.heading(f"Limit change, RPC to accepted and in force, {CALLS} changes")
    for name, stage_us, running, in_force in (
        ("64 running, stages of 10 ms", 10_000, 64, True),
        ("64 running, stages of 1 ms", 1_000, 64, True),
        ("256 running, stages of 10 ms", 10_000, 256, True),
        ("device stuck in a step", 600_000_000, 64, False),
    ):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
            path = Path(directory)
            with engine(path, stage_us, running), daemon(path):
                asyncio.run(measure(path, name, running, in_force=in_force))


if __name__ == "__main__":
    main()
