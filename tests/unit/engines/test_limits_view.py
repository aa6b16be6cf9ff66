"""The ring's limits block in the operator's terms."""

from __future__ import annotations

from rblntopd.engines.description import from_json
from rblntopd.engines.limits import LimitKind, limits_of
from rblntopd.probe.ring_format import MAX_GROUPS, Limits

AVAILABLE = {"available": True, "reason": ""}
DESCRIPTION = from_json({"group_count": 2, "controls": {"max_num_seqs": AVAILABLE, "group_cap": AVAILABLE}})


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
