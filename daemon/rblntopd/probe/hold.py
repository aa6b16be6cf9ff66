"""Who runs next while group caps hold requests back: those that have waited longest, in decode turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


class HoldTurns:
    """The decode turn in which each request last ran.

    Every turn goes to the requests that have waited longest, so that with R runnable decodes and caps of at
    least c a request decodes again within ceil(R / c) turns.
    """

    def __init__(self) -> None:
        self._turn = 0
        self._last: dict[str, int] = {}

    def decoded(self, members: Iterable[str]) -> None:
        """A decode batch was scheduled."""
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
