"""What the daemon tells systemd."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from rblntopd.server.supervisor import Supervisor


@pytest.fixture
def notify_socket(tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield listening


def told(notify_socket):
    return notify_socket.recv(4096).decode().splitlines()


def test_it_says_that_it_serves_and_how_it_is(notify_socket):
    supervisor = Supervisor()
    supervisor.ready("1 engine")
    assert told(notify_socket) == ["READY=1", "STATUS=1 engine"]
    supervisor.status("1 engine")
    supervisor.status("2 engines")
    assert told(notify_socket) == ["STATUS=2 engines"]


def test_a_reload_has_a_beginning_and_an_end(notify_socket):
    supervisor = Supervisor()
    supervisor.reloading()
    first, clock = told(notify_socket)
    assert first == "RELOADING=1"
    assert int(clock.removeprefix("MONOTONIC_USEC=")) > 0
    supervisor.ready("1 engine")
    assert told(notify_socket)[0] == "READY=1"
    supervisor.stopping()
    assert told(notify_socket) == ["STOPPING=1"]


async def test_the_watchdog_is_pinged_by_the_event_loop(notify_socket):
    environ = {"WATCHDOG_USEC": "30000", "WATCHDOG_PID": str(os.getpid())}
    supervisor = Supervisor(os.environ | environ)
    assert supervisor.watchdog_s == 0.03
    pinging = asyncio.create_task(supervisor.run())
    for _ in range(3):
        assert await asyncio.to_thread(told, notify_socket) == ["WATCHDOG=1"]
    pinging.cancel()


@pytest.mark.parametrize(
    "environ",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}],
)
def test_a_watchdog_that_does_not_wait_for_this_process_is_not_pinged(environ):
    assert Supervisor(environ).watchdog_s is None


def test_without_a_service_manager_nothing_is_told():
    Supervisor({}).ready("1 engine")
