"""Holds the flight recorder's records against what the observer saw, one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from engine_harness.observer import SeenStep
from rblntopd.probe.ring_format import Kind, Step

COMPARED = (
    "step", "kind", "group", "row", "requests", "prefill_requests", "tokens", "padded", "max_seq_len",
    "running", "waiting", "preempted", "new_requests", "finished", "in_flight", "scheduled_ns",
    "completed_ns",
)  # fmt: skip
"""Of a step with a batch: every field that the observer derives."""
TIMES = ("scheduled_ns", "completed_ns")
"""Equal only in virtual time: in real time the two look at the clock one after the other."""


class EmptyRun(NamedTuple):
    """Consecutive completed empty steps."""

    first_step: int
    length: int
    scheduled_ns: int
    completed_ns: int


def as_recorded(steps: Iterable[Step]) -> list[dict[str, Any] | EmptyRun]:
    """The ring's records in the comparable form. A long empty run may be split over several records."""
    result: list[dict[str, Any] | EmptyRun] = []
    for empty, run in groupby(steps, key=lambda step: step.kind == Kind.EMPTY):
        members = list(run)
        if empty:
            length = sum(step.run_length for step in members)
            first, last = members[0], members[-1]
            assert all(step.group == -1 and step.requests == step.tokens == 0 for step in members)
            result.append(EmptyRun(first.step, length, first.scheduled_ns, last.completed_ns))
        else:
            result += [{name: getattr(step, name) for name in COMPARED} for step in members]
            assert all(step.run_length == 1 for step in members)
    return result


def as_seen(steps: Iterable[SeenStep]) -> list[dict[str, Any] | EmptyRun]:
    """What the observer saw complete, in the same form."""
    result: list[dict[str, Any] | EmptyRun] = []
    for empty, run in groupby(steps, key=lambda step: step.kind == Kind.EMPTY):
        members = list(run)
        if empty:
            first, last = members[0], members[-1]
            result.append(EmptyRun(first.step, len(members), first.scheduled_ns, last.completed_ns))
        else:
            fields = map(dataclasses.asdict, members)
            result += [{name: step[name] for name in COMPARED} for step in fields]
    return result


def first_difference(steps: Iterable[Step], seen: Iterable[SeenStep], *, times: bool = True) -> str:
    """Where record and observation part, in words; empty when they agree on everything."""
    recorded, observed = as_recorded(steps), as_seen(seen)
    if not times:
        recorded, observed = list(map(_without_times, recorded)), list(map(_without_times, observed))
    for position, (left, right) in enumerate(zip(recorded, observed, strict=False)):
        if left != right:
            if isinstance(left, dict) and isinstance(right, dict):
                parted = {name: (left[name], right[name]) for name in COMPARED if left[name] != right[name]}
                return f"record {position}, step {left['step']}: {parted} (recorded, seen) in {right}"
            return f"record {position}: recorded {left}, seen {right}"
    if len(recorded) != len(observed):
        longer = recorded if len(recorded) > len(observed) else observed
        extra = longer[min(len(recorded), len(observed))]
        return f"{len(recorded)} recorded, {len(observed)} seen; the first without counterpart: {extra}"
    return ""


def _without_times(entry: dict[str, Any] | EmptyRun) -> dict[str, Any] | EmptyRun:
    if isinstance(entry, EmptyRun):
        return entry._replace(scheduled_ns=0, completed_ns=0)
    return {name: value for name, value in entry.items() if name not in TIMES}
