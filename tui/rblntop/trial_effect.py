"""What a trial did: tokens a second before it and a minute after, if the load bears comparing."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rblntop.model import Snapshot
from rblntop.text.numbers import known

WINDOW_S = 60
"""Before and after are windows of this length, which do not overlap the change."""
LOAD_MOVED = 0.25
"""Demand that differs by more than this share is another load."""


@dataclass(frozen=True, slots=True)
class TrialEffect:
    """Tokens a second before and after."""

    before: float | None = None
    """None: the trial was there before we looked."""
    after: float | None = None
    """None: not yet."""
    comparable: bool = True
    due_in_s: float | None = None
    """Until ``after`` is there; None: it has not settled, or is there."""


@dataclass(frozen=True, slots=True)
class _Minute:
    """The last minute at one moment."""

    tokens_per_s: float | None
    admitted_per_s: float | None
    waiting: int
    waiting_before: int
    """A minute earlier, or as far back as we know."""

    @property
    def saturated(self) -> bool:
        """More was wanted than could be had: what came out says what the engine can do."""
        return self.waiting > 0 and self.waiting_before > 0

    @property
    def demand_per_s(self) -> float | None:
        """Requests that came: those admitted and those that the queue grew by."""
        if self.admitted_per_s is None or not known(self.admitted_per_s):
            return None
        return self.admitted_per_s + (self.waiting - self.waiting_before) / WINDOW_S


class EffectFollower:
    """Compares the minutes around the trial of one engine."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, int]] = deque()
        self._quiet: _Minute | None = None
        """The latest minute without a trial."""
        self._change_id = ""
        self._before: _Minute | None = None
        self._settled_at_s: float | None = None
        self._after: _Minute | None = None

    def take(self, snapshot: Snapshot) -> None:
        """Look at the next snapshot."""
        now_s, trial = snapshot.time_s, snapshot.limits.trial
        if now_s is None or not known(now_s):
            return
        self._waiting.append((now_s, snapshot.waiting))
        while len(self._waiting) > 2 and self._waiting[1][0] <= now_s - WINDOW_S:
            self._waiting.popleft()
        minute = self._minute(snapshot)
        if trial is None:
            self._quiet, self._change_id = minute, ""
            return
        if trial.change_id != self._change_id:
            self._change_id, self._before = trial.change_id, self._quiet
            self._settled_at_s = self._after = None
        if self._settled_at_s is None and trial.reverts_at_s is not None:
            # Somebody may have given it more time since, so the first sight counts.
            self._settled_at_s = min(now_s, trial.reverts_at_s - trial.ttl_s)
        if self._after is None and self._settled_at_s is not None and now_s - self._settled_at_s >= WINDOW_S:
            self._after = minute

    def effect(self, snapshot: Snapshot) -> TrialEffect | None:
        """What is known of the trial in a snapshot; None: there is none."""
        trial = snapshot.limits.trial
        if trial is None or trial.change_id != self._change_id:
            return None
        before = self._before.tokens_per_s if self._before else None
        if self._after is None:
            due = None
            if self._settled_at_s is not None and snapshot.time_s is not None:
                due = max(0.0, self._settled_at_s + WINDOW_S - snapshot.time_s)
            return TrialEffect(before, due_in_s=due)
        comparable = self._before is not None and _comparable(self._before, self._after)
        return TrialEffect(before, self._after.tokens_per_s, comparable)

    def _minute(self, snapshot: Snapshot) -> _Minute:
        window = snapshot.window(WINDOW_S)
        return _Minute(
            window.output_tokens_per_s if window else None,
            window.admitted_per_s if window else None,
            snapshot.waiting,
            self._waiting[0][1],
        )


def _comparable(before: _Minute, after: _Minute) -> bool:
    if before.saturated and after.saturated:
        return True
    wanted, got = before.demand_per_s, after.demand_per_s
    if wanted is None or got is None:
        return False
    return abs(got - wanted) <= LOAD_MOVED * max(wanted, got, 0.0)
