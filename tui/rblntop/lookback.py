"""Collects what is known of engines beside their present snapshots."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from rblntop.change_rows import ChangeRow, change_rows
from rblntop.model import Event, History, HistoryColumn, RequestTable, Snapshot, Step
from rblntop.past import Past
from rblntop.trend import Trend, TrendPoint, point_of

MOST_EVENTS = 1000
MOST_STEPS = 512
MOST_TRENDS = 256
COLUMNS = (
    HistoryColumn.OUTPUT_TOKENS_PER_S,
    HistoryColumn.RUNNING,
    HistoryColumn.WAITING,
    HistoryColumn.DECODE_PAD_RATIO,
    HistoryColumn.PREFILL_STALL_RATIO,
)
"""What the graphs need, in the order of the series."""
AHEAD_S = 5.0
"""Clocks of daemon and snapshots may differ so much; what is later has not happened yet in a replay."""


class Lookback:
    """One curve an engine name, all events, and requests and steps of the engine on the screen."""

    def __init__(self) -> None:
        self._trends: dict[str, Trend] = {}
        self._events: list[Event] = []
        self._requests: tuple[str, RequestTable] | None = None
        self._steps: tuple[str, deque[Step]] | None = None
        self._rows: tuple[tuple[str, int, int], tuple[Event, ...], tuple[ChangeRow, ...]] | None = None
        self._version = 0

    def add(self, snapshots: Iterable[Snapshot]) -> None:
        """The present of every engine."""
        for snapshot in snapshots:
            point = point_of(snapshot)
            if point is not None:
                self._trend(snapshot.engine.name).add(point)

    def fill(self, history: History) -> None:
        """The past of an engine, as the daemon remembers it."""
        columns = [history.values(column) for column in COLUMNS]
        self._trend(history.engine).fill(
            TrendPoint(history.start_s + (row + 0.5) * history.interval_s, *values)
            for row, values in enumerate(zip(*columns, strict=False))
        )

    def _trend(self, engine: str) -> Trend:
        if engine not in self._trends and len(self._trends) >= MOST_TRENDS:
            self._trends.pop(next(iter(self._trends)))
        return self._trends.setdefault(engine, Trend())

    @property
    def newest_event(self) -> int | None:
        """Its id."""
        return self._events[-1].id if self._events else None

    def learn(self, events: Iterable[Event]) -> None:
        """Events in the order in which the daemon learned of them; those that are known are left out."""
        newest = self.newest_event or 0
        fresh = [event for event in events if event.id > newest]
        if fresh:
            self._events = [*self._events, *fresh][-MOST_EVENTS:]
            self._version += 1

    def know_requests(self, instance_id: str, table: RequestTable | None) -> None:
        """The unfinished requests of an engine; None: nothing is known any more."""
        self._requests = (instance_id, table) if table is not None else None

    def add_steps(self, instance_id: str, steps: Iterable[Step]) -> None:
        """Steps of an engine, in order."""
        if self._steps is None or self._steps[0] != instance_id:
            self._steps = (instance_id, deque(maxlen=MOST_STEPS))
        self._steps[1].extend(steps)

    def past(self, snapshot: Snapshot) -> Past:
        """What is known of the engine of a snapshot, at its time."""
        engine = snapshot.engine
        events, changes = self._until(engine.name, snapshot.time_s)
        return Past(
            self._trends.get(engine.name),
            events,
            changes,
            self._requests[1] if self._requests and self._requests[0] == engine.instance_id else None,
            tuple(self._steps[1]) if self._steps and self._steps[0] == engine.instance_id else (),
        )

    def _until(self, engine: str, now_s: float | None) -> tuple[tuple[Event, ...], tuple[ChangeRow, ...]]:
        """Events that have happened, newest first, and the changes that they tell of."""
        events = self._events
        if now_s is not None:
            events = [one for one in events if one.time_s is None or one.time_s <= now_s + AHEAD_S]
        key = (engine, self._version, len(events))
        if self._rows is None or self._rows[0] != key:
            self._rows = (key, tuple(reversed(events)), change_rows(events, engine))
        return self._rows[1], self._rows[2]
