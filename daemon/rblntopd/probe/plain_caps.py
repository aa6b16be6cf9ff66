"""Group caps on vLLM's own scheduler, which has no decode budget.

Excess decodes are made ineligible for one step through ``Request.next_decode_eligible_step``, which vLLM has
for another purpose (Scheduler.schedule, from 0.24 on) and which leaves preemption and admission as they are:
to hide requests from the running list would change who is preempted and what is admitted.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

from rblntopd.probe.hold import can_decode, is_runnable
from rblntopd.probe.limits import LimitState
from rblntopd.probe.rows import Rows


class PlainCaps:
    """Marks the decodes that must not run in the step about to be scheduled."""

    def __init__(self, scheduler: Any, limits: LimitState, rows: Rows) -> None:
        self._scheduler = scheduler
        self._limits = limits
        self._rows = rows
        self._marked: list[tuple[Any, int]] = []

    def begin_step(self) -> None:
        """Leave as many decodes eligible, from the head of the running list, as the group's cap allows."""
        scheduler = self._scheduler
        runnable = list(filter(is_runnable, scheduler.running))
        if not runnable:
            return
        cap = self._limits.batch_cap(self._rows.predict(runnable[0].request_id))
        # schedule() counts its step first, and compares with `<`.
        never = scheduler.current_step + 2
        for request in itertools.islice(filter(can_decode, runnable), cap, None):
            self._marked.append((request, request.next_decode_eligible_step))
            request.next_decode_eligible_step = never

    def end_step(self) -> None:
        """Make them eligible again."""
        for request, before in self._marked:
            request.next_decode_eligible_step = before
        self._marked.clear()


def why_unsupported(scheduler: Any) -> str:
    """What this vLLM, or the way it was started, lacks; empty: nothing."""
    name = type(scheduler).__name__
    if scheduler.vllm_config.scheduler_config.async_scheduling:
        return "asynchronous scheduling (start the engine with --no-async-scheduling)"
    if not hasattr(scheduler, "current_step"):
        return f"{name} does not count its steps"
    request = getattr(sys.modules.get("vllm.v1.request"), "Request", None)
    if request is None or "next_decode_eligible_step" not in request.__init__.__code__.co_names:
        return "this vLLM's Request has no next_decode_eligible_step"
    return ""
