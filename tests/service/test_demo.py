"""What the demo leaves behind: nothing, also of processes that had to be killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
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


@pytest.fixture
def demo(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import demo

    yield demo
    del sys.modules["demo"], sys.modules["demo_load"]


def test_processes_that_do_not_end_are_killed_and_leave_no_shared_memory(demo, tmp_path, until, monkeypatch):
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    background = demo.Background(tmp_path)
    engine = background.start("engine", [sys.executable, str(script)], dict(os.environ))
    name = until(lambda: background.log("engine").read_text().strip())
    assert Path("/dev/shm", name).exists()
    monkeypatch.setattr(demo, "STOP_SECONDS", 0.2)
    background.stop()
    assert engine.returncode is not None
    assert not Path("/dev/shm", name).exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(engine.pid, 0)
