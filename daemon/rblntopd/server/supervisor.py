"""What the daemon tells systemd: that it serves, how it is, and that its event loop turns."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from typing import Any


class Supervisor:
    """The service manager, where there is one ($NOTIFY_SOCKET, sd_notify(3)); else nothing happens."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._notifier: Any = None
        self._status = ""
        self.watchdog_s = _watchdog_s(environ)
        if environ.get("NOTIFY_SOCKET"):
            from sdnotify import SystemdNotifier

            self._notifier = SystemdNotifier()

    def ready(self, status: str) -> None:
        """The sockets are bound and engines that are there are known; also the end of a reload."""
        self._status = status
        self._tell(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """A line for ``systemctl status``; told when it is another one."""
        if status != self._status:
            self._status = status
            self._tell(f"STATUS={status}")

    def reloading(self) -> None:
        """A reload began."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The end began."""
        self._tell("STOPPING=1")

    async def run(self) -> None:
        """Ping the watchdog from this event loop, which serves the calls, for ever."""
        if self._notifier is None or self.watchdog_s is None:
            await asyncio.Event().wait()
        while self.watchdog_s is not None:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_s / 3)

    def _tell(self, text: str) -> None:
        if self._notifier is not None:
            self._notifier.notify(text)


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """How often systemd wants to hear, if it does, and from this process (sd_watchdog_enabled(3))."""
    given, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID")
    if not given.isdecimal() or int(given) == 0 or pid not in (None, str(os.getpid())):
        return None
    return int(given) / 1e6
