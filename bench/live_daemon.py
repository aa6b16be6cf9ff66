"""A daemon process for a measurement, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OUR_PYTHON = os.environ.get("RBLNTOP_PYTHON", sys.executable)
"""The Python that has the daemon and the clients; the engine's has only the probe."""


def command(name: str, *arguments: str) -> list[str]:
    """The command line of one of our commands."""
    return [str(Path(OUR_PYTHON).parent / name), *arguments]


@contextmanager
def daemon(runtime_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon on ``runtime_dir`` that has its socket."""
    log = (runtime_dir / "daemon.log").open("wb")
    process = subprocess.Popen(
        command(
            "rblntopd", "serve", "--runtime-dir", str(runtime_dir), "--state-dir", str(runtime_dir / "state")
        ),
        stdout=log,
        stderr=log,
    )
    try:
        address = f"unix:{runtime_dir / 'rblntopd.sock'}"
        # The first call that is answered says that it is up.
        for _ in range(100):
            if (
                subprocess.run(
                    command("rblnctl", "--connect", address, "engines"), capture_output=True
                ).returncode
                == 0
            ):
                break
        else:
            raise RuntimeError((runtime_dir / "daemon.log").read_text())
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def subscriber(runtime_dir: Path, interval_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """A client that watches all engines, and throws away what it gets."""
    address = f"unix:{runtime_dir / 'rblntopd.sock'}"
    process = subprocess.Popen(
        command("rblnctl", "--connect", address, "watch", "--json", "--interval", str(interval_s)),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    # From here on it is subscribed.
    process.stdout.readline()
    drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        drain.wait(30)
