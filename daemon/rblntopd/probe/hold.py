"""Group caps that bind at once: running requests take turns, and those that have waited longest come first.

Schedulers start at the head of their running list in every step, so with caps below what runs the tail would
never run. For the length of one ``schedule()`` those that have waited longest come first; all others keep
their places, since the end of the list decides who is preempted, and a trailing prefill stays last, since
vllm-rbln's guard against mixed batches reads it (0.12.0, guard A of RBLNScheduler.schedule).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rblntopd.probe.limits import LimitState
from rblntopd.probe.rows import Rows


def is_runnable(request: Any) -> bool:
    """Whether the request has a token to compute that is not in flight (synchronous scheduling)."""
    return bool(request.num_computed_tokens < request.num_tokens + len(request.spec_token_ids))


def can_decode(request: Any) -> bool:
    """Whether it is runnable and past its prefill."""
    return request.num_computed_tokens >= request.num_tokens - 1 and is_runnable(request)


class HoldTurns:
    """The decode turn in which each request last ran.

    Every turn goes to the requests that have waited longest, so that with R runnable decodes and caps of at
    least c a request decodes again within ceil(R / c) turns.
    """

    def __init__(self) -> None:
        self._turn = 0
        self._last: dict[str, int] = {}

    def decoded(self, members: Iterable[str]) -> None:
        """A batch with decodes was scheduled."""
        self._turn += 1
        self._last.update(dict.fromkeys(members, self._turn))

    def longest_waiting_first(self, runnable: Iterable[Any]) -> list[Any]:
        """``runnable`` requests in the order in which they should run; those never seen wait from now on."""
        last, turn = self._last, self._turn
        return sorted(runnable, key=lambda request: last.setdefault(request.request_id, turn))

    def longest_wait(self, running: Iterable[Any]) -> int:
        """Turns that the request has waited that waits longest, of ``running``."""
        last, turn = self._last, self._turn
        return max((turn - last.get(request.request_id, turn) for request in running), default=0)

    def forget(self, running: Sequence[Any]) -> None:
        """Drop requests that no longer run, once they outnumber those that do."""
        if len(self._last) > 2 * len(running) + 64:
            known = {request.request_id for request in running}
            self._last = {key: turn for key, turn in self._last.items() if key in known}


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
        self._kept_out: list[Any] = []

    def begin_step(self) -> None:
        """Put those who have waited longest first, as many as the cap of the group about to run takes."""
        running, limits = self._scheduler.running, self._limits
        self.held, self._kept_out = 0, []
        if len(running) <= sum(limits.cap_values):
            return
        runnable = self._turns.longest_waiting_first(filter(can_decode, running))
        if not runnable:
            return
        cap = limits.batch_cap(self._rows.predict(runnable[0].request_id))
        self._kept_out = runnable[cap:]
        self.held = len(self._kept_out)
        first = runnable[:cap]
        chosen = set(map(id, first))
        self._before = list(running)
        running[:] = first + [request for request in running if id(request) not in chosen]

    @property
    def held_ids(self) -> set[str]:
        """Which they are."""
        return {request.request_id for request in self._kept_out}

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
