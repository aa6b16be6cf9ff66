"""What an engine says of itself is checked, value by value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rblntopd.engines.description import Control, Description, from_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = [*Description.__dataclass_fields__, "controls"]


def test_what_is_missing_is_unknown():
    found = from_json({})
    assert (found.name, found.model, found.max_num_seqs, found.decode_buckets) == ("", "", 0, ())
    assert (found.pp_size, found.batch_queue_depth, found.group_count) == (1, 1, 1)


def test_groups_and_slots_follow_the_pipeline_where_they_are_missing():
    found = from_json({"pp_size": 4})
    assert (found.batch_queue_depth, found.group_count) == (4, 4)


def test_buckets_are_ascending_and_numbers():
    assert from_json({"decode_buckets": [8, 2, 8, "4", True, -1, 4]}).decode_buckets == (2, 4, 8)


@pytest.mark.parametrize("name", ["../other.sock", "/run/other.sock", "..", "."])
def test_a_control_socket_outside_the_directory_is_none(name):
    assert from_json({"control_socket": name}).control_socket == ""


def test_a_text_cannot_steer_a_terminal():
    assert from_json({"name": "a\x1b[2Jb\n"}).name == "a [2Jb "


def test_a_control_that_is_unavailable_always_has_a_reason():
    found = from_json({"controls": {"max_num_seqs": {"available": False}}})
    assert found.max_num_seqs_control == Control(False, "the engine gives no reason")
    assert found.group_cap_control == Control(False, "the engine does not offer it")


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_json_gives_a_description_of_the_right_types(found):
    description = from_json(found)
    for name, field in Description.__dataclass_fields__.items():
        expected = {"str": str, "int": int, "bool": bool, "tuple[int, ...]": tuple, "Control": Control}
        assert type(getattr(description, name)) is expected[field.type]
