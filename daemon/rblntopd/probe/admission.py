"""Closes and opens the admission of waiting requests, through the scheduler's own pause state.

PAUSED_NEW and not a limit of 0, which asserts on RBLN and spins on plain vLLM. There are two closers, rblntop
and whoever else pauses the scheduler (vLLM's /pause): the scheduler is paused while either of them wants it,
and neither clears the other's pause.
"""

from __future__ import annotations

import sys
import weakref
from types import FrameType
from typing import Any

UNTIL_OPENED = 0


class AdmissionError(Exception):
    """Something stands in the way; the message says what."""


class Admission:
    """The admission of one scheduler."""

    def __init__(self, scheduler: Any, core: weakref.ref[Any] | None, observe_only: bool) -> None:
        self._scheduler = scheduler
        self._core = core
        self.reason = _why_unsupported(scheduler, core, observe_only)
        """Why it cannot be closed here; empty where it can."""
        self.closed = False
        """Whether it is closed through rblntop."""
        self.until_ns = UNTIL_OPENED
        """When it opens by itself (CLOCK_MONOTONIC)."""
        self._others: Any = getattr(scheduler, "_pause_state", None)

    @property
    def paused_by_others(self) -> bool:
        """Whether somebody else paused the scheduler."""
        return bool(self._others)

    def close(self, until_ns: int) -> None:
        """Admit no waiting request until ``until_ns``, or until it is opened."""
        scheduler = self._scheduler
        self.closed, self.until_ns = True, until_ns
        scheduler._pause_state = max(self._others, type(self._others).PAUSED_NEW)

    def open(self) -> None:
        """Admit again, as far as nobody else paused the scheduler, and wake an engine that sleeps."""
        if not self.closed:
            return
        self.closed, self.until_ns = False, UNTIL_OPENED
        self._scheduler._pause_state = self._others
        if self._others:
            return
        core = self._core() if self._core is not None else None
        queue = getattr(core, "input_queue", None)
        if queue is not None:
            queue.put_nowait((sys.modules["vllm.v1.engine"].EngineCoreRequestType.WAKEUP, None))

    def due(self, now_ns: int) -> bool:
        """Whether it is time to open by itself."""
        return self.closed and self.until_ns != UNTIL_OPENED and now_ns >= self.until_ns

    def set_by_others(self, wanted: Any) -> Any:
        """Somebody else sets the pause state; the stronger of theirs and ours, which is to be in force."""
        self._others = wanted
        return max(wanted, type(wanted).PAUSED_NEW) if self.closed else wanted


def core_under_construction() -> weakref.ref[Any] | None:
    """The EngineCore that is making its scheduler on this thread, found on the stack; None: there is none.

    The scheduler has no reference to it, and an idle engine sleeps on the core's input queue.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        found = frame.f_locals.get("self")
        if any(base.__name__ == "EngineCore" for base in type(found).__mro__):
            return weakref.ref(found)
        frame = frame.f_back
    return None


def _why_unsupported(scheduler: Any, core: weakref.ref[Any] | None, observe_only: bool) -> str:
    if observe_only:
        return "RBLNTOP_PROBE=observe"
    name = type(scheduler).__name__
    state = getattr(scheduler, "_pause_state", None)
    if not hasattr(type(state), "PAUSED_NEW") or not hasattr(scheduler, "set_pause_state"):
        return f"{name} cannot be paused"
    if core is None:
        return "its EngineCore was not found, which has to be woken"
    if scheduler.vllm_config.parallel_config.data_parallel_size > 1:
        return "data-parallel ranks that step together cannot be paused one by one"
    return ""
