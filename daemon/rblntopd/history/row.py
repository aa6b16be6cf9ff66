"""One row of history: sums, means with their weights, and peaks, so that rows can be merged exactly."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Sequence
from itertools import chain
from operator import mul
from typing import NamedTuple

#: The largest half-precision float; counts above it are kept as this.
HALF_MAX = 65504.0
#: Values of each group in ``Row.groups``: mean running requests, mean decode batch, decode steps.
GROUP_VALUES = 3


class Row(NamedTuple):
    """What happened in a second, or in more. All zeros: nothing is known."""

    covered_s: float
    """How much of it there are step records for."""
    sampled_s: float
    """In how many of its seconds the scheduler was looked at: the weight of the means."""
    group_sampled_s: float
    """In how many of them the groups' running requests were known."""
    output_tokens: float
    prefill_tokens: float
    running: float
    running_max: float
    waiting: float
    waiting_max: float
    kv_usage: float
    kv_usage_max: float
    padded: float
    """Sum of the decode steps' buckets, and how much of it was padding."""
    wasted: float
    slot_s: float
    """Slots times demand time, and of it what held a batch, and what stalled decodes (docs/metrics.md)."""
    busy_s: float
    stall_s: float
    gaps: float
    """Token gaps: how many, their median and 99th percentile."""
    gap_p50_s: float
    gap_p99_s: float
    max_seq_len: float
    preempted: float
    groups: tuple[float, ...]
    """``GROUP_VALUES`` values for each group."""


_ENGINE_FORMAT = "fee ff ee ff ee ff eee eee fe"
"""In the order of the fields: half precision (0.05 %) where the range allows it."""
_ENGINE_VALUES = len(Row._fields) - 1


def merge(rows: Sequence[Row]) -> Row:
    """The rows as one. Of the token gaps p50 is the mean by gaps, and p99 the highest: see the callers."""
    if len(rows) == 1:
        return rows[0]
    (
        covered, sampled, group_sampled, output, prefill, running, running_max, waiting, waiting_max, kv,
        kv_max, padded, wasted, slot, busy, stall, gaps, p50, p99, longest, preempted, groups,
    ) = zip(*rows, strict=True)  # fmt: skip
    looks_s, group_looks_s, gap_count = sum(sampled), sum(group_sampled), sum(gaps)
    by_group: list[float] = []
    columns = list(zip(*groups, strict=True))
    for at in range(0, len(columns), GROUP_VALUES):
        group_running, batch, steps = columns[at : at + GROUP_VALUES]
        step_count = sum(steps)
        by_group.append(_mean(group_running, group_sampled, group_looks_s))
        by_group += (_mean(batch, steps, step_count), step_count)
    return Row(
        sum(covered), looks_s, group_looks_s, sum(output), sum(prefill),
        _mean(running, sampled, looks_s), max(running_max),
        _mean(waiting, sampled, looks_s), max(waiting_max),
        _mean(kv, sampled, looks_s), max(kv_max),
        sum(padded), sum(wasted), sum(slot), sum(busy), sum(stall),
        gap_count, _mean(p50, gaps, gap_count), max(p99), max(longest), sum(preempted), tuple(by_group),
    )  # fmt: skip


def _mean(values: Sequence[float], weights: Sequence[float], weight: float) -> float:
    return sum(map(mul, values, weights)) / weight if weight else 0.0


class RowFormat:
    """Rows of so many groups as bytes."""

    def __init__(self, group_count: int) -> None:
        self.group_count = group_count
        self._struct = struct.Struct("<" + _ENGINE_FORMAT + "eee" * group_count)
        half = [code == "e" for code in _ENGINE_FORMAT.replace(" ", "")]
        self._half = half + [True] * (GROUP_VALUES * group_count)
        self.size = self._struct.size
        self.nothing = self.unpack(bytes(self.size))

    def pack_into(self, buffer: bytearray | mmap.mmap, offset: int, row: Row) -> None:
        """Write a row; groups that it does not have are written as nothing, more than fit are left out."""
        width = GROUP_VALUES * self.group_count
        groups = row.groups[:width] + (0.0,) * (width - len(row.groups))
        scalars: tuple[float, ...] = row[:_ENGINE_VALUES]  # type: ignore[assignment]
        values = map(_fitting, chain(scalars, groups), self._half)
        self._struct.pack_into(buffer, offset, *values)

    def unpack(self, raw: bytes | bytearray) -> Row:
        """The row of these bytes."""
        values = self._struct.unpack(raw)
        return Row._make((*values[:_ENGINE_VALUES], values[_ENGINE_VALUES:]))


def _fitting(value: float, half: bool) -> float:
    """What comes from a ring may be anything: a number that cannot be is no number."""
    if not 0.0 <= value < 1e30:
        return 0.0
    return HALF_MAX if half and value > HALF_MAX else value
