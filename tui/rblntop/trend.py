"""What the figures of an engine were: one value a second for an hour, one in ten seconds for a day."""

from __future__ import annotations

import enum
import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from rblntop.model import Snapshot, Window

SPANS_S = (60, 600, 3600, 86400)
"""What the graphs show."""
FINE_S, COARSE_S = 1, 10
FINE_SLOTS, COARSE_SLOTS = 3600, 8640
FARTHEST_S = 1e11
"""A time beyond year 5000 is no time."""


class Series(enum.Enum):
    """A figure that is drawn over time."""

    TOKENS_PER_S = "tokens/s"
    RUNNING = "running"
    WAITING = "waiting"
    PADDING = "padding"
    PREFILL_STALL = "prefill stall"


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """All series at one time; None: not known."""

    time_s: float
    """Seconds since the epoch."""
    tokens_per_s: float | None = None
    running: float | None = None
    waiting: float | None = None
    padding_ratio: float | None = None
    prefill_stall_ratio: float | None = None

    @property
    def values(self) -> tuple[float | None, ...]:
        """In the order of ``Series``."""
        return (
            self.tokens_per_s,
            self.running,
            self.waiting,
            self.padding_ratio,
            self.prefill_stall_ratio,
        )


def point_of(snapshot: Snapshot) -> TrendPoint | None:
    """The point that a snapshot adds: its shortest window, so that each second stands for itself."""
    if snapshot.time_s is None:
        return None
    window = min(snapshot.windows, key=lambda window: window.seconds, default=None) or Window(0)
    return TrendPoint(
        snapshot.time_s,
        window.output_tokens_per_s,
        snapshot.running,
        snapshot.waiting,
        window.decode_pad_ratio,
        window.prefill_stall_ratio,
    )


class _Slots:
    """Means in slots of fixed width, the newest so many; a slot that holds nothing is NaN."""

    def __init__(self, width_s: int, count: int) -> None:
        self.width_s, self.count = width_s, count
        self.newest = -1
        self._sums = {series: array("d", [math.nan]) * count for series in Series}
        self._counts = {series: array("H", [0]) * count for series in Series}

    def add(self, time_s: float, values: Iterable[float | None]) -> None:
        slot = int(time_s // self.width_s)
        if slot <= self.newest - self.count:
            return
        if slot > self.newest:
            for passed in range(max(self.newest + 1, slot - self.count + 1), slot + 1):
                for series in Series:
                    self._sums[series][passed % self.count] = math.nan
                    self._counts[series][passed % self.count] = 0
            self.newest = slot
        at = slot % self.count
        for series, value in zip(Series, values, strict=True):
            if value is None or not math.isfinite(value):
                continue
            sums, counts = self._sums[series], self._counts[series]
            if counts[at] == 65535:
                continue
            sums[at] = value if counts[at] == 0 else sums[at] + value
            counts[at] += 1

    def mean(self, series: Series, from_s: float, to_s: float) -> float | None:
        """The mean of the slots that begin within the time; None: nothing is known of it."""
        first = max(math.ceil(from_s / self.width_s), self.newest - self.count + 1, 0)
        last = min(math.ceil(to_s / self.width_s) - 1, self.newest)
        total, known = 0.0, 0
        sums, counts = self._sums[series], self._counts[series]
        for slot in range(first, last + 1):
            at = slot % self.count
            if counts[at]:
                total += sums[at] / counts[at]
                known += 1
        return total / known if known else None


class Trend:
    """The past of one engine. Grows with each snapshot; what a daemon remembers is put in once."""

    def __init__(self) -> None:
        self._fine = _Slots(FINE_S, FINE_SLOTS)
        self._coarse = _Slots(COARSE_S, COARSE_SLOTS)
        self.newest_s: float | None = None
        """The present, in the time of the snapshots. None: there has been none."""
        self._last_s = -math.inf
        self._filled = 0
        """How often the past was put in: what was drawn before holds no more."""
        self._drawn: dict[tuple[Series, int, float], tuple[int, int, list[float | None]]] = {}

    def add(self, point: TrendPoint) -> None:
        """Add the present. A recording that is played back may go through the same time again."""
        if not 0 <= point.time_s < FARTHEST_S:
            return
        self.newest_s = point.time_s
        if point.time_s <= self._last_s:
            return
        self._last_s = point.time_s
        self._put(point)

    def fill(self, points: Iterable[TrendPoint]) -> None:
        """Put in the past, oldest first; what is there stays."""
        for point in points:
            if not 0 <= point.time_s < FARTHEST_S:
                continue
            self._put(point)
            self._last_s = max(self._last_s, point.time_s)
        self._filled += 1

    def _put(self, point: TrendPoint) -> None:
        values = point.values
        self._fine.add(point.time_s, values)
        self._coarse.add(point.time_s, values)

    def mean(self, series: Series, from_s: float, to_s: float) -> float | None:
        """Over a time; None where nothing is known of it."""
        young = from_s // FINE_S > self._fine.newest - FINE_SLOTS
        return (self._fine if young else self._coarse).mean(series, from_s, to_s)

    def dots(self, series: Series, span_s: int, columns: int, now_s: float) -> list[float | None]:
        """The last ``span_s`` seconds, two dots a column, oldest first.

        Columns stand at fixed times, so that the curve moves on by whole columns and does not shimmer; only
        the newest one still changes. A dot that is shorter than what is known takes the value before it.
        """
        if columns <= 0 or not 0 <= now_s < FARTHEST_S:
            return []
        width_s = span_s / columns / 2
        last = column_of(now_s, span_s, columns) * 2 + 1
        first = last - columns * 2 + 1
        key = (series, self._filled, width_s)
        known_first, known_end, known = self._drawn.get(key, (0, 0, []))
        slots = self._coarse if span_s > FINE_SLOTS * FINE_S else self._fine
        values = [
            known[dot - known_first]
            if known_first <= dot < known_end
            else self._dot(slots, series, dot * width_s, width_s, now_s)
            for dot in range(first, last + 1)
        ]
        if len(self._drawn) > 32:
            self._drawn.clear()
        # Snapshots may be late: the dots of the newest two columns are made anew.
        self._drawn[key] = (first, last - 3, values)
        return values

    @staticmethod
    def _dot(slots: _Slots, series: Series, from_s: float, width_s: float, now_s: float) -> float | None:
        if from_s > now_s:
            return None
        found = slots.mean(series, from_s, from_s + width_s)
        if found is None and width_s < 2.5 * slots.width_s:
            found = slots.mean(series, from_s - 2.5 * slots.width_s, from_s + width_s)
        return found


def column_of(time_s: float, span_s: int, columns: int) -> int:
    """The number of the column that a time falls into, when a graph of that span has so many."""
    return math.floor(time_s / (span_s / columns))
