"""The time, so that a test can hold it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings of the time."""

    def monotonic_s(self) -> float:
        """For ages."""

    def wall_s(self) -> float:
        """For the reader: seconds since the epoch."""


class SystemClock:
    """The machine's."""

    def monotonic_s(self) -> float:
        """For ages."""
        return time.monotonic()

    def wall_s(self) -> float:
        """For the reader."""
        return time.time()
