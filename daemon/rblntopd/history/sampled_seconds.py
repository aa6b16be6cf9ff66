"""What the scheduler's lists looked like, second by second, of the last minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from rblntopd.metrics.cells import NS
from rblntopd.probe.ring_format import Sample

KEPT_S = 70
#: From a step to the next look at steps of the past: as often as the probe samples.
STEP_SAMPLE_NS = NS // 10


class Looks:
    """The looks of one second."""

    __slots__ = ("count", "group_looks", "groups", "kv_usage", "kv_usage_max", "running", "running_max",
                 "waiting", "waiting_max")  # fmt: skip

    def __init__(self) -> None:
        self.count = 0
        self.running = self.running_max = self.waiting = self.waiting_max = 0
        self.kv_usage = self.kv_usage_max = 0.0
        self.groups: list[int] = []
        self.group_looks = 0

    def add(self, running: int, waiting: int, kv_usage: float, groups: Sequence[int] = ()) -> None:
        """One look; without ``groups`` where they are not known."""
        self.count += 1
        self.running += running
        self.waiting += waiting
        self.kv_usage += kv_usage
        self.running_max = max(self.running_max, running)
        self.waiting_max = max(self.waiting_max, waiting)
        self.kv_usage_max = max(self.kv_usage_max, kv_usage)
        if groups:
            self.group_looks += 1
            self.groups = [a + b for a, b in zip(self.groups or [0] * len(groups), groups, strict=True)]


class SampledSeconds:
    """Samples, and for the time before the first of them what the step records say."""

    def __init__(self, group_count: int) -> None:
        self._group_count = group_count
        self._seconds: dict[int, Looks] = {}
        self._sampled_ns = 0
        self._stepped_ns = 0
        self._idle: deque[tuple[int, int, float]] = deque(maxlen=KEPT_S)
        """Spans of whole seconds in which nothing was unfinished: first, end, KV usage."""
        self._left = (-1, 0.0)
        """Second of the latest step and KV usage, where it left nothing unfinished; else -1."""

    def add_sample(self, sample: Sample) -> None:
        """Add a sample, once."""
        if sample.mono_ns <= self._sampled_ns:
            return
        if not self._sampled_ns:
            self.idle_until(sample.mono_ns)
        self._sampled_ns = sample.mono_ns
        groups = sample.group_running[: self._group_count]
        self._second(sample.mono_ns // NS).add(sample.running, sample.waiting, sample.kv_usage, groups)

    def add_steps(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add step records of a time in which nobody looked: a sequence word, then ``ring_format.Step``."""
        for row in rows:
            scheduled_ns, completed_ns = row[2], row[3]
            self.idle_until(scheduled_ns)
            kv_usage = row[21]
            self._left = (-1 if row[18] else completed_ns // NS, kv_usage)
            if completed_ns - self._stepped_ns >= STEP_SAMPLE_NS:
                self._stepped_ns = completed_ns
                self._second(completed_ns // NS).add(row[13], row[7], kv_usage)

    def idle_until(self, mono_ns: int) -> None:
        """Nothing ran since the latest step of :meth:`add_steps`."""
        left_second, kv_usage = self._left
        if left_second >= 0 and mono_ns // NS > left_second + 1:
            self._idle.append((left_second + 1, mono_ns // NS, kv_usage))

    def looks(self, second: int) -> Looks | None:
        """The looks of a second; None: there was none."""
        found = self._seconds.get(second)
        if found is None:
            for first, end, kv_usage in self._idle:
                if first <= second < end:
                    found = Looks()
                    found.add(0, 0, kv_usage)
        return found

    def _second(self, second: int) -> Looks:
        found = self._seconds.get(second)
        if found is None:
            found = self._seconds[second] = Looks()
            while len(self._seconds) > KEPT_S:
                del self._seconds[next(iter(self._seconds))]
        return found
