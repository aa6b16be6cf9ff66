"""Steps in columns: a column for each field of ``rblntop.v1.Step``, named by its number.

A field that a newer version adds becomes a column that an older one skips.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rblntop.recording.columns import pack_column, unpack_columns
from rblntop.recording.errors import DamagedBlockError
from rblntop_api.v1 import engine_pb2, step_pb2

HEADER = struct.Struct("<IIQq")
"""bytes of this header, steps, records missed before them, wall clock minus CLOCK_MONOTONIC in ns."""
#: Steps of one block, to write and to read. One that is constant in all its columns takes no room at all.
MAX_STEPS = 16_384
#: A run of empty steps has at most one count for each cause.
MAX_CAUSES = 8 * MAX_STEPS

_FLOAT = struct.Struct("<f")
_WORD = struct.Struct("<I")

_FIELDS = step_pb2.Step.DESCRIPTOR.fields_by_name
_CAUSE_FIELDS = step_pb2.EmptyCauseCount.DESCRIPTOR.fields_by_name
_CAUSES = _FIELDS["causes"].number
_KV = _FIELDS["kv_usage_ratio"]
_OPTIONAL = {name for name, field in _FIELDS.items() if field.has_presence and field.message_type is None}
_PLAIN = {
    name: field.number
    for name, field in _FIELDS.items()
    if name not in _OPTIONAL and name not in ("causes", "kv_usage_ratio")
}
#: Columns of the causes: their own numbers above that of the field.
_CAUSE_COLUMNS = {name: _CAUSES << 8 | field.number for name, field in _CAUSE_FIELDS.items()}
_NESTED = dict.fromkeys(_CAUSE_COLUMNS.values(), _CAUSES)


@dataclass(frozen=True, slots=True)
class StepRun:
    """Consecutive steps, and what is missing before them."""

    steps: Sequence[step_pb2.Step]
    missed: int = 0
    """Records before the first step that nobody has."""
    offset_ns: int = 0
    """Wall clock minus CLOCK_MONOTONIC of the engine's host. 0: not known."""
    engine: engine_pb2.Engine | None = None
    """Whose they are. Not in the block: the recording says it once."""


def pack_steps(run: StepRun) -> bytes:
    """A block's content.

    Raises:
        ValueError: there are none, or too many.
    """
    steps = run.steps
    if not 0 < len(steps) <= MAX_STEPS:
        raise ValueError(f"{len(steps)} steps in a block")
    parts = [HEADER.pack(HEADER.size, len(steps), min(run.missed, 2**64 - 1), run.offset_ns)]
    for name, number in _PLAIN.items():
        parts.append(pack_column(number, [getattr(step, name) for step in steps]))
    for name in sorted(_OPTIONAL):
        # 0: absent.
        values = [getattr(step, name) + 1 if step.HasField(name) else 0 for step in steps]
        parts.append(pack_column(_FIELDS[name].number, values))
    bits = [_WORD.unpack(_FLOAT.pack(step.kv_usage_ratio))[0] for step in steps]
    parts.append(pack_column(_KV.number, bits))
    causes = [cause for step in steps for cause in step.causes]
    if len(causes) > MAX_CAUSES:
        raise ValueError(f"{len(causes)} causes in a block")
    if causes:
        parts.append(pack_column(_CAUSES, [len(step.causes) for step in steps]))
        for name, number in _CAUSE_COLUMNS.items():
            parts.append(pack_column(number, [getattr(cause, name) for cause in causes]))
    return b"".join(parts)


def unpack_steps(content: bytes) -> StepRun:
    """The steps of a block.

    Raises:
        DamagedBlockError: the content is not what :func:`pack_steps` makes.
    """
    if len(content) < HEADER.size:
        raise DamagedBlockError("its steps have no header")
    size, count, missed, offset_ns = HEADER.unpack_from(content)
    if not HEADER.size <= size <= len(content) or not 0 < count <= MAX_STEPS:
        raise DamagedBlockError(f"it says {count:,} steps; at most {MAX_STEPS:,} are allowed")
    columns = unpack_columns(content, size, count, nested=_NESTED, most=MAX_CAUSES)
    fields: dict[str, list[Any]] = {name: columns[no] for name, no in _PLAIN.items() if no in columns}
    for name in _OPTIONAL:
        if found := columns.get(_FIELDS[name].number):
            fields[name] = [value - 1 if value else None for value in found]
    try:
        if found := columns.get(_KV.number):
            fields[_KV.name] = [_FLOAT.unpack(_WORD.pack(bits))[0] for bits in found]
        if counts := columns.get(_CAUSES):
            fields["causes"] = _causes(columns, counts)
        names = list(fields)
        if not names:
            raise DamagedBlockError("its steps have no column")
        rows = zip(*fields.values(), strict=True)
        steps = [step_pb2.Step(**dict(zip(names, row, strict=True))) for row in rows]
    except (ValueError, TypeError, OverflowError, struct.error) as error:
        raise DamagedBlockError(f"its steps have a value that cannot be: {error}") from error
    return StepRun(steps, missed, offset_ns)


def _causes(columns: dict[int, list[int]], counts: list[int]) -> list[list[step_pb2.EmptyCauseCount]]:
    named = {name: columns[no] for name, no in _CAUSE_COLUMNS.items() if no in columns}
    rows = zip(*named.values(), strict=True)
    every = (step_pb2.EmptyCauseCount(**dict(zip(named, row, strict=True))) for row in rows)
    return [[cause for _, cause in zip(range(count), every, strict=False)] for count in counts]
