"""A daemon ends with the process it was started beside, and not before the last engine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rblntopd.server.followed_process import GRACE_S, FollowedProcess


@pytest.fixture
def clock():
    class Clock:
        now_s = 0.0

        def __call__(self):
            return self.now_s

    return Clock()


@pytest.fixture
def process():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_it_is_over_some_seconds_after_the_process_is_gone(process, clock):
    followed = FollowedProcess(process.pid, clock)
    assert not followed.over(any_engine=False)
    process.kill()
    process.wait()
    assert not followed.over(any_engine=False)
    clock.now_s += GRACE_S
    assert followed.over(any_engine=False)


def test_it_is_not_over_while_an_engine_lives(process, clock):
    followed = FollowedProcess(process.pid, clock)
    process.kill()
    process.wait()
    assert not followed.over(any_engine=True)
    clock.now_s += 2 * GRACE_S
    assert not followed.over(any_engine=True)
    assert not followed.over(any_engine=False)
    clock.now_s += GRACE_S
    assert followed.over(any_engine=False)


def test_a_process_that_is_a_zombie_is_gone(process, clock):
    followed = FollowedProcess(process.pid, clock)
    process.kill()
    while followed.is_running():
        pass
    clock.now_s += GRACE_S
    assert not followed.over(any_engine=False)
    clock.now_s += GRACE_S
    assert followed.over(any_engine=False)


def test_a_process_that_never_was_is_gone(clock):
    followed = FollowedProcess(2**22 + 1, clock)
    assert not followed.over(any_engine=False)
    clock.now_s += GRACE_S
    assert followed.over(any_engine=False)
