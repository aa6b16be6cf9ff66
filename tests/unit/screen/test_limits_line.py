"""The limits, what is pending, and what becomes of the latest change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.blocks.limits_line import full_limits_lines, limits_lines
from rblntop.blocks.plain_screen import plain_screen
from rblntop.model import AdmissionState
from rblntop.scene import Scene
from rblntop.source import examples
from rblntop.text.line import plain

SETTLED = "in force since step 88,214, settled at step 88,230"


def second(snapshot, width=120):
    return plain(limits_lines(Scene(snapshot), width)[1]).strip()


@pytest.mark.parametrize(
    ("snapshot", "text"),
    [
        (examples.trial(), f"on trial, reverts in 8:41 unless kept   {SETTLED}"),
        (
            examples.trial_draining(),
            "on trial for 10 min once settled   max_num_seqs  target 24 ◀─ 29 running, draining 5 more "
            "── ceiling 32",
        ),
        (examples.held(), "12 held back in turns   in force since step 88,214, draining 12 more"),
        (examples.closed(), f"admission CLOSED, opens in 28:12   {SETTLED}"),
    ],
    ids=["trial", "trial draining", "held", "closed"],
)
def test_what_is_pending_comes_first(snapshot, text):
    assert second(snapshot) == text


@pytest.mark.parametrize("state", ["trial", "trial_draining", "held", "closed"])
def test_it_is_seen_on_the_smallest_screen(state):
    shown = second(getattr(examples, state)(), 80)
    assert shown.startswith(
        {
            "trial": "on trial, reverts in 8:41 unless kept",
            "trial_draining": "on trial for 10 min once settled",
            "held": "12 held back in turns",
            "closed": "admission CLOSED, opens in 28:12",
        }[state]
    )


def test_hold_is_a_word_beside_the_caps():
    first = plain(limits_lines(Scene(examples.held()), 120)[0])
    assert "group caps 4 4 4 4 of 8 HOLD   admits up to 16 by group caps" in first


def test_a_closed_admission_admits_none():
    assert "admits none" in plain(limits_lines(Scene(examples.closed()), 120)[0])


def test_a_pause_of_somebody_else_is_named():
    snapshot = examples.serving()
    paused = replace(snapshot.limits, admission_state=AdmissionState(paused_by_engine=True))
    assert second(replace(snapshot, limits=paused)).startswith("admission PAUSED by somebody else")


def test_as_text_every_pending_thing_has_a_line_with_the_command_that_ends_it():
    closed = replace(examples.trial().limits, admission_state=AdmissionState(closed=True))
    lines = [plain(line) for line in full_limits_lines(Scene(replace(examples.trial(), limits=closed)), 120)]
    assert [line.strip() for line in lines[1:]] == [
        "admission CLOSED, until it is opened: rblnctl admission open prod-70b/0",
        "on trial, reverts in 8:41 unless kept: rblnctl confirm k7q2",
        SETTLED,
    ]
    assert lines[2] in plain_screen(examples.trial())
