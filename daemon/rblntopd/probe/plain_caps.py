"""Group caps on vLLM's own scheduler, which has no decode budget.

Excess decodes are made ineligible for one step through ``Request.next_decode_eligible_step``, which vLLM has
for another purpose (Scheduler.schedule, from 0.24 on) and which leaves preemption and admission as they are:
to hide requests from the running list would change who is preempted and what is admitted.
"""

from __future__ import annotations

import sys
from typing import Any

from rblntopd.probe.hold import HoldTurns
from rblntopd.probe.limits import LimitState
from rblntopd.probe.rows import Rows


class PlainCaps:
    """Marks the decodes that must not run in the step about to be scheduled."""

    def __init__(self, scheduler: Any, limits: LimitState, rows: Rows, turns: HoldTurns) -> None:
        self._scheduler = scheduler
        self._limits = limits
        self._rows = rows
        self._turns = turns
        self._marked: list[tuple[Any, int]] = []
        self.held = 0
        """Runnable decodes that were left out of the latest step."""

    def begin_step(self) -> None:
        """Leave as many runnable decodes eligible as the cap of the group about to run allows."""
        scheduler, limits = self._scheduler, self._limits
        runnable = [request for request in scheduler.running if _can_decode(request)]
        self.held = 0
        if not runnable:
            return
        if limits.targets.hold:
            runnable = self._turns.longest_waiting_first(runnable)
        # The batch takes its requests in the order of the running list, and the first of them may be a chunk
        # of a prefill: so the group is chosen here, and the recorder told.
        group = self._rows.pin(runnable[0].request_id)
        excess = runnable[limits.batch_cap(group) :]
        self.held = len(excess)
        # schedule() counts its step first, and compares with `<`.
        never = scheduler.current_step + 2
        for request in excess:
            self._marked.append((request, request.next_decode_eligible_step))
            request.next_decode_eligible_step = never

    def end_step(self) -> None:
        """Make them eligible again."""
        for request, before in self._marked:
            request.next_decode_eligible_step = before
        self._marked.clear()


def _can_decode(request: Any) -> bool:
    """Whether the request is past its prefill and has a token to compute that is not in flight."""
    computed, tokens = request.num_computed_tokens, request.num_tokens
    return bool(tokens - 1 <= computed < tokens + len(request.spec_token_ids))


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
