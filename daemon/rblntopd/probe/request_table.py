"""Writes down the unfinished requests, when somebody asks: ids and numbers, never what they say."""

from __future__ import annotations

import itertools
import time
from collections.abc import Container, Mapping
from typing import Any

from rblntopd.probe.ring_format import MAX_REQUESTS, REQUEST, REQUEST_ID_SIZE, UNKNOWN_MS, RequestState
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.rows import Rows
from rblntopd.probe.waiting import second_queue

#: However often it is asked for: a thousand rows take a millisecond or two of the engine's time.
INTERVAL_NS = 1_000_000_000
WAITING, RUNNING, PREEMPTED, HELD, REMOTE_KV = (
    int(state) for state in RequestState if state is not RequestState.OTHER
)
#: By the name of vLLM's RequestStatus; all others that wait are waiting.
_STATES = {"PREEMPTED": PREEMPTED, "WAITING_FOR_REMOTE_KVS": REMOTE_KV}
_U16 = 0xFFFF
_pack = REQUEST.pack


class RequestTable:
    """The table in the ring, once a second at most."""

    def __init__(self, scheduler: Any, rows: Rows, waits_us: Mapping[str, int]) -> None:
        self._scheduler = scheduler
        self._rows = rows
        self._waits_us = waits_us
        """How long requests waited until they were first scheduled."""
        self._written_ns = 0

    def write(self, ring: RingWriter, step: int, now_ns: int, held: Container[str]) -> None:
        """Write the table, unless it is fresh: those that run, then those at the head of the queue.

        To be called under the lock that is held during ``schedule()``.
        """
        if self._written_ns and now_ns - self._written_ns < INTERVAL_NS:
            return
        scheduler = self._scheduler
        # Copies made in one go: the engine's thread may add a request meanwhile. A priority queue sorts a
        # copy when it is iterated, so its heap is taken as it lies.
        running = list(scheduler.running)
        waiting: Any = scheduler.waiting
        skipped: Any = second_queue(scheduler)
        total = len(running) + len(waiting) + len(skipped)
        room = max(0, MAX_REQUESTS - len(running))
        heads = [
            *itertools.islice(getattr(skipped, "_heap", skipped), room),
            *itertools.islice(getattr(waiting, "_heap", waiting), room),
        ]
        self._rows.merge()
        now_s = time.time()
        rows = [
            self._row(request, HELD if request.request_id in held else RUNNING, now_s)
            for request in running[:MAX_REQUESTS]
        ]
        rows += [
            self._row(request, _STATES.get(request.status.name, WAITING), now_s) for request in heads[:room]
        ]
        ring.write_requests(now_ns, time.time_ns(), step, total, rows)
        self._written_ns = now_ns

    def _row(self, request: Any, state: int, now_s: float) -> bytes:
        request_id = request.request_id
        # Another host's clock may be far off.
        age_ms = min(max(0, int((now_s - request.arrival_time) * 1000)), UNKNOWN_MS - 1)
        wait_us = self._waits_us.get(request_id)
        group = self._rows.latest_row(request_id)
        if wait_us is not None:
            wait_ms = wait_us // 1000
        else:
            wait_ms = UNKNOWN_MS if state in (RUNNING, HELD, PREEMPTED) else age_ms
        return _pack(
            request_id.encode(errors="replace")[:REQUEST_ID_SIZE], request.num_prompt_tokens,
            request.num_output_tokens, request.num_computed_tokens, age_ms, wait_ms,
            min(getattr(request, "num_preemptions", 0), _U16), state, group,
        )  # fmt: skip
