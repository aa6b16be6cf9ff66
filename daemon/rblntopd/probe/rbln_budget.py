"""Group caps and draining on vllm-rbln's DecodeBatchBudget.

RBLNScheduler looks the name ``DecodeBatchBudget`` up in its module at every step (vllm-rbln 0.12.0,
v1/core/rbln_scheduler.py). A subclass takes its place there and hands out the batch cap of the group about to
run; for a scheduler without changed limits it is the stock budget.
"""

from __future__ import annotations

import inspect
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
        self.fault: Exception | None = None
        """What went wrong while the budget was asked; the probe ends after the step."""
        self.start = limits.start
        self.largest_bucket = limits.cap_ceiling

    def caps(self, demand: int) -> tuple[int, int]:
        """(hard, soft) cap of the decode batch that this step would make with ``demand`` decodes."""
        limits = self._limits
        hard = limits.cap_ceiling
        if limits.caps_set:
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
    """Put the budget into vllm-rbln's scheduler module, unless it is there.

    Raises:
        RuntimeError: this vllm-rbln has no such budget.
    """
    module: Any = sys.modules.get(RBLN_SCHEDULER_MODULE)
    stock = getattr(module, "DecodeBatchBudget", None)
    if stock is None:
        raise RuntimeError(f"{RBLN_SCHEDULER_MODULE} has no DecodeBatchBudget")
    if not getattr(stock, "_rblntop", False):
        module.DecodeBatchBudget = _group_cap_budget(stock)


def uninstall() -> None:
    """Give vllm-rbln's scheduler module its own budget back."""
    module: Any = sys.modules.get(RBLN_SCHEDULER_MODULE)
    found: Any = getattr(module, "DecodeBatchBudget", None)
    if getattr(found, "_rblntop", False):
        module.DecodeBatchBudget = found.__base__


def why_unsupported(scheduler: Any) -> str:
    """What this vllm-rbln, or the vLLM under it, lacks of what the budget needs; empty: nothing."""
    stock = getattr(sys.modules.get(RBLN_SCHEDULER_MODULE), "DecodeBatchBudget", None)
    if stock is None:
        return "this vllm-rbln has no DecodeBatchBudget"
    if getattr(stock, "_rblntop", False):
        # Another engine of this process had its limits changed.
        stock = stock.__base__
    for method, parameters in (("for_step", {"max_num_seqs", "demand"}), ("can_admit", {"apply_soft_cap"})):
        known = getattr(stock, method, None)
        if known is None or not parameters <= set(inspect.signature(known).parameters):
            return f"DecodeBatchBudget.{method} is not as we know it"
    for name in ("_select_waiting_queue_for_scheduling", "hash_block_size", "cache_config", "connector"):
        if not hasattr(scheduler, name):
            return f"{type(scheduler).__name__} has no {name}"
    request = getattr(sys.modules.get("vllm.v1.request"), "Request", None)
    if request is None or "num_in_flight_tokens" not in request.__init__.__code__.co_names:
        return "this vLLM's Request has no num_in_flight_tokens"
    return ""


def _group_cap_budget(stock: Any) -> type:
    class GroupCapBudget(stock):  # type: ignore[misc]
        """The stock budget with the caps of the group about to run."""

        _rblntop = True

        # Both run inside the scheduler's own schedule(): on a fault of ours they answer as stock does, with
        # the start-up limit, and the probe ends after the step.
        @classmethod
        def for_step(cls, **kwargs: Any) -> Any:
            caps: StepCaps | None = getattr(_current, "caps", None)
            if caps is None:
                return stock.for_step(**kwargs)
            try:
                hard, soft = caps.caps(kwargs["demand"])
                budget = cls(hard_cap=hard, soft_cap=soft)
                budget._step_caps = caps
                budget._bucket = caps.largest_bucket
                return budget
            except Exception as error:  # noqa: BLE001
                caps.fault = error
                return stock.for_step(**{**kwargs, "max_num_seqs": caps.start})

        def can_admit(self, *, apply_soft_cap: bool | None = None) -> bool:
            # The running loop asks bare, the waiting loop with the keyword (RBLNScheduler.schedule).
            if apply_soft_cap is None:
                return bool(super().can_admit())
            if super().can_admit(apply_soft_cap=apply_soft_cap):
                return True
            try:
                # As stock, nothing enters beside a batch that fills the largest bucket.
                return bool(self._count < self._bucket and self._step_caps.admits_beside_full_batch())
            except Exception as error:  # noqa: BLE001
                self._step_caps.fault = error
                return False

    GroupCapBudget.__name__ = stock.__name__
    GroupCapBudget.__qualname__ = stock.__qualname__
    GroupCapBudget.__module__ = stock.__module__
    return GroupCapBudget
