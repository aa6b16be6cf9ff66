"""Why a step was empty, told while the scheduler's state still shows it."""

from __future__ import annotations

from typing import Any

from rblntopd.probe.ring_format import EmptyCause
from rblntopd.probe.waiting import waiting_count

CLOSED, BLOCKED, DEMAND, LIMIT, PREFILL, COLLAPSE = CAUSES = tuple(int(cause) for cause in EmptyCause)


def empty_cause(scheduler: Any, *, slots: int, prefill_in_flight: bool, limit_holds: bool) -> int:
    """The first cause that applies to a step in which ``scheduler`` found nothing to run.

    Args:
        scheduler: the scheduler, right after the empty ``schedule()``.
        slots: batches that can be in flight.
        prefill_in_flight: whether a prefill holds a slot.
        limit_holds: whether a limit set through rblntop keeps waiting requests out, or holds decodes back.
    """
    running = len(scheduler.running)
    waiting = waiting_count(scheduler)
    if scheduler._pause_state and waiting + running:
        return CLOSED
    # Room for another request, and none of those that wait got it: KV blocks, a remote KV load, a grammar.
    if waiting and running < scheduler.max_num_running_reqs:
        return BLOCKED
    if running + waiting < slots:
        return DEMAND
    if limit_holds:
        return LIMIT
    if prefill_in_flight:
        return PREFILL
    return COLLAPSE
