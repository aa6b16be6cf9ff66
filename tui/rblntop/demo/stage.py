"""A daemon in a directory of its own, what else a demo starts there, and the screen that shows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rblntop.demo.background import Background
from rblntop.demo.errors import DemoError
from rblntop.demo.place import private_directory

LOOK_S = 0.01
START_S = 60.0
"""Daemon and sim engine take a second; a host that takes so long shows nothing else either."""
ENDING = (signal.SIGTERM, signal.SIGHUP)


class Stage:
    """Where a demo takes place. Made by :func:`stage`."""

    def __init__(self, directory: Path, background: Background) -> None:
        self.directory = directory
        """Runtime directory of daemon and engine, for their files alone."""
        self.address = f"unix:{directory / 'rblntopd.sock'}"
        """Of the daemon."""
        self._background = background

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a process that lives as long as the demo; ``environment`` comes on top of the stage's."""
        self._background.start(name, command, self._environment(environment or {}))

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Run a command to its end.

        Raises:
            DemoError: it failed; with the end of what it printed.
        """
        done = subprocess.run(
            command,
            env=self._environment(environment or {}),
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise DemoError(
                f"{done.stdout[-2000:]}{' '.join(command)} ended with exit code {done.returncode}"
            )

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        own = {
            "RBLNTOP_RUNTIME_DIR": str(self.directory),
            # The audit log: nobody looks for a demo in the user's own.
            "RBLNTOP_STATE_DIR": str(self.directory / "state"),
            "RBLNTOP_PROBE": "control",
        }
        return {**os.environ, **own, **more}

    def log(self, name: str) -> Path:
        """What the process of that name prints."""
        return self._background.log(name)

    def wait_for(self, ready: Callable[[], object], *, seconds: float, what: str) -> None:
        """Wait until ``ready``.

        Raises:
            DemoError: a process has ended, or ``what`` took longer than ``seconds``.
        """
        end_s = time.monotonic() + seconds
        while not ready():
            self._background.check(LOOK_S)
            if time.monotonic() > end_s:
                raise DemoError(f"{what} is not there after {seconds:.0f} s")

    def wait_for_engine(self) -> None:
        """Wait for the daemon's socket and an engine's ring: from now on there is something to see."""
        engines = self.directory / "engines"
        self.wait_for((self.directory / "rblntopd.sock").exists, seconds=START_S, what="the daemon")
        self.wait_for(lambda: any(engines.glob("*.ring")), seconds=START_S, what="the engine")

    def show(self, seconds: float) -> int:
        """Show the dashboard until it is left; without a terminal, a screen after ``seconds``.

        Returns:
            The exit code.
        """
        if sys.stdin.isatty() and sys.stdout.isatty():
            return self._dashboard()
        say(f"no terminal: running for {seconds:g} s")
        self._once(seconds)
        return 0

    def _dashboard(self) -> int:
        from rblntop.app.app import RblntopApp
        from rblntop.settings import SettingsFile, settings_path
        from rblntop.source.live import LiveSource

        # Only now: it was imported while the others started.
        self.wait_for_engine()
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
        settings = SettingsFile(settings_path(os.environ))
        app = RblntopApp(LiveSource(self.address), settings_file=settings)
        code = app.run()
        if app.refusal:
            raise DemoError(app.refusal)
        return code or app.return_code or 0

    def _once(self, seconds: float) -> None:
        from rblntop.cli.show import show_once

        self.wait_for_engine()
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            self._background.check(min(left_s, 1.0))
        show_once(self.address, "", as_json=False)


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage whose daemon starts; all processes and the directory are gone at the end, whatever brings it.

    Call it in the main thread: it listens to signals.
    """
    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        # Whoever started us with nohup meant it.
        if handler is not signal.SIG_IGN:
            signal.signal(number, _leave)
    try:
        with private_directory() as directory:
            background = Background(directory)
            made = Stage(directory, background)
            try:
                made.start("daemon", [sys.executable, "-m", "rblntopd.cli", "serve", "--config", os.devnull])
                yield made
            finally:
                # One who is impatient gets what is wanted all the same.
                for number in (*ENDING, signal.SIGINT):
                    signal.signal(number, signal.SIG_IGN)
                background.stop()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, handler in before.items():
            signal.signal(number, handler)


def say(message: str) -> None:
    """Tell the person who waits."""
    print(f"demo: {message}", file=sys.stderr, flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _end_with_parent(parent: int) -> None:
    """Hang up when the shell (or make) has gone: nobody is left to give the terminal back.

    Not by PR_SET_PDEATHSIG, which looks at the thread that started us: terminals end theirs.
    """
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGHUP)
