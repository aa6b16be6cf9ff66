"""CPU and memory of an engine's processes: found by their tree, and never waited for long."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from rblntopd.devices.host import EngineProcess, HostLook, HostUsage, HostWatch, Role, role_of
from rblntopd.probe.process import start_ticks
from rblntopd.server.host_message import host_message

USAGE = HostUsage(cpu_ratio=0.5, cpu_count=2, memory_total_bytes=100, memory_used_bytes=40)


@pytest.mark.parametrize(
    ("command", "is_engine", "role", "rank"),
    [
        ("VLLM::EngineCore", True, Role.ENGINE_CORE, ""),
        ("VLLM::EngineCore_DP1", True, Role.ENGINE_CORE, ""),
        ("VLLM::Worker_PP1_TP0", False, Role.WORKER, "PP1_TP0"),
        ("VLLM::Worker", False, Role.WORKER, ""),
        ("VLLM::APIServer_0", False, Role.API_SERVER, ""),
        ("python engine.py", True, Role.ENGINE_CORE, ""),
        ("/bin/sh", False, Role.OTHER, ""),
    ],
)
def test_a_title_says_what_a_process_is_for(command, is_engine, role, rank):
    assert role_of(command, is_engine) == (role, rank)


@pytest.fixture
def tree():
    """An engine's process with a child that has a worker's title. Both live until they are told."""
    child = "import sys; print('up', flush=True); sys.stdin.read()"
    parent = (
        "import subprocess, sys;"
        f"c = subprocess.Popen(['VLLM::Worker_PP1', '-c', {child!r}], executable=sys.executable);"
        "print(c.pid, flush=True); c.wait()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    lines = sorted(process.stdout.readline().strip() for _ in range(2))
    yield process.pid, int(lines[0])
    process.communicate()


def test_the_processes_of_an_engine_are_its_tree(tree):
    parent, child = tree
    look = HostLook()
    engine = EngineProcess("e", parent, start_ticks(parent))
    first = look.look([engine]).processes["e"]
    assert [(usage.pid, usage.role, usage.rank) for usage in first] == [
        (parent, Role.ENGINE_CORE, ""),
        (child, Role.WORKER, "PP1"),
    ]
    assert all(usage.memory_bytes > 1_000_000 and usage.threads >= 1 for usage in first)
    # A share of time needs two looks.
    assert [usage.cpu_ratio for usage in first] == [None, None]
    assert all(usage.cpu_ratio is not None for usage in look.look([engine]).processes["e"])


def test_a_pid_that_another_process_has_now_is_not_the_engine():
    pid = os.getpid()
    assert HostLook().look([EngineProcess("e", pid, start_ticks(pid) + 1)]).processes == {}
    assert HostLook().look([EngineProcess("e", 2**22 + 1, 1)]).processes == {}


def test_the_host_itself_is_within_what_it_has():
    look = HostLook()
    first, second = look.look([]), look.look([])
    assert first.cpu_ratio is None
    assert second.cpu_ratio is None or 0 <= second.cpu_ratio <= 1
    assert 0 < second.memory_used_bytes < second.memory_total_bytes
    assert second.cpu_count == os.cpu_count()


class Clock:
    seconds = 100.0

    def __call__(self):
        return self.seconds


async def test_however_many_ask_the_host_is_looked_at_once_a_second():
    looks, clock = [], Clock()
    watch = HostWatch(list, lambda engines: looks.append(1) or USAGE, clock, patience_s=3600)
    assert [await watch.usage() for _ in range(3)] == [USAGE] * 3
    assert len(looks) == 1
    clock.seconds += 1
    await watch.usage()
    assert len(looks) == 2


async def test_a_proc_that_hangs_holds_nobody_up_and_its_figures_go_stale():
    clock, go_on = Clock(), threading.Event()
    hangs = [False]

    def look(engines):
        if hangs[0]:
            go_on.wait()
        return USAGE

    watch = HostWatch(list, look, clock, patience_s=0)
    while await watch.usage() is None:  # noqa: ASYNC110 - the thread's turn, no wait
        await asyncio.sleep(0)
    hangs[0] = True
    clock.seconds += 2
    assert await watch.usage() is USAGE
    clock.seconds += 4
    assert await watch.usage() is None
    hangs[0] = False
    go_on.set()
    while await watch.usage() is None:
        clock.seconds += 1
        await asyncio.sleep(0)


async def test_a_look_that_fails_is_logged_once_and_shows_nothing(caplog):
    clock = Clock()

    def look(engines):
        raise PermissionError("/proc is not ours")

    watch = HostWatch(list, look, clock, patience_s=3600)
    for _ in range(3):
        assert await watch.usage() is None
        clock.seconds += 1
    assert caplog.text.count("the host cannot be looked at: /proc is not ours") == 1


def test_a_message_has_the_processes_of_its_engine_alone():
    message = host_message(USAGE, "e")
    assert (message.cpu_ratio, message.memory_used_bytes, len(message.processes)) == (0.5, 40, 0)
