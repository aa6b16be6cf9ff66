"""The ring's limits block in the operator's terms."""

from __future__ import annotations

from rblntopd.engines.description import from_json
from rblntopd.engines.limits import AdmissionState, LimitKind, Trial, limits_of
from rblntopd.probe.ring_format import MAX_GROUPS, LimitFlags, Limits

AVAILABLE = {"available": True, "reason": ""}
CONTROLS = {"max_num_seqs": AVAILABLE, "group_cap": AVAILABLE, "admission": AVAILABLE}
DESCRIPTION = from_json({"group_count": 2, "controls": CONTROLS})


def block(generation=0, target=0, caps=(0, 0), admission=8, force=0, settled=0):
    padded = tuple(caps) + (0,) * (MAX_GROUPS - 2)
    return Limits(
        generation,
        0,
        5,
        force,
        settled,
        8,
        target,
        8,
        admission,
        2,
        4,
        2,
        0,
        0,
        0,
        0,
        0,
        0,
        b"",
        padded,
        padded,
        (0,) * MAX_GROUPS,
        (0,) * MAX_GROUPS,
    )


def test_a_limit_that_nobody_set_has_no_target():
    found = limits_of(block(), DESCRIPTION)
    assert [limit.target for limit in found.limits] == [None, None, None]
    found = limits_of(block(1, caps=(1, 0)), DESCRIPTION)
    assert [limit.target for limit in found.limits] == [None, 1, None]
    assert [(limit.floor, limit.ceiling) for limit in found.limits] == [(2, 8), (1, 4), (1, 4)]


def test_a_cap_that_nobody_set_is_effective_at_its_ceiling():
    found = limits_of(block(1, caps=(2, 0), admission=6), DESCRIPTION)
    assert [(limit.target, limit.effective) for limit in found.limits[1:]] == [(2, 2), (None, 4)]


def test_admission_comes_from_the_lower_of_the_two():
    assert limits_of(block(1, target=4, admission=4), DESCRIPTION).admission_from is LimitKind.MAX_NUM_SEQS
    assert limits_of(block(1, caps=(1, 2), admission=3), DESCRIPTION).admission_from is LimitKind.GROUP_CAP


def test_a_step_of_0_is_no_step_yet():
    found = limits_of(block(1), DESCRIPTION)
    assert (found.in_force_step, found.settled_step) == (None, None)
    found = limits_of(block(1, force=6, settled=7), DESCRIPTION)
    assert (found.in_force_step, found.settled_step) == (6, 7)


def test_a_trial_shows_what_it_reverts_to_and_when():
    reverts = (2,) + (0,) * (MAX_GROUPS - 1)
    found = limits_of(
        block(3, target=4, caps=(1, 0))._replace(
            trial_id=b"c7", trial_generation=3, trial_ttl_ms=5000, trial_deadline_ns=99,
            revert_max_num_seqs=6, revert_caps=reverts,
        ),
        DESCRIPTION,
    )  # fmt: skip
    assert found.trial == Trial("c7", 3, 5000, 99)
    assert [limit.reverts_to for limit in found.limits] == [6, 2, None]


def test_a_trial_that_has_not_settled_has_no_deadline():
    found = limits_of(block(3, target=4)._replace(trial_generation=3, trial_ttl_ms=5000), DESCRIPTION)
    assert found.trial.deadline_ns is None


def test_without_a_trial_nothing_reverts():
    found = limits_of(block(3, target=4), DESCRIPTION)
    assert (found.trial, [limit.reverts_to for limit in found.limits]) == (None, [None] * 3)


def test_a_foreign_change_id_has_no_control_characters():
    shown = block()._replace(trial_generation=1, trial_id=b"\x1b[2Jx")
    assert limits_of(shown, DESCRIPTION).trial.change_id == " [2Jx"


def test_the_mode_is_that_of_the_caps_and_of_nothing_else():
    assert limits_of(block(1, target=4), DESCRIPTION).hold is None
    assert limits_of(block(1, caps=(1, 1)), DESCRIPTION).hold is False
    assert limits_of(block(1, caps=(1, 1))._replace(flags=LimitFlags.HOLD), DESCRIPTION).hold is True


def test_admission_says_who_closed_it_and_until_when():
    shown = block(1)._replace(flags=LimitFlags.CLOSED | LimitFlags.PAUSED, closed_until_ns=77)
    assert limits_of(shown, DESCRIPTION).admission_state == AdmissionState(True, 77, True, True, "")
    assert limits_of(block(), DESCRIPTION).admission_state == AdmissionState(available=True)
