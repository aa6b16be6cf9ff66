"""The limit arithmetic, without a scheduler."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rblntopd.probe.limits import (
    NO_LIMIT,
    LimitChange,
    LimitError,
    LimitState,
    LimitUnavailableError,
    even_share,
    spread_excess,
)


def rbln(start: int = 32, pp: int = 4) -> LimitState:
    return LimitState(
        start=start, group_count=pp, floor=pp, ceiling=pp * (start // pp), cap_ceiling=start // pp
    )


def change(state: LimitState, max_num_seqs: int | None = None, caps: dict[int, int] | None = None,
           members: list[int] | None = None) -> list[str]:  # fmt: skip
    targets = state.wanted(LimitChange(max_num_seqs, caps or {}))
    state.accept(targets, members=members or [0] * state.group_count, step=0, now_ns=0)
    return state.warnings(targets)


def test_an_untouched_engine_admits_what_it_was_started_with() -> None:
    state = rbln(start=9, pp=4)
    assert (state.generation, state.admission, state.changed) == (0, 9, False)


@pytest.mark.parametrize(
    ("max_num_seqs", "caps", "text"),
    [
        (3, {}, "max_num_seqs=3 is not in 4..32"),
        (33, {}, "max_num_seqs=33 is not in 4..32"),
        (-1, {}, "max_num_seqs=-1 is not in 4..32"),
        (None, {0: 0}, "cap of group 0=0 is not in 1..8"),
        (None, {1: 9}, "cap of group 1=9 is not in 1..8"),
        (None, {4: 1}, "group 4 does not exist: groups are 0..3"),
        (None, {-1: 1}, "group -1 does not exist: groups are 0..3"),
        (None, {}, "no limit given: nothing to change"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name_and_range(
    max_num_seqs: int | None, caps: dict[int, int], text: str
) -> None:
    with pytest.raises(LimitError, match=f"^{text}$"):
        change(rbln(), max_num_seqs, caps)


def test_a_refused_change_changes_nothing_even_where_half_of_it_is_right() -> None:
    state = rbln()
    with pytest.raises(LimitError):
        change(state, 16, {0: 4, 1: 99})
    assert (state.generation, state.target, state.targets.caps) == (0, 32, (None,) * 4)


def test_a_limit_that_the_engine_lacks_is_refused_with_the_reason() -> None:
    state = LimitState(
        start=8, group_count=2, floor=2, ceiling=8, cap_ceiling=8, group_cap_reason="no budget"
    )
    with pytest.raises(LimitUnavailableError, match="group caps cannot be changed here: no budget"):
        change(state, None, {0: 1})


def test_a_target_that_leaves_slots_unused_is_accepted_with_a_warning() -> None:
    assert change(rbln(), 9) == ["max_num_seqs=9 is not a multiple of 4 groups: 3/2/2/2 at best"]
    assert change(rbln(), 8) == []


def test_admission_is_the_smaller_of_the_target_and_the_sum_of_the_caps() -> None:
    state = rbln()
    change(state, None, {0: 2})
    assert (state.admission, state.admission_from_caps) == (2 + 8 + 8 + 8, True)
    change(state, 20)
    assert (state.admission, state.admission_from_caps) == (20, False)


def test_running_requests_drain_instead_of_being_preempted() -> None:
    state = rbln()
    change(state, 9)
    assert [state.effective(running) for running in (32, 10, 9, 4)] == [32, 10, 9, 9]


def test_caps_with_room_for_all_that_run_bind_at_once() -> None:
    state = rbln()
    change(state, None, {0: 2}, members=[6, 6, 6, 6])
    assert state.excess == [0, 0, 0, 0]
    assert state.batch_cap(0) == 2


def test_excess_goes_to_the_groups_above_their_cap() -> None:
    assert spread_excess([4, 4], [1, 3], ceiling=4) == [3, 1]


def test_excess_never_lifts_a_batch_above_the_largest_bucket() -> None:
    # Six requests last ran in group 0, where no batch can hold more than four.
    assert spread_excess([6, 2], [1, 3], ceiling=4) == [3, 1]


@given(st.data())
def test_excess_leaves_room_for_everything_that_runs(data: st.DataObject) -> None:
    groups = data.draw(st.integers(1, 8))
    ceiling = data.draw(st.integers(1, 32))
    caps = data.draw(st.lists(st.integers(1, ceiling), min_size=groups, max_size=groups))
    members = data.draw(st.lists(st.integers(0, ceiling), min_size=groups, max_size=groups))
    excess = spread_excess(members, caps, ceiling)
    assert sum(excess) == max(0, sum(members) - sum(caps))
    assert all(0 <= extra <= ceiling - cap for extra, cap in zip(excess, caps, strict=True))


@given(st.data())
def test_excess_only_shrinks_while_the_targets_stay(data: st.DataObject) -> None:
    state = rbln(32, 4)
    members = data.draw(st.lists(st.integers(0, 8), min_size=4, max_size=4))
    change(state, None, dict(enumerate(data.draw(st.lists(st.integers(1, 8), min_size=4, max_size=4)))),
           members=members)  # fmt: skip
    while sum(members):
        before = list(state.excess)
        group = data.draw(st.sampled_from([g for g, count in enumerate(members) if count]))
        members[group] -= 1
        running = sum(members)
        if state.has_surplus(running):
            state.drain_excess(running, members)
        assert all(now <= then for now, then in zip(state.excess, before, strict=True))
        assert sum(state.excess) == max(0, running - sum(state.cap_values))
        # So every running request has a turn in each round of the groups.
        assert sum(state.batch_cap(g) for g in range(4)) >= running


@given(st.lists(st.integers(1, 64), min_size=1, max_size=8), st.integers(0, 600))
def test_even_share_is_the_smallest_that_has_room_for_the_demand(caps: list[int], demand: int) -> None:
    share = even_share(caps, demand)
    room = sum(min(cap, share) for cap in caps)
    if share == NO_LIMIT:
        assert sum(caps) < demand
    else:
        assert room >= demand
        assert share == 1 or sum(min(cap, share - 1) for cap in caps) < demand


@given(st.integers(1, 8), st.integers(1, 64), st.integers(0, 512))
def test_even_share_of_equal_caps_is_the_soft_cap_of_vllm_rbln(pp: int, cap: int, demand: int) -> None:
    if demand <= pp * cap:
        assert even_share([cap] * pp, demand) == max(1, -(-demand // pp))


def test_a_change_is_in_force_with_its_first_step_and_settled_when_it_fits() -> None:
    state = rbln()
    change(state, 8)
    assert (state.in_force_step, state.settled_step) == (0, 0)
    state.begin_step(101)
    state.end_step(101, 12)
    assert (state.in_force_step, state.settled_step) == (101, 0)
    state.end_step(102, 8)
    assert state.settled_step == 102
