"""Events that the lines of the audit log make."""

from __future__ import annotations

import pytest

from rblntopd.events.event import EventKind, Severity
from rblntopd.events.from_audit import event_of, moment_ns
from rblntopd.probe.ring_format import Action

LINE = {
    "line": "done", "time": "2026-11-21T08:25:20.940846Z", "engine": "e/0", "instance": "one", "model": "m",
    "caller": {"name": "uid 7 (ops)"}, "generation": 3, "step": 12, "change_id": "a", "reason": "why",
    "values": [{"kind": "group_cap", "group": 1, "old": 2}],
}  # fmt: skip


def test_a_change_is_told_with_who_what_and_why():
    event = event_of(LINE | {"action": "TRY"})
    assert (event.kind, event.severity) == (EventKind.TRIAL_STARTED, Severity.INFO)
    assert (event.engine, event.instance_id, event.model) == ("e/0", "one", "m")
    assert (event.generation, event.step, event.group) == (3, 12, 1)
    assert event.text == 'trial a: cap of group 1 2 -> unset, by uid 7 (ops) ("why")'
    assert event.time_ns == 1_795_249_520_940_846_000


@pytest.mark.parametrize("action", [action.name for action in Action] + ["REAPPLY", "action 99"])
def test_every_action_has_its_event(action):
    assert event_of(LINE | {"action": action}).text


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("refused", EventKind.CHANGE_REFUSED),
        ("unknown", EventKind.CHANGE_UNKNOWN),
        ("restart", EventKind.ENGINE_RESTARTED),
        ("gap", EventKind.CHANGES_LOST),
    ],
)
def test_what_is_no_change_has_its_event_too(line, kind):
    event = event_of(LINE | {"line": line, "action": "SET", "detail": "because", "missed": 4})
    assert (event.kind, event.count) == (kind, 4)
    assert "because" in event.text


@pytest.mark.parametrize("line", ["intent", "nothing", "several", "carry"])
def test_what_has_not_happened_is_no_event(line):
    assert event_of(LINE | {"line": line, "action": "SET"}) is None


def test_nobody_s_text_steers_a_terminal():
    event = event_of(LINE | {"action": "SET", "reason": "\x1b[2J\u202e"})
    assert event.text.isprintable()


@pytest.mark.parametrize("line", [{}, LINE | {"time": "never"}, LINE | {"values": [{"kind": "odd"}]}])
def test_a_damaged_line_is_refused(line):
    with pytest.raises((KeyError, ValueError, TypeError, AttributeError)):
        event_of({"action": "SET"} | line)


def test_moments_are_exact():
    assert moment_ns("1970-01-01T00:00:01.000001Z") == 1_000_001_000
