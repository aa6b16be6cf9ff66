"""How long the commands take to answer, against a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import report
from bench.live_daemon import command, daemon

RUNS = 9


def seconds(argv: list[str]) -> float:
    """Median wall time of a command."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(argv, capture_output=True)
        times.append(time.perf_counter() - start)
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


if __name__ == "__main__":
    main()
