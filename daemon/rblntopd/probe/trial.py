"""A change on trial: it is undone by itself unless somebody keeps it (gNMI's Commit Confirmed)."""

from __future__ import annotations

from dataclasses import dataclass

from rblntopd.probe.limits import Targets

#: A trial that has not settled is undone after this long, or after its own ttl where that is longer: silence
#: always reverts, also where requests never end.
UNSETTLED_NS = 3600 * 10**9


@dataclass
class Trial:
    """The one change of an engine that is pending."""

    change_id: str
    before: Targets
    """What it reverts to."""
    generation: int
    ttl_ns: int
    accepted_ns: int
    settled_ns: int = 0
    """0: not yet."""

    @property
    def deadline_ns(self) -> int:
        """When it is undone (CLOCK_MONOTONIC); 0 while it has not settled."""
        return self.settled_ns + self.ttl_ns if self.settled_ns else 0

    def due(self, now_ns: int) -> bool:
        """Whether its time is up."""
        return now_ns >= (self.deadline_ns or self.accepted_ns + max(self.ttl_ns, UNSETTLED_NS))

    def extend(self, ttl_ns: int, now_ns: int) -> None:
        """Give it another ``ttl_ns``: from now on, or from when it settles."""
        self.ttl_ns = ttl_ns
        if self.settled_ns:
            self.settled_ns = now_ns
        else:
            self.accepted_ns = now_ns
