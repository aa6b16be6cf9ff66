"""``rblntop demo`` shows an engine and leaves nothing behind, also when it or a part of it must be killed."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import psutil
import pytest

from rblntop.demo import background as background_module
from rblntop.demo.background import Background
from rblntop.demo.vllm import ENGINE_PYTHON

DEMO = [sys.executable, "-m", "rblntop.cli.main", "demo"]
MEMORY = Path("/dev/shm")
STUBBORN = """
import multiprocessing, signal, time
from multiprocessing.shared_memory import SharedMemory

def work(name):
    shared = SharedMemory(name)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)

if __name__ == "__main__":
    shared = SharedMemory(create=True, size=4096)
    multiprocessing.get_context("spawn").Process(target=work, args=(shared.name,)).start()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(shared.name, flush=True)
    time.sleep(600)
"""


def of_demo(pid: int) -> tuple[list[psutil.Process], Path | None]:
    """The processes of a demo, its own included, and its directory, as far as they are there."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in processes:
        words = process.cmdline()
        if words[:2] == ["/bin/sh", "-c"]:
            return processes, Path(words[-1])
    return processes, None


def started(pid: int) -> tuple[list[psutil.Process], Path] | None:
    """The same, once an engine has its ring."""
    processes, directory = of_demo(pid)
    if directory is None or not any(directory.glob("engines/*.ring")):
        return None
    return processes, directory


def gone(processes: list[psutil.Process], directory: Path) -> bool:
    """Whether nothing of it is left; a zombie waits for its parent and is nothing any more."""
    alive = [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    return not alive and not directory.exists()


def test_without_a_terminal_it_prints_a_screen_and_leaves_nothing(until):
    process = subprocess.Popen(
        [*DEMO, "--seconds", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    processes, directory = until(lambda: started(process.pid))
    # The demo, the daemon, the engine, and what sweeps up after a demo that was killed.
    assert len(processes) == 4
    screen, said = process.communicate()
    assert process.returncode == 0, said
    assert "SIMULATED" in screen.splitlines()[0]
    assert "sim-collapse/0" in screen
    assert str(directory) in said
    assert gone(processes, directory)


@pytest.mark.skipif(
    ENGINE_PYTHON not in os.environ, reason=f"needs vLLM: ${ENGINE_PYTHON} (make engine sets it)"
)
def test_with_vllm_the_engine_is_real_and_its_device_is_not():
    done = subprocess.run(
        [*DEMO, "--engine", "vllm", "--seconds", "3"],
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert "SIMULATED" in first
    assert "vllm 0.30.0 + vllm-rbln 0.12.0" in first


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_told_to_end_it_leaves_nothing(until, number):
    process = subprocess.Popen(
        [*DEMO, "--scenario", "idle", "--seconds", "600"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    processes, directory = until(lambda: started(process.pid))
    process.send_signal(number)
    assert process.wait() == 128 + number
    assert gone(processes, directory)


def test_killed_it_leaves_nothing_either(until):
    process = subprocess.Popen(
        [*DEMO, "--seconds", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    processes, directory = until(lambda: started(process.pid))
    process.kill()
    process.wait()
    until(lambda: gone(processes, directory))


class Terminal:
    """A demo in a terminal of 120x36."""

    def __init__(self) -> None:
        self.shown = b""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 36, 120, 0, 0))
        self.process = subprocess.Popen(
            DEMO, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm-256color"}
        )
        os.close(theirs)
        os.set_blocking(self._ours, False)

    def shows(self, words: str) -> bool:
        self._read()
        return words.encode() in self.shown

    def ended(self) -> bool:
        self._read()
        return self.process.poll() is not None

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def _read(self) -> None:
        try:
            while read := os.read(self._ours, 65536):
                self.shown += read
        except OSError:
            # Nothing to read now, or the other end is closed.
            pass

    def close(self) -> None:
        os.close(self._ours)


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    made.close()


@pytest.mark.parametrize(("how", "code"), [("q", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_dashboard_shows_it_live_and_stops_it_when_left(terminal, until, how, code):
    until(lambda: terminal.shows("SIMULATED") and terminal.shows("● live"))
    processes, directory = started(terminal.process.pid)
    if how == "q":
        terminal.press("q")
    else:
        terminal.process.send_signal(how)
    until(terminal.ended)
    assert terminal.process.returncode == code
    # The main screen, and no traceback on it.
    assert terminal.shows("\x1b[?1049l")
    assert not terminal.shows("Traceback")
    assert gone(processes, directory)


def test_an_engine_that_does_not_start_says_why(tmp_path):
    done = subprocess.run(
        [*DEMO, "--seconds", "1"],
        env={**os.environ, "RBLNTOP_SIM_NPU": "no json"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "RBLNTOP_SIM_NPU" in done.stderr
    assert "the engine ended with exit code 2" in done.stderr


def test_processes_that_do_not_end_are_killed_and_leave_no_shared_memory(tmp_path, until, monkeypatch):
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    background = Background(tmp_path)
    engine = background.start("engine", [sys.executable, str(script)], dict(os.environ))
    name = until(lambda: background.log("engine").read_text().strip())
    assert (MEMORY / name).exists()
    monkeypatch.setattr(background_module, "STOP_SECONDS", 0.2)
    background.stop()
    assert engine.returncode is not None
    assert not (MEMORY / name).exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(engine.pid, 0)
