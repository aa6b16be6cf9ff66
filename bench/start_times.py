"""How long the commands take to answer, against a Python that does nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from bench import report
from bench.live_daemon import OUR_PYTHON, command, daemon

RUNS = 9


def seconds(argv: list[str]) -> float:
    """Median wall time of a command."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(argv, capture_output=True)
        times.append(time.perf_counter() - start)
    return report.median(times)


def live_screen(argv: list[str]) -> float:
    """Median wall time until a dashboard in a terminal shows a simulated engine, live."""
    times = []
    for _ in range(RUNS):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 36, 120, 0, 0))
        start = time.perf_counter()
        process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        os.close(theirs)
        shown = b""
        while not (b"SIMULATED" in shown and "● live".encode() in shown):
            shown += os.read(ours, 65536)
        times.append(time.perf_counter() - start)
        process.terminate()
        # Until it hangs up: it must not wait for a reader.
        try:
            while os.read(ours, 65536):
                pass
        except OSError:
            pass
        process.wait()
        os.close(ours)
    return report.median(times)


def main() -> None:
    report.heading(f"Start of the commands (wall, median of {RUNS})")
    nothing = seconds([sys.executable, "-c", "pass"])
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory, daemon(Path(directory)):
        address = f"unix:{Path(directory) / 'rblntopd.sock'}"
        for name, arguments, promise in (
            ("rblnctl", ["--help"], "<= 100 ms"),
            ("rblntop", ["--help"], "<= 100 ms"),
            ("rblntopd", ["--help"], "<= 100 ms"),
            ("rblnctl", ["engines"], "<= 200 ms"),
            ("rblntop", ["--once"], "<= 200 ms"),
        ):
            where = [] if arguments == ["--help"] else ["--connect", address]
            took = seconds(command(name, *where, *arguments))
            report.row(
                " ".join([name, *arguments]),
                f"{took * 1000:.0f} ms",
                f"{nothing * 1000:.0f} ms python -c pass",
                took / nothing,
                promise,
            )
        engine = subprocess.Popen(
            [OUR_PYTHON, "-m", "rblntopd.sim.engine"], env={**os.environ, "RBLNTOP_RUNTIME_DIR": directory}
        )
        try:
            attached = live_screen(command("rblntop", "--connect", address))
        finally:
            engine.terminate()
            engine.wait()
    took = live_screen(command("rblntop", "demo"))
    report.row(
        "rblntop demo, to a live screen",
        f"{took * 1000:.0f} ms",
        f"{attached * 1000:.0f} ms rblntop, all running",
        took / attached,
        "<= 2 s",
    )


if __name__ == "__main__":
    main()
