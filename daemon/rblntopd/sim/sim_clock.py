"""The clocks a simulated device can run on: real time, or virtual time that jumps to what is waited for."""

from __future__ import annotations

import time
from typing import Protocol


class SimClock(Protocol):
    """What a simulated device needs of a clock, in ns."""

    def now_ns(self) -> int:
        """The time."""
        ...

    def wait_until(self, moment_ns: int) -> None:
        """Return when ``now_ns()`` has reached ``moment_ns``."""
        ...


class RealClock:
    """CLOCK_MONOTONIC; waiting sleeps, and lets other threads run."""

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    def wait_until(self, moment_ns: int) -> None:
        """Sleep until ``moment_ns``."""
        while (left_ns := moment_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / 1e9)


class VirtualClock:
    """Time that stands still until somebody waits: a run takes no time but its code's, and repeats.

    Starts at one second, because 0 means "never" in many places.
    """

    def __init__(self, start_ns: int = 1_000_000_000) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The virtual time."""
        return self._now_ns

    def wait_until(self, moment_ns: int) -> None:
        """Jump to ``moment_ns``; never back."""
        self._now_ns = max(self._now_ns, moment_ns)
