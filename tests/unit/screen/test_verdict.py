"""Each rule of the verdict, and the order among them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.model import AdmissionState, AdmissionStop, LimitKind, Trial
from rblntop.scene import Link, LinkState, Scene
from rblntop.source import examples
from rblntop.verdict import RULES, Level, judge


def windowed(snapshot, **figures):
    return replace(snapshot, windows=tuple(replace(window, **figures) for window in snapshot.windows))


LOST = Link(LinkState.LOST, 12.0, "gone")
CASES = {
    "stale": (Scene(examples.stalled(), LOST), Level.ACT, "The daemon went away 12 s ago"),
    "gone": (Scene(examples.gone()), Level.ACT, "The engine is gone (pid 4242), last seen 38 s ago"),
    "stalled": (
        Scene(examples.stalled()),
        Level.ACT,
        "Stalled: step 88,409 (decode of group 0) is on the device for 12 s; 72 requests unfinished.",
    ),
    "restarted": (Scene(examples.serving(), restarted_ago_s=3.0), Level.NOTE, "RESTARTED 3.0 s ago"),
    "starting": (Scene(examples.starting()), Level.NOTE, "Starting"),
    "silent": (
        Scene(replace(examples.serving(), age_s=12.0)),
        Level.ACT,
        "No sign of life from the engine for 12 s",
    ),
    "closed": (
        Scene(examples.closed()),
        Level.WATCH,
        "Admission is closed for 28:12: 22 requests run and finish, 41 requests wait.",
    ),
    "trying": (
        Scene(examples.trial_draining()),
        Level.NOTE,
        "TRYING max_num_seqs 32 -> 24; reverts 10 min after it has settled",
    ),
    "held": (
        Scene(examples.held()),
        Level.NOTE,
        "Holding 12 of 28 requests back in turns",
    ),
    "limited": (
        Scene(examples.capped()),
        Level.WATCH,
        "Group 2 is capped at 2 of 8; 118 requests wait, the oldest for 38 s.",
    ),
    "collapsed": (
        Scene(examples.collapsed()),
        Level.WATCH,
        "Groups are uneven: group 0 carries 8 of 9; 39 % of the slots ran empty for it. Caps of 5",
    ),
    "kv_full": (
        Scene(windowed(replace(examples.serving(waiting=3), kv_usage_ratio=0.99), preempted=7)),
        Level.WATCH,
        "KV blocks are full (99 %), 7 preempted in 10 s; 3 requests wait.",
    ),
    "prefill_storm": (
        Scene(windowed(examples.serving(), prefill_stall_ratio=0.4)),
        Level.NOTE,
        "Prefills hold 40 % of the slot time",
    ),
    "padded": (
        Scene(examples.serving((5, 5, 5, 5))),
        Level.NOTE,
        "Padding 38 %: decode batches of group 0 average 5.0; a cap of 4 would fill",
    ),
    "draining": (
        Scene(examples.draining()),
        Level.NOTE,
        "Draining: 29 run, 24 may; 5 more will finish and not be replaced.",
    ),
    "idle": (Scene(examples.idle()), Level.GOOD, "Idle: no requests."),
    "underfed": (
        Scene(windowed(examples.serving(), queue_occupancy_ratio=0.4)),
        Level.GOOD,
        "Room to spare: 31 requests run, and the queue is 40 % full.",
    ),
    "all_well": (Scene(examples.serving()), Level.GOOD, "All even, pipeline full."),
}


@pytest.mark.parametrize("rule", CASES)
def test_rule(rule):
    scene, level, text = CASES[rule]
    verdict = judge(scene)
    assert (verdict.rule, verdict.level) == (rule, level)
    assert verdict.text.startswith(text)


def test_one_bucket():
    snapshot = examples.serving((3, 3), waiting=4)
    snapshot = replace(snapshot, engine=replace(snapshot.engine, decode_buckets=(8,)))
    verdict = judge(Scene(snapshot))
    assert (verdict.rule, verdict.level) == ("one_bucket", Level.WATCH)


def test_every_rule_has_a_case():
    assert {rule.__name__ for rule in RULES} == {*CASES, "one_bucket"}


def test_a_trial_behind_which_requests_wait_is_said_before_the_limit_that_it_set():
    verdict = judge(Scene(examples.trial()))
    assert (verdict.rule, verdict.level) == ("trying", Level.WATCH)
    assert [remedy.key for remedy in verdict.remedies] == ["K", "U"]
    assert verdict.text.endswith("; reverts in 8:41; 41 requests wait")


def test_a_trial_of_several_limits_counts_them():
    limits = replace(examples.limits_of((1, 3, None, None), generation=2), trial=Trial("x", 2, 60.0))
    assert judge(Scene(examples.serving(limits=limits))).text.startswith(
        "TRYING 2 limits; reverts 60 s after"
    )


def with_admission(snapshot, **state):
    return replace(snapshot, limits=replace(snapshot.limits, admission_state=AdmissionState(**state)))


def test_an_engine_that_may_run_nothing_is_not_stalled():
    snapshot = replace(examples.stalled(), running=0, in_flight=())
    assert judge(Scene(snapshot)).rule == "stalled"
    verdict = judge(Scene(with_admission(snapshot, closed=True)))
    assert verdict.text == "Admission is closed: nothing runs any more, 41 requests wait."


def test_a_pause_of_somebody_else_is_not_called_ours():
    verdict = judge(Scene(with_admission(examples.serving(), paused_by_engine=True)))
    assert verdict.text == "Paused by somebody else (vLLM's /pause), who has to resume it; none waits."
    assert verdict.level is Level.NOTE


def test_a_limit_that_nobody_lowered_is_not_ours():
    assert judge(Scene(examples.serving(waiting=40))).rule == "all_well"


def test_max_num_seqs_is_named_when_it_holds_requests_back():
    snapshot = examples.serving(
        (4, 4), waiting=9, limits=examples.limits_of((None, None), seqs=8, generation=2)
    )
    verdict = judge(Scene(snapshot))
    assert verdict.text == "max_num_seqs is set to 8 of 16; 9 requests wait, the oldest for 38 s."
    assert verdict.remedy is not None
    assert verdict.remedy.action == "set_max_num_seqs"


def test_a_limit_under_which_nobody_waits_is_no_trouble():
    snapshot = replace(examples.capped(), waiting=0)
    assert judge(Scene(snapshot)).level is not Level.WATCH


def test_amber_only_if_requests_wait():
    padded = examples.serving((5, 5, 5, 5))
    assert judge(Scene(padded)).level is Level.NOTE
    assert judge(Scene(replace(padded, waiting=1))).level is Level.WATCH


def test_the_remedy_names_the_group():
    verdict = judge(Scene(examples.capped()))
    assert verdict.remedy is not None
    assert (verdict.remedy.key, verdict.remedy.action) == ("G", "set_group_cap(2)")


def test_a_batch_that_no_smaller_bucket_serves_is_not_called_padded():
    snapshot = examples.serving((1, 1))
    engine = replace(snapshot.engine, decode_buckets=(4, 8))
    assert judge(Scene(replace(snapshot, engine=engine))).rule != "padded"


def test_admission_by_group_caps_counts_as_theirs():
    snapshot = replace(examples.capped(), admission_stop=AdmissionStop.MAX_NUM_SEQS)
    assert snapshot.limits.admission_from is LimitKind.GROUP_CAP
    assert judge(Scene(snapshot)).rule == "limited"
