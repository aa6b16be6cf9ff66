"""Virtual time that keeps pace with real time: what happens is the same on every host, and takes as long."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_LATE_NS = 2_000_000_000
"""A process that was stopped for longer than this does not make up for it."""


class PacedClock:
    """CLOCK_MONOTONIC, but a moment that was waited for is reached exactly, however late the host wakes us.

    What the code itself takes is not in it, nor is a host that is busy elsewhere: late steps follow each
    other faster until they are on time again. Other threads see time go by while the engine waits.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._now_ns = self._until_ns = time.monotonic_ns()
        self._sleep = sleep

    def now_ns(self) -> int:
        """The time; between two waits it stands still."""
        return min(max(time.monotonic_ns(), self._now_ns), self._until_ns)

    def wait_until(self, moment_ns: int) -> None:
        """Sleep until ``moment_ns``; whatever ``sleep`` raises ends the wait."""
        self._until_ns = moment_ns = max(moment_ns, self._now_ns)
        self._sleep(max(0, moment_ns - time.monotonic_ns()) / 1e9)
        now_ns = time.monotonic_ns()
        self._now_ns = self._until_ns = moment_ns if now_ns - moment_ns < MAX_LATE_NS else now_ns
