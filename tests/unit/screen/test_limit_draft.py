"""A limit while it is typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.limit_draft import LimitDraft, Phase, effect, open_draft, order_of, problem, warning
from rblntop.model import LimitKind, LimitValue
from rblntop.source import examples

SEQS, CAP = LimitKind.MAX_NUM_SEQS, LimitKind.GROUP_CAP


def test_it_opens_with_the_present_value():
    assert open_draft(SEQS, None, examples.serving()).text == "32"
    assert open_draft(CAP, 2, examples.capped()).text == "2"
    assert open_draft(CAP, None, examples.capped()).text == "2"


@pytest.mark.parametrize(("typed", "text"), [("007", "7"), ("0", "0"), ("", ""), ("123456789", "1234567")])
def test_typing(typed, text):
    assert LimitDraft(SEQS).typed(typed).text == text


def test_typing_ends_a_refusal():
    refused = LimitDraft(SEQS, text="6", phase=Phase.REFUSED, message="no")
    assert refused.typed("5") == LimitDraft(SEQS, text="5")


@pytest.mark.parametrize(
    ("kind", "group", "text", "why"),
    [
        (SEQS, None, "", "type a number"),
        (SEQS, None, "3", "below 4"),
        (SEQS, None, "33", "above 32"),
        (SEQS, None, "24", ""),
        (CAP, 2, "2", "that is what it is now"),
        (CAP, 2, "9", "above 8: the largest compiled decode bucket"),
        (CAP, 9, "1", "does not have this limit"),
        (CAP, None, "8", ""),
    ],
)
def test_problem(kind, group, text, why):
    found = problem(LimitDraft(kind, group, text), examples.capped())
    assert why in found
    assert bool(found) == bool(why)


def test_while_a_change_is_on_trial_no_other_is_possible():
    why = "a change is on trial: leave with Esc, then keep it with K or undo it with U"
    assert problem(LimitDraft(SEQS, None, "16"), examples.trial()) == why


def test_a_limit_that_is_not_available_says_why():
    snapshot = examples.serving()
    assert snapshot.limits.max_num_seqs is not None
    fixed = replace(snapshot.limits.max_num_seqs, available=False, unavailable_reason="probe only observes")
    snapshot = replace(snapshot, limits=replace(snapshot.limits, max_num_seqs=fixed))
    assert problem(LimitDraft(SEQS, text="8"), snapshot) == "probe only observes"


@pytest.mark.parametrize(
    ("snapshot", "draft", "what"),
    [
        (examples.capped(), LimitDraft(CAP, 2, "8"), "up to 6 more of the 118 waiting requests may run"),
        (
            examples.serving(),
            LimitDraft(SEQS, None, "24"),
            "7 of 31 running requests finish and are not",
        ),
        (examples.serving(), LimitDraft(CAP, None, "4"), "15 of 31 running requests finish"),
        (examples.idle(), LimitDraft(SEQS, None, "8"), "nothing to drain"),
        (examples.closed(), LimitDraft(SEQS, None, "28"), "none is admitted: admission is closed"),
    ],
)
def test_effect(snapshot, draft, what):
    assert what in effect(draft, snapshot)


def test_a_value_that_does_not_divide_is_warned_of():
    assert warning(LimitDraft(SEQS, text="9"), examples.serving()).endswith("3/2/2/2")
    assert warning(LimitDraft(SEQS, text="8"), examples.serving()) == ""
    assert warning(LimitDraft(CAP, 1, "5"), examples.serving()) == ""


def test_the_order_is_for_the_process_and_the_generation_that_were_seen():
    snapshot = examples.capped()
    draft = open_draft(CAP, 2, snapshot).typed("8").reasoned(" test over ")
    order = order_of(draft, snapshot, ttl_s=600.0)
    assert order.engines == (snapshot.engine.instance_id,)
    assert order.values == (LimitValue(CAP, 2, 2, 8),)
    assert (order.ttl_s, order.expected_generation, order.reason) == (600.0, 7, "test over")


def test_a_draft_for_all_groups_names_each():
    order = order_of(LimitDraft(CAP, None, "5"), examples.capped(), ttl_s=None)
    assert [(value.group, value.new) for value in order.values] == [(0, 5), (1, 5), (2, 5), (3, 5)]


def test_a_reason_is_cut_to_what_the_log_keeps():
    assert len(LimitDraft(SEQS).reasoned("é" * 100).reason.encode()) == 128


def test_limits_that_moved_keep_what_was_typed():
    draft = LimitDraft(SEQS, text="24", reason="why", generation=7)
    moved = draft.moved(8, "the limits moved")
    assert (moved.text, moved.reason, moved.generation) == ("24", "why", 8)
    assert moved.phase is Phase.REFUSED


def test_several_engines_may_be_asked_for_what_one_of_them_has():
    snapshot = examples.capped()
    assert problem(LimitDraft(CAP, 2, "2"), snapshot) == "that is what it is now"
    assert problem(LimitDraft(CAP, 2, "2", engines=("a", "b")), snapshot) == ""
