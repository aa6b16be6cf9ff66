"""Steps come back from their columns as they were, whatever they are."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rblntop.recording.errors import DamagedBlockError
from rblntop.recording.step_block import MAX_STEPS, StepRun, pack_steps, unpack_steps
from rblntop_api.v1 import step_pb2

U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)


def any_step() -> st.SearchStrategy[step_pb2.Step]:
    """Every field with every value that it can have, known to us or not."""
    fields: dict[str, st.SearchStrategy[object]] = {}
    for field in step_pb2.Step.DESCRIPTOR.fields:
        if field.name == "causes":
            cause = st.builds(step_pb2.EmptyCauseCount, cause=st.integers(0, 9), steps=U32, slot_us=U64)
            fields[field.name] = st.lists(cause, max_size=4)
        elif field.cpp_type == field.CPPTYPE_FLOAT:
            fields[field.name] = st.floats(width=32, allow_nan=False)
        elif field.cpp_type == field.CPPTYPE_ENUM:
            fields[field.name] = st.integers(0, 9)
        else:
            whole = U64 if field.cpp_type == field.CPPTYPE_UINT64 else U32
            fields[field.name] = st.none() | whole if field.has_presence else whole
    return st.builds(step_pb2.Step, **fields)


@given(st.lists(any_step(), min_size=1, max_size=8), U64, st.integers(-(2**63), 2**63 - 1))
def test_steps_come_back_as_they_were(steps, missed, offset_ns):
    run = StepRun(steps, missed, offset_ns)
    assert unpack_steps(pack_steps(run)) == run


@given(st.binary(max_size=300))
def test_garbage_is_damaged_and_nothing_else(content):
    with suppress(DamagedBlockError):
        unpack_steps(content)


@given(st.lists(any_step(), min_size=1, max_size=3), st.data())
def test_a_changed_byte_gives_steps_or_is_damaged(steps, data):
    content = bytearray(pack_steps(StepRun(steps)))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(DamagedBlockError):
        unpack_steps(bytes(content))


def test_a_column_of_a_newer_version_is_skipped():
    steps = [step_pb2.Step(sequence=number) for number in range(3)]
    newer = pack_steps(StepRun(steps)) + struct.pack("<HBBIQ", 99, 0, 0, 0, 7)
    assert unpack_steps(newer).steps == steps


def test_a_header_of_a_newer_version_may_be_longer():
    content = bytearray(pack_steps(StepRun([step_pb2.Step(sequence=5)])))
    (size,) = struct.unpack_from("<I", content)
    content[size:size] = b"newer"
    struct.pack_into("<I", content, 0, size + 5)
    assert unpack_steps(bytes(content)).steps[0].sequence == 5


@pytest.mark.parametrize("count", [0, MAX_STEPS + 1, 2**32 - 1])
def test_more_steps_than_a_block_may_have_are_not_made(count):
    content = bytearray(pack_steps(StepRun([step_pb2.Step(sequence=5)])))
    struct.pack_into("<I", content, 4, count)
    with pytest.raises(DamagedBlockError, match="at most 16,384 are allowed"):
        unpack_steps(bytes(content))


def test_more_causes_than_a_block_may_have_are_not_made():
    step = step_pb2.Step(causes=[step_pb2.EmptyCauseCount(cause=1, steps=1, slot_us=1)])
    content = pack_steps(StepRun([step]))
    counts = content.index(struct.pack("<HBBIQ", 28, 0, 0, 0, 1))
    with pytest.raises(DamagedBlockError, match="would have"):
        unpack_steps(content[: counts + 8] + struct.pack("<Q", 2**60) + content[counts + 16 :])
