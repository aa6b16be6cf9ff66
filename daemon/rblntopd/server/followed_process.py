"""A process whose end is the daemon's end as well."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

#: Clients get this long to see that the engine is gone.
GRACE_S = 5.0


class FollowedProcess:
    """The command that the daemon was started beside. A reused pid is not mistaken for it."""

    def __init__(self, pid: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.pid = pid
        self._clock_s = clock_s
        self._gone_since_s: float | None = None
        try:
            self._process: psutil.Process | None = psutil.Process(pid)
        except psutil.NoSuchProcess:
            self._process = None

    def over(self, any_engine: bool) -> bool:
        """Whether it has been gone for some seconds with no engine alive: another one may be served too."""
        if any_engine or self.is_running():
            self._gone_since_s = None
            return False
        if self._gone_since_s is None:
            self._gone_since_s = self._clock_s()
        return self._clock_s() - self._gone_since_s >= GRACE_S

    def is_running(self) -> bool:
        """Whether it lives."""
        try:
            return (
                self._process is not None
                and self._process.is_running()
                and self._process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return False
