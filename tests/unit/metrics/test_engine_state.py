"""The state of an engine, on a clock that the test moves."""

from __future__ import annotations

import pytest

from rblntopd.metrics.cells import NS
from rblntopd.metrics.state import EngineState, engine_state
from rblntopd.probe.ring_format import LIVE_WORDS, Live, ProbeState

MS = NS // 1000


def live(**words):
    found = [0] * LIVE_WORDS
    found[Live.STATE] = ProbeState.LIVE
    for name, value in words.items():
        found[Live[name]] = value
    return tuple(found)


def serving_at(seconds, slowest_step_ns=0):
    words = live(STEP=9, UNFINISHED=1, SCHEDULE_NS=10 * NS, COMPLETE_NS=11 * NS)
    return engine_state(words, int(seconds * NS), True, slowest_step_ns)


def test_an_engine_that_has_not_scheduled_yet_is_starting():
    assert engine_state(live(), NS, True, 0) is EngineState.STARTING


def test_an_engine_without_unfinished_requests_is_idle_for_ever():
    assert engine_state(live(STEP=9, SCHEDULE_NS=NS), 1000 * NS, True, 0) is EngineState.IDLE


@pytest.mark.parametrize(
    ("seconds", "slowest_step_ns", "state"),
    [
        (16, 0, EngineState.SERVING),
        (16.1, 0, EngineState.STALLED),
        (16.1, 200 * MS, EngineState.STALLED),
        (16.1, 300 * MS, EngineState.SERVING),
        (17.1, 300 * MS, EngineState.STALLED),
    ],
)
def test_an_engine_with_requests_is_stalled_after_5_s_or_20_slow_steps(seconds, slowest_step_ns, state):
    assert serving_at(seconds, slowest_step_ns) is state


def test_an_engine_whose_process_ended_is_gone_whatever_it_last_said():
    assert engine_state(live(STEP=9, UNFINISHED=1), NS, False, 0) is EngineState.GONE


def test_an_engine_that_said_that_it_ends_is_gone():
    assert engine_state(live(STATE=ProbeState.CLOSED, STEP=9), NS, True, 0) is EngineState.GONE


def test_of_an_engine_whose_probe_is_off_nothing_is_known():
    assert engine_state(live(STATE=ProbeState.FAULTED, STEP=9), NS, True, 0) is EngineState.UNKNOWN


def test_an_engine_whose_probe_was_taken_out_is_not_known():
    assert engine_state(live(STATE=ProbeState.DETACHED, STEP=9), NS, True, 0) is EngineState.UNKNOWN


def test_an_engine_that_admits_nothing_is_closed_whatever_waits():
    words = live(STEP=9, UNFINISHED=5, SCHEDULE_NS=NS)
    assert engine_state(words, 1000 * NS, True, 0, closed=True) is EngineState.CLOSED


def test_a_closed_engine_whose_running_requests_make_no_step_is_stalled():
    words = live(STEP=9, UNFINISHED=5, RUNNING=2, SCHEDULE_NS=10 * NS)
    assert engine_state(words, 12 * NS, True, 0, closed=True) is EngineState.CLOSED
    assert engine_state(words, 1000 * NS, True, 0, closed=True) is EngineState.STALLED
