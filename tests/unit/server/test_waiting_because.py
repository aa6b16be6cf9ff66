"""What an accepted change waits for, in words."""

from __future__ import annotations

import pytest

from rblntopd.engines.limits import LimitKind, Limits
from rblntopd.metrics.cells import NS
from rblntopd.probe.ring_format import LIVE_WORDS, Live
from rblntopd.server.phases import Phase, phase_of, waiting_because


def live(running=29, schedule_ns=100 * NS):
    words = [0] * LIVE_WORDS
    words[Live.RUNNING], words[Live.SCHEDULE_NS], words[Live.UNFINISHED] = running, schedule_ns, running
    return tuple(words)


def limits(generation=3, force=None, settled=None):
    return Limits(generation, (), 24, LimitKind.MAX_NUM_SEQS, 10, 0, force, settled)


@pytest.mark.parametrize(
    ("phase", "words", "idle", "text"),
    [
        (Phase.ACCEPTED, live(0), True, "engine is idle: in force from its next step"),
        (Phase.ACCEPTED, live(schedule_ns=88 * NS), False, "scheduler silent for 12 s"),
        (Phase.IN_FORCE, live(schedule_ns=88 * NS), False, "scheduler silent for 12 s"),
        (Phase.IN_FORCE, live(), False, "draining: 29 running, target 24"),
        (Phase.ACCEPTED, live(), False, "no step has run under it yet"),
    ],
)
def test_the_reason_is_named(phase, words, idle, text):
    assert waiting_because(phase, limits(), words, 100 * NS, idle) == text


@pytest.mark.parametrize(
    ("shown", "phase"),
    [
        (None, Phase.ACCEPTED),
        (limits(), Phase.ACCEPTED),
        (limits(force=11), Phase.IN_FORCE),
        (limits(force=11, settled=12), Phase.SETTLED),
        (limits(generation=4, force=11, settled=12), Phase.ACCEPTED),
    ],
)
def test_the_phase_is_that_of_the_own_generation(shown, phase):
    assert phase_of(shown, 3) is phase
