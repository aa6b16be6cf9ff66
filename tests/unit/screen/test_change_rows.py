"""The log of changes, made from events."""

from __future__ import annotations

from rblntop.change_rows import change_rows, what_changed
from rblntop.lookback import Lookback
from rblntop.model import ChangeAction, ChangeResult, Event, EventKind, LimitKind, LimitValue, LoggedChange
from rblntop.source import example_past, examples

DONE, REFUSED = ChangeResult.DONE, ChangeResult.REFUSED
CAP = LimitValue(LimitKind.GROUP_CAP, 2, 8, 2)


def event(number, kind, action, *, result=DONE, change_id="c1", generation=3, values=(CAP,), engine="m/0"):
    change = LoggedChange(
        time_s=100.0 + number,
        engine=engine,
        action=action,
        result=result,
        caller="ops",
        change_id=change_id,
        generation=generation,
        values=values,
    )
    return Event(number, kind, time_s=100.0 + number, engine=engine, change=change)


def test_a_trial_that_is_kept_is_one_row():
    rows = change_rows(
        [
            event(1, EventKind.TRIAL_STARTED, ChangeAction.TRY),
            event(2, EventKind.CHANGE_SETTLED, ChangeAction.TRY),
            event(3, EventKind.TRIAL_KEPT, ChangeAction.CONFIRM, values=()),
        ],
        "m/0",
    )
    assert [(row.what, row.by, row.outcome, row.time_s, row.settled_s) for row in rows] == [
        ("cap g2 8 -> 2", "ops", "kept", 101.0, 102.0)
    ]


def test_a_trial_that_is_undone_is_two_changes_of_the_limit():
    back = LimitValue(LimitKind.GROUP_CAP, 2, 2, 8)
    rows = change_rows(
        [
            event(1, EventKind.TRIAL_STARTED, ChangeAction.TRY),
            event(2, EventKind.TRIAL_REVERTED, ChangeAction.REVERT, generation=4, values=(back,)),
        ],
        "m/0",
    )
    assert [(row.generation, row.what, row.outcome) for row in rows] == [
        (4, "cap g2 2 -> 8", "timed out"),
        (3, "cap g2 8 -> 2", "timed out"),
    ]


def test_what_was_refused_changed_nothing_and_has_no_mark():
    (row,) = change_rows([event(1, EventKind.CHANGE_REFUSED, ChangeAction.SET, result=REFUSED)], "m/0")
    assert (row.generation, row.outcome) == (0, "refused")


def test_other_engines_are_left_out():
    assert change_rows([event(1, EventKind.LIMITS_CHANGED, ChangeAction.SET, engine="m/1")], "m/0") == ()


def test_caps_that_move_alike_are_told_once():
    values = tuple(LimitValue(LimitKind.GROUP_CAP, group, None, 5) for group in range(4))
    assert what_changed(LoggedChange(values=values)) == "caps unset -> 5"
    mixed = (*values[:1], LimitValue(LimitKind.GROUP_CAP, 1, 8, 5))
    assert what_changed(LoggedChange(values=mixed)) == "cap g0 unset -> 5, cap g1 8 -> 5"


def test_an_event_that_comes_again_is_known():
    lookback = Lookback()
    lookback.learn(example_past.events())
    lookback.learn(example_past.events()[-2:])
    past = lookback.past(examples.capped())
    assert [event.id for event in past.events] == [7, 6, 5, 4, 3, 2, 1]
    assert [change.generation for change in past.changes] == [7, 6]
