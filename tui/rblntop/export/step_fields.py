"""The fields of a step in the words of the proto JSON mapping, without asking the message each time."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from rblntop_api.v1 import step_pb2

_FIELDS = step_pb2.Step.DESCRIPTOR.fields
_CAUSES = step_pb2.EmptyCause.Name

_FLOAT = struct.Struct("<f")

KIND = {number: name.removeprefix("STEP_KIND_").lower() for name, number in step_pb2.StepKind.items()}
STOP = {
    number: name.removeprefix("ADMISSION_STOP_").lower() for name, number in step_pb2.AdmissionStop.items()
}
CAUSE = {number: name.removeprefix("EMPTY_CAUSE_").lower() for name, number in step_pb2.EmptyCause.items()}


def _float(value: float) -> float | str:
    """With the fewest digits that give the same 32-bit number; JSON has no word for what is none."""
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        if _FLOAT.pack(short) == _FLOAT.pack(value):
            return short
    return float(f"{value:.9g}")


def _converter(field: Any) -> Callable[[Any], Any]:
    if field.enum_type is not None:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda number: names.get(number, number)
    if field.cpp_type == field.CPPTYPE_UINT64:
        return str
    if field.cpp_type == field.CPPTYPE_FLOAT:
        return _float
    return lambda value: value


_CONVERTERS = [
    (field.name, field.json_name, field.has_presence, _converter(field))
    for field in _FIELDS
    if field.message_type is None
]


def step_json(step: step_pb2.Step) -> dict[str, Any]:
    """The step in the proto JSON mapping. Zeros are there; only a value that is not known is left out."""
    found = {
        json_name: convert(getattr(step, name))
        for name, json_name, optional, convert in _CONVERTERS
        if not optional or step.HasField(name)
    }
    found["causes"] = [
        {"cause": _cause(cause.cause), "steps": cause.steps, "slotUs": str(cause.slot_us)}
        for cause in step.causes
    ]
    return found


def _cause(number: Any) -> str | int:
    return _CAUSES(number) if number in CAUSE else int(number)


def causes_of(step: step_pb2.Step) -> dict[str, int]:
    """Steps of an empty run by cause."""
    return {CAUSE.get(cause.cause, str(cause.cause)): cause.steps for cause in step.causes}
