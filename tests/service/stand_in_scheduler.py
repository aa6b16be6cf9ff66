"""The probe's real limits and changes over a scheduler that only keeps lists."""

from __future__ import annotations

import enum
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from rblntopd.probe.admission import Admission
from rblntopd.probe.changes import Changes
from rblntopd.probe.description import EngineFacts
from rblntopd.probe.enforcement import Enforcement
from rblntopd.probe.limits import LimitState
from rblntopd.probe.rows import Rows


class PauseState(enum.IntEnum):
    """As vLLM's."""

    UNPAUSED = 0
    PAUSED_NEW = 1
    PAUSED_ALL = 2


class Core:
    """As far as an engine's core is needed to wake it."""


class StandInScheduler:
    """Lists of requests, half of them in each of two groups, and the pause state."""

    def __init__(self, description: dict[str, Any], groups: int, largest_bucket: int, reason: str) -> None:
        self._pause_state = PauseState.UNPAUSED
        self.vllm_config = SimpleNamespace(parallel_config=SimpleNamespace(data_parallel_size=1))
        self.running: list[Any] = []
        self.waiting: list[Any] = []
        self.skipped_waiting: list[Any] = []
        self.max_num_running_reqs = description["max_num_seqs"]
        self.rows = Rows(groups)
        self._core = Core()
        start = description["max_num_seqs"]
        facts = EngineFacts(groups, groups, groups, start, False, (largest_bucket,), description)
        self.limits = LimitState(start, groups, groups, start, largest_bucket, max_num_seqs_reason=reason)
        self.enforcement = Enforcement(self, facts, self.rows, self.limits)

    def set_pause_state(self, wanted: PauseState) -> None:
        self._pause_state = wanted

    def changes(self, write: Callable[[Any], None], detach: Callable[[], None]) -> Changes:
        admission = Admission(self, weakref.ref(self._core), observe_only=False)
        return Changes(self.enforcement, admission, write, detach)

    def run_with(self, running: int) -> list[int]:
        """Have so many running requests; returns those of each group."""
        count = self.rows.count
        members = [
            {f"{group}-{n}": 1 for n in range(running // count + (group < running % count))}
            for group in range(count)
        ]
        taken = [self.rows.take(batch) for batch in members if batch]
        for row in taken:
            self.rows.free(row)
        self.running = [SimpleNamespace(request_id=name) for batch in members for name in batch]
        found, _ = self.rows.running_per_group(request.request_id for request in self.running)
        return found
