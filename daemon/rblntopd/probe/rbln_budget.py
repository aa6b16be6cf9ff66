"""Group caps and draining on vllm-rbln's DecodeBatchBudget.

RBLNScheduler looks the name ``DecodeBatchBudget`` up in its module at every step (vllm-rbln 0.12.0,
v1/core/rbln_scheduler.py). A subclass takes its place there and hands out the batch cap of the group about to
run; for a scheduler without changed limits it is the stock budget.
"""

from __future__ import annotations

import sys
import threading
from itertools import filterfalse
from operator import attrgetter
from typing import Any, Protocol

from rblntopd.probe.description import RBLN_SCHEDULER_MODULE
from rblntopd.probe.limits import LimitState, even_share

_in_flight = attrgetter("num_in_flight_tokens")


class GroupOracle(Protocol):
    """Tells which group a decode batch will belong to."""

    def predict(self, first: str) -> int:
        """The group of a batch whose first request is ``first``."""


class StepCaps:
    """The caps of the step that is being scheduled on this thread."""

    def __init__(self, scheduler: Any, limits: LimitState, rows: GroupOracle) -> None:
        self._scheduler = scheduler
        self._limits = limits
        self._rows = rows

    def caps(self, demand: int) -> tuple[int, int]:
        """(hard, soft) cap of the decode batch that this step would make with ``demand`` decodes."""
        limits = self._limits
        hard = limits.batch_cap(self._rows.predict(self._first()))
        return hard, min(hard, even_share(limits.cap_values, demand))

    def admits_beside_full_batch(self) -> bool:
        """Whether the next waiting request may enter although the decode batch is full.

        A cap bounds decodes and never refuses a prefill: a prefill evicts the decode batch and runs alone. A
        waiting request that may turn out ready to decode (everything but its last token is cached or loaded)
        would join the batch and is refused.
        """
        scheduler = self._scheduler
        queue = scheduler._select_waiting_queue_for_scheduling()
        if not queue:
            return False
        request = queue.peek_request()
        if request.num_computed_tokens or scheduler.connector is not None:
            return False
        before_last = request.num_tokens - 1
        if not scheduler.cache_config.enable_prefix_caching:
            return bool(before_last > 0)
        granularity = getattr(scheduler.kv_cache_manager, "sub_block_size", scheduler.hash_block_size)
        return bool(before_last > 0 and before_last % granularity)

    def _first(self) -> str:
        """The first running request that is not in flight: the first of the next decode batch."""
        first = next(filterfalse(_in_flight, self._scheduler.running), None)
        return "" if first is None else str(first.request_id)


_current = threading.local()


def enter(caps: StepCaps) -> None:
    """``schedule()`` of a scheduler with changed limits begins on this thread."""
    _current.caps = caps


def leave() -> None:
    """It ended."""
    _current.caps = None


def install() -> None:
    """Put the budget into vllm-rbln's scheduler module; once, at the first change of a limit.

    Raises:
        RuntimeError: this vllm-rbln has no such budget.
    """
    module: Any = sys.modules.get(RBLN_SCHEDULER_MODULE)
    stock = getattr(module, "DecodeBatchBudget", None)
    if stock is None:
        raise RuntimeError(f"{RBLN_SCHEDULER_MODULE} has no DecodeBatchBudget")
    if not getattr(stock, "_rblntop", False):
        module.DecodeBatchBudget = _group_cap_budget(stock)


def is_supported() -> bool:
    """Whether this vllm-rbln has the budget in the form that we know: ``for_step`` and ``can_admit``."""
    stock = getattr(sys.modules.get(RBLN_SCHEDULER_MODULE), "DecodeBatchBudget", None)
    return all(callable(getattr(stock, name, None)) for name in ("for_step", "can_admit", "admit", "discard"))


def _group_cap_budget(stock: Any) -> type:
    class GroupCapBudget(stock):  # type: ignore[misc]
        """The stock budget with the caps of the group about to run."""

        _rblntop = True

        @classmethod
        def for_step(cls, max_num_seqs: int, pipeline_parallel_size: int, demand: int) -> Any:
            caps: StepCaps | None = getattr(_current, "caps", None)
            if caps is None:
                return stock.for_step(
                    max_num_seqs=max_num_seqs, pipeline_parallel_size=pipeline_parallel_size, demand=demand
                )
            hard, soft = caps.caps(demand)
            budget = cls(hard_cap=hard, soft_cap=soft)
            budget._step_caps = caps
            budget._bucket = caps._limits.cap_ceiling
            return budget

        def can_admit(self, *, apply_soft_cap: bool | None = None) -> bool:
            # The running loop asks bare, the waiting loop with the keyword (RBLNScheduler.schedule).
            if apply_soft_cap is None:
                return bool(super().can_admit())
            if super().can_admit(apply_soft_cap=apply_soft_cap):
                return True
            # As stock, nothing enters beside a batch that fills the largest bucket.
            return bool(self._count < self._bucket and self._step_caps.admits_beside_full_batch())

    GroupCapBudget.__name__ = stock.__name__
    GroupCapBudget.__qualname__ = stock.__qualname__
    GroupCapBudget.__module__ = stock.__module__
    return GroupCapBudget
