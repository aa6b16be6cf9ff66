"""Virtual time that keeps pace with real time."""

from __future__ import annotations

import pytest

from rblntopd.sim.engine import paced_clock
from rblntopd.sim.engine.paced_clock import MAX_LATE_NS, PacedClock


class Host:
    """Real time as the test wants it."""

    def __init__(self) -> None:
        self.now_ns = 1000
        self.late_ns = 0
        self.during_sleep = lambda: None

    def sleep(self, seconds: float) -> None:
        self.during_sleep()
        self.now_ns += round(seconds * 1e9) + self.late_ns


@pytest.fixture
def host(monkeypatch):
    host = Host()
    monkeypatch.setattr(paced_clock.time, "monotonic_ns", lambda: host.now_ns)
    return host


def test_a_moment_is_reached_exactly_however_late_the_host_is(host):
    clock = PacedClock(host.sleep)
    host.late_ns = 500
    clock.wait_until(3000)
    assert (clock.now_ns(), host.now_ns) == (3000, 3500)


def test_time_stands_still_between_two_waits(host):
    clock = PacedClock(host.sleep)
    host.now_ns = 2000
    assert clock.now_ns() == 1000


def test_late_steps_catch_up(host):
    clock = PacedClock(host.sleep)
    host.late_ns = 1000
    clock.wait_until(2000)
    host.late_ns = 0
    clock.wait_until(2500)
    assert (clock.now_ns(), host.now_ns) == (2500, 3000)
    clock.wait_until(4000)
    assert (clock.now_ns(), host.now_ns) == (4000, 4000)


def test_others_see_time_go_by_during_a_wait_and_never_beyond_it(host):
    clock = PacedClock(host.sleep)
    seen = []

    def look() -> None:
        for now_ns in (900, 1500, 9000):
            host.now_ns = now_ns
            seen.append(clock.now_ns())

    host.during_sleep = look
    clock.wait_until(3000)
    assert seen == [1000, 1500, 3000]


def test_a_process_that_was_stopped_for_long_does_not_make_up_for_it(host):
    clock = PacedClock(host.sleep)
    host.late_ns = 2 * MAX_LATE_NS
    clock.wait_until(3000)
    assert clock.now_ns() == host.now_ns


def test_time_never_goes_back(host):
    clock = PacedClock(host.sleep)
    clock.wait_until(3000)
    clock.wait_until(2000)
    assert clock.now_ns() == 3000
