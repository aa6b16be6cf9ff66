"""How long the daemon takes to serve after it was started, and to end with a client that takes nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import report

RUNS = 9
SUBSCRIBER = """
import sys, time, grpc
from rblntop_api.v1 import telemetry_pb2, telemetry_pb2_grpc
telemetry = telemetry_pb2_grpc.TelemetryStub(grpc.insecure_channel(sys.argv[1]))
request = telemetry_pb2.WatchSnapshotsRequest()
request.interval.nanos = 100_000_000
next(iter(telemetry.WatchSnapshots(request)))
print("subscribed", flush=True)
time.sleep(600)
"""


def started(directory: Path, notify: socket.socket) -> tuple[subprocess.Popen[bytes], float]:
    """A daemon that says that it is ready, and the seconds from its exec to that."""
    environment = {**os.environ, "NOTIFY_SOCKET": str(notify.getsockname())}
    command = [
        sys.executable, "-m", "rblntopd.cli", "--log-level", "error", "serve", "--config", os.devnull,
        "--runtime-dir", str(directory), "--state-dir", str(directory / "state"),
    ]  # fmt: skip
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    while b"READY=1" not in notify.recv(4096):
        pass
    return process, time.perf_counter() - begin


def stopped_with_stuck_client(directory: Path, process: subprocess.Popen[bytes]) -> float:
    """Seconds from SIGTERM to the end."""
    command = [sys.executable, "-c", SUBSCRIBER, f"unix:{directory / 'rblntopd.sock'}"]
    client = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert client.stdout is not None
    client.stdout.readline()
    client.send_signal(signal.SIGSTOP)
    begin = time.perf_counter()
    process.terminate()
    process.wait()
    took = time.perf_counter() - begin
    client.kill()
    client.wait()
    return took


def main() -> None:
    report.heading(f"The daemon as a service (wall, median of {RUNS})")
    starts, ends, imports = [], [], []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        directory = Path(name)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(f"{directory}/notify")
            for _ in range(RUNS):
                begin = time.perf_counter()
                subprocess.run([sys.executable, "-c", "import grpc.aio"], check=True)
                imports.append(time.perf_counter() - begin)
                process, took = started(directory, notify)
                starts.append(took)
                ends.append(stopped_with_stuck_client(directory, process))
    took, baseline = report.median(starts), report.median(imports)
    report.row(
        "exec to READY",
        f"{took * 1000:.0f} ms",
        f"{baseline * 1000:.0f} ms python, import grpc.aio",
        took / baseline,
        "<= 300 ms",
    )
    report.row("stop with a client that is stopped", f"{max(ends) * 1000:.0f} ms at most", promise="<= 2 s")


if __name__ == "__main__":
    main()
