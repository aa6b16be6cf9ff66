"""Processes beside the dashboard, none of which outlives it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from rblntop.demo.errors import DemoError

STOP_SECONDS = 3.0
"""vLLM waits for open connections, and a load has some: its processes are killed after that."""

TRACKER = "multiprocessing.resource_tracker"
TRACKER_SECONDS = 10.0
TAIL_LINES = 30
PR_SET_PDEATHSIG = 1


class Background:
    """Processes that run beside the dashboard, each the head of a process group that ends with it."""

    def __init__(self, directory: Path) -> None:
        """``directory`` is where what they print goes to."""
        self._directory = directory
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start ``command``; what it prints goes to :meth:`log`. Call it in the main thread."""
        with open(self.log(name), "wb") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                # `python -m` imports from the working directory first.
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=signalled_when_parent_ends(signal.SIGTERM),
            )
        self._running.append((name, process))
        return process

    def log(self, name: str) -> Path:
        """Where ``name`` prints to."""
        return self._directory / f"{name}.log"

    def check(self, wait_s: float = 0.0) -> None:
        """Wait ``wait_s`` for a process to end, which none should.

        Raises:
            DemoError: one has ended; with the end of what it printed.
        """
        for name, process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(wait_s / len(self._running))
                tail = self.log(name).read_text(errors="replace").splitlines()[-TAIL_LINES:]
                raise DemoError("\n".join([*tail, f"the {name} ended with exit code {code}"]))

    def stop(self) -> None:
        """End them all, the last one first: politely, then for certain, workers included."""
        for _, process in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for _, process in reversed(self._running):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            # The group outlives its head as long as a worker does.
            kill_group(process.pid)
            process.wait()


def signalled_when_parent_ends(number: int) -> Callable[[], None]:
    """What a child does first to get signal ``number`` when its parent ends, be it by SIGKILL (Linux)."""
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, number)

    return ask


def kill_group(group: int) -> None:
    """Kill a process group; Python's resource trackers last, because they remove its shared memory.

    A tracker does so when the last process that it keeps track for is gone, and ends. Killed beside them it
    would leave a few hundred MB of address space in /dev/shm, for every demo.
    """
    members = [process for process in psutil.process_iter(["cmdline"]) if _group_of(process.pid) == group]
    trackers = [
        process for process in members if any(TRACKER in word for word in process.info["cmdline"] or ())
    ]
    for process in members:
        if process not in trackers:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    psutil.wait_procs(trackers, TRACKER_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
