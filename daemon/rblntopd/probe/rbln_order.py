"""Turns on vllm-rbln while group caps are held: the running list, in the order in which requests shall run.

RBLNScheduler starts at the head of its running list in every step, so with caps below what runs the tail
would never run. For the length of one ``schedule()`` those that have waited longest come first; all others
keep their places, since the end of the list decides who is preempted, and a trailing prefill stays last,
since the scheduler's guard against mixed batches reads it (vllm-rbln 0.12.0, guard A of its schedule()).
"""

from __future__ import annotations

from typing import Any

from rblntopd.probe.hold import HoldTurns
from rblntopd.probe.limits import LimitState
from rblntopd.probe.rows import Rows


class HeldOrder:
    """Reorders the running list for one step, and puts it back."""

    def __init__(self, scheduler: Any, limits: LimitState, rows: Rows, turns: HoldTurns) -> None:
        self._scheduler = scheduler
        self._limits = limits
        self._rows = rows
        self._turns = turns
        self._before: list[Any] | None = None
        self.held = 0
        """Runnable decodes beyond the cap of the latest step."""

    def begin_step(self) -> None:
        """Put those who have waited longest first, as many as the cap of the group about to run takes."""
        running, limits = self._scheduler.running, self._limits
        self.held = 0
        if len(running) <= sum(limits.cap_values):
            return
        runnable = self._turns.longest_waiting_first(filter(_can_decode, running))
        if not runnable:
            return
        cap = limits.batch_cap(self._rows.predict(runnable[0].request_id))
        self.held = max(0, len(runnable) - cap)
        first = runnable[:cap]
        chosen = set(map(id, first))
        self._before = list(running)
        running[:] = first + [request for request in running if id(request) not in chosen]

    def end_step(self) -> None:
        """Put the list back as it was, without those who left and with those who came at its end."""
        before, self._before = self._before, None
        if before is None:
            return
        running = self._scheduler.running
        there, known = set(map(id, running)), set(map(id, before))
        running[:] = [request for request in before if id(request) in there] + [
            request for request in running if id(request) not in known
        ]


def _can_decode(request: Any) -> bool:
    """Whether the request is past its prefill and not in flight."""
    return not request.num_in_flight_tokens and request.num_computed_tokens >= request.num_tokens - 1
