"""Between clients and engine: sends requests on as they come, and turns them away when too many wait."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from typing import Any

from rblntopd.sim.engine.arrivals import Arrival
from rblntopd.sim.engine.request import Request

MAX_WAITING = 48
"""Requests that may wait; more are turned away, as a server with a full queue does. Bounds the memory."""


class FrontEnd:
    """Feeds one scheduler."""

    def __init__(
        self,
        scheduler: Any,
        arrivals: Iterator[Arrival],
        started_ns: int,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self.turned_away = 0
        self._scheduler = scheduler
        self._arrivals = arrivals
        self._started_ns = started_ns
        self._unix_time = unix_time
        self._number = 0
        self._next = next(arrivals, None)
        self._leaving: list[tuple[int, str]] = []

    @property
    def due_ns(self) -> int | None:
        """When the next request comes; None: none will."""
        return None if self._next is None else self._started_ns + self._next.at_ns

    def deliver(self, now_ns: int) -> None:
        """Send what has come until ``now_ns``, and take back what was given up."""
        elapsed_ns = now_ns - self._started_ns
        while self._next is not None and self._next.at_ns <= elapsed_ns:
            self._send(self._next)
            self._next = next(self._arrivals, None)
        while self._leaving and self._leaving[0][0] <= elapsed_ns:
            self._scheduler.finish_requests([heapq.heappop(self._leaving)[1]])

    def _send(self, arrival: Arrival) -> None:
        if self._scheduler.get_request_counts()[1] >= MAX_WAITING:
            self.turned_away += 1
            return
        self._number += 1
        request_id = f"sim-{self._number}"
        self._scheduler.add_request(
            Request(request_id, arrival.prompt_tokens, arrival.output_tokens, self._unix_time())
        )
        if arrival.gives_up_ns:
            heapq.heappush(self._leaving, (arrival.gives_up_ns, request_id))
