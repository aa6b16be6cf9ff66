"""What an engine did since the daemon watches it, as counts that only grow: Prometheus makes the rates."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from rblntopd.probe.ring_format import MAX_GROUPS, EmptyCause, Kind

#: Upper bounds of the buckets, in ns. They never change: histograms of different times and engines add up.
STEP_BOUNDS_NS = tuple(
    ms * 1_000_000
    for ms in (1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
)
GAP_BOUNDS_NS = tuple(
    ms * 1_000_000 for ms in (2, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 250, 500, 1000, 2500, 10_000)
)
BATCH_BOUNDS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256)

#: Group of decodes that belong to none.
NO_GROUP = -1
EMPTY, PREFILL, DECODE, MIXED, LOST = (int(kind) for kind in Kind)
_NO_CAUSES: tuple[tuple[int, ...], tuple[int, ...]] = ((0,) * len(EmptyCause), (0,) * len(EmptyCause))


class Histogram:
    """Counts by bucket, and the sum of what was counted."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[int]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Of each bucket alone, the one above all bounds last."""
        self.sum = 0

    def add(self, value: int) -> None:
        """Count one value. A value that equals a bound is in the bucket below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class GroupTotals:
    """Counts of one group."""

    __slots__ = ("batches", "bucket_requests", "bucket_slots", "gaps", "last_decode_ns")

    def __init__(self) -> None:
        self.batches = Histogram(BATCH_BOUNDS)
        """Requests of the decode steps."""
        self.gaps = Histogram(GAP_BOUNDS_NS)
        """Times between two consecutive completions of decodes, as docs/metrics.md defines them."""
        self.bucket_requests = 0
        """Requests of the decode steps that ran in a compiled bucket."""
        self.bucket_slots = 0
        """Sizes of those buckets."""
        self.last_decode_ns = 0
        """0: none that the next gap could be counted from."""


class Totals:
    """Counts of one engine. What it did before :attr:`from_ns` is left out, so that each step counts in one
    daemon only and a daemon's start is no burst.
    """

    def __init__(self, from_ns: int = 0) -> None:
        self.from_ns = from_ns
        """CLOCK_MONOTONIC: steps that completed earlier do not count."""
        self.steps = [0] * len(Kind)
        """By kind; of empty ones every ``schedule()`` call."""
        self.latency = {kind: Histogram(STEP_BOUNDS_NS) for kind in (PREFILL, DECODE, MIXED)}
        """Completed - scheduled, by kind."""
        self.groups: dict[int, GroupTotals] = {}
        self.empty_steps = [0] * len(EmptyCause)
        self.empty_slot_us = [0] * len(EmptyCause)
        self.slot_ns = 0
        """Slot time of batches that were not empty."""
        self.demand_ns = 0
        """Time with unfinished requests."""
        self.stall_ns = 0
        """Slot time of lone prefills while decodes were ready."""
        self.schedule_ns = 0
        """Time inside ``schedule()`` of real steps."""
        self.output_tokens = 0
        self.prefill_tokens = 0
        self.admitted = 0
        self.preempted = 0
        self.finished = 0
        self._open = False
        self._demand_to_ns = 0

    def forget(self) -> None:
        """Records were lost: no gap and no demand time spans them."""
        self._open = False
        self._end_gaps()

    def group(self, group: int) -> GroupTotals:
        """The counts of a group."""
        group = group if 0 <= group < MAX_GROUPS else NO_GROUP
        found = self.groups.get(group)
        if found is None:
            found = self.groups[group] = GroupTotals()
        return found

    def add(
        self,
        rows: Iterable[tuple[int, ...]],
        causes: Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]],
    ) -> None:
        """Add step records, oldest first, as :meth:`rblntopd.metrics.timeline.Timeline.add` takes them."""
        for (
            word, _step, scheduled_ns, completed_ns, schedule_ns, _generation, tokens, _waiting, _longest,
            _queue_wait_us, requests, prefills, padded, _running, _held, ready, preempted, finished,
            unfinished, new_requests, run_length, _kv_usage, kind, group, _row, _stop, _in_flight,
        ) in rows:  # fmt: skip
            duration_ns = completed_ns - scheduled_ns
            if completed_ns < self.from_ns or duration_ns < 0:
                continue
            if self._open or kind != EMPTY or unfinished:
                begin_ns = self._demand_to_ns if self._open else max(self._demand_to_ns, scheduled_ns)
                self.demand_ns += max(0, completed_ns - max(begin_ns, self.from_ns))
                self._demand_to_ns = max(self._demand_to_ns, completed_ns)
            self._open = unfinished > 0
            self.preempted += preempted
            self.finished += finished
            if kind == EMPTY:
                self.steps[EMPTY] += run_length
                self._add_empty(*causes.get(word - 1, _NO_CAUSES))
            elif kind in self.latency:
                self.steps[kind] += 1
                self.latency[kind].add(duration_ns)
                self.slot_ns += duration_ns
                self.schedule_ns += schedule_ns
                self.admitted += new_requests
                decodes = requests - prefills
                self.output_tokens += decodes
                if kind == DECODE:
                    counts = self.group(group)
                    counts.batches.add(requests)
                    if padded:
                        counts.bucket_requests += requests
                        counts.bucket_slots += padded
                else:
                    self.prefill_tokens += max(0, tokens - decodes)
                    if kind == PREFILL and ready:
                        self.stall_ns += duration_ns
                if decodes > 0:
                    self._add_gap(group, completed_ns, finished < decodes)
            elif kind == LOST:
                self.steps[LOST] += 1
                self.slot_ns += duration_ns
                self.admitted += new_requests
            if not unfinished:
                self._end_gaps()

    def _add_gap(self, group: int, completed_ns: int, goes_on: bool) -> None:
        if not 0 <= group < MAX_GROUPS:
            return
        counts = self.group(group)
        if counts.last_decode_ns:
            counts.gaps.add(completed_ns - counts.last_decode_ns)
        counts.last_decode_ns = completed_ns if goes_on else 0

    def _add_empty(self, steps: Sequence[int], slot_us: Sequence[int]) -> None:
        for cause, (count, us) in enumerate(zip(steps, slot_us, strict=True)):
            self.empty_steps[cause] += count
            self.empty_slot_us[cause] += us

    def _end_gaps(self) -> None:
        for counts in self.groups.values():
            counts.last_decode_ns = 0
