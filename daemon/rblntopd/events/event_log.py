"""The latest events, for any number of readers, in memory that does not grow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile

from rblntopd.events.event import Event, EventKind

CAPACITY = 1000
#: Of events that are no longer kept: so many are counted as missed.
DROPPED_COUNTED = 4096


class EventLog:
    """Ids ascend in the order in which the daemon learned of the events: its wall clock in ns, made unique.

    So a reader goes on where it was, also with the next daemon.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._dropped: deque[tuple[int, int]] = deque(maxlen=DROPPED_COUNTED)
        self._last_id = 0
        self._news = asyncio.Event()

    def restore(self, events: Iterable[Event]) -> None:
        """Events of before the daemon's start. Of these the id is when they happened."""
        for event in sorted(events, key=lambda event: event.time_ns)[-self._capacity :]:
            self.add(event, event.time_ns)

    def add(self, event: Event, learned_ns: int) -> None:
        """Something happened, of which the daemon learned at ``learned_ns`` (wall clock)."""
        self._last_id = max(self._last_id + 1, learned_ns)
        self._events.append(replace(event, id=self._last_id))
        if len(self._events) > self._capacity:
            old = self._events.popleft()
            self._dropped.append((old.id, old.time_ns))
        self._news.set()
        self._news = asyncio.Event()

    def latest(self, kind: EventKind) -> dict[tuple[str, str], int]:
        """When something of that kind last happened (wall clock, ns), by engine's name and instance id."""
        found: dict[tuple[str, str], int] = {}
        for event in self._events:
            if event.kind is kind:
                key = event.engine, event.instance_id
                found[key] = max(found.get(key, 0), event.time_ns)
        return found

    @property
    def last_id(self) -> int:
        """Id of the newest event; 0: there was none."""
        return self._last_id

    def after(self, last_id: int) -> tuple[list[Event], int]:
        """The events after one, oldest first, and how many after it are no longer kept."""
        # From the newest back: readers that are up to date are many.
        missed = sum(1 for _ in takewhile(lambda old: old[0] > last_id, reversed(self._dropped)))
        found = list(takewhile(lambda event: event.id > last_id, reversed(self._events)))
        return found[::-1], missed

    def since(self, time_ns: int) -> tuple[list[Event], int]:
        """The events that happened later than ``time_ns``, oldest first, and how many are no longer kept."""
        missed = sum(1 for _, happened_ns in self._dropped if happened_ns > time_ns)
        return [event for event in self._events if event.time_ns > time_ns], missed

    async def wait(self, last_id: int) -> None:
        """Return when there is an event after this one."""
        while self._last_id <= last_id:
            await self._news.wait()
