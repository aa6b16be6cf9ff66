"""Rows and groups of batches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rblntopd.probe.ring_format import NO_GROUP
from rblntopd.probe.rows import MAX_PENDING, Rows


def batch(*ids: str) -> dict[str, int]:
    return dict.fromkeys(ids, 1)


def test_the_first_batches_take_the_lowest_free_rows() -> None:
    rows = Rows(3)
    assert [rows.take(batch(name)) for name in "abc"] == [0, 1, 2]


def test_a_batch_inherits_the_group_of_its_first_request() -> None:
    rows = Rows(3)
    for name in "abc":
        rows.take(batch(name))
    rows.free(0)
    rows.free(2)
    assert rows.take(batch("c", "a")) == 2


def test_a_batch_whose_group_is_in_flight_takes_the_lowest_free_row() -> None:
    rows = Rows(2)
    rows.take(batch("a", "b"))
    assert rows.take(batch("b")) == 1


def test_a_lone_prefill_holds_a_row_and_leaves_no_group_behind() -> None:
    rows = Rows(2)
    assert rows.take_for_prefill("p") == 0
    assert rows.group_of("p") == NO_GROUP
    assert rows.take(batch("a")) == 1


def test_a_request_keeps_the_group_of_its_latest_batch() -> None:
    rows = Rows(2)
    rows.take(batch("a", "b"))
    rows.take(batch("b"))
    assert (rows.group_of("a"), rows.group_of("b")) == (0, 1)
    rows.merge()
    assert (rows.group_of("a"), rows.group_of("b")) == (0, 1)


def test_running_requests_count_where_they_ran_last_and_all_of_them_count() -> None:
    rows = Rows(2)
    rows.take(batch("a", "b"))
    rows.take(batch("b"))
    rows.free(0)
    rows.take_for_prefill("p")
    assert rows.running_per_group(["a", "b", "p", "never"]) == ([2, 1], 1)


def test_one_group_with_a_deeper_queue_stays_one_group() -> None:
    rows = Rows(1)
    assert [rows.take(batch("a")), rows.take(batch("b"))] == [0, 0]


def test_finished_requests_are_forgotten_and_known_ones_are_not() -> None:
    rows = Rows(1)
    for number in range(4 * MAX_PENDING):
        rows.take(batch(f"r{number}"))
        rows.free(0)
    rows.merge()
    rows.forget_finished({"r0": None})
    assert rows.group_of("r0") == 0
    assert rows.group_of("r1") == NO_GROUP


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 9), min_size=1), st.booleans()), max_size=200),
    st.integers(1, 4),
)
def test_the_deferred_merge_equals_following_every_step(
    steps: list[tuple[set[int], bool]], count: int
) -> None:
    rows, last = Rows(count), {}
    for members, look in steps:
        names = [f"r{number}" for number in sorted(members)]
        row = rows.take(batch(*names))
        last.update(dict.fromkeys(names, row))
        rows.free(row)
        if look:
            rows.merge()
        for name in names:
            assert rows.group_of(name) == last[name]
    counts, unassigned = rows.running_per_group(last)
    assert unassigned == 0
    assert counts == [list(last.values()).count(row) for row in range(count)]
