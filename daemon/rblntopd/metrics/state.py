"""What an engine is doing, judged by its own signs of life."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from rblntopd.metrics.cells import NS
from rblntopd.probe.ring_format import Live, ProbeState

#: Without a step for so long, and for so many of its slowest steps, an engine with requests is stalled.
STALL_NS = 5 * NS
STALL_STEPS = 20


class EngineState(enum.Enum):
    """Life of an engine, as the operator sees it."""

    UNKNOWN = "unknown"
    """The process lives, and its probe says no more: it is off, was taken out, or cannot be read here."""
    STARTING = "starting"
    IDLE = "idle"
    SERVING = "serving"
    STALLED = "stalled"
    CLOSED = "closed"
    """No waiting request is admitted, through rblntop or because the scheduler is paused."""
    GONE = "gone"


def last_step_ns(live: Sequence[int]) -> int:
    """When the engine last scheduled or completed a batch (CLOCK_MONOTONIC); 0: never."""
    return max(live[Live.SCHEDULE_NS], live[Live.COMPLETE_NS])


def last_sign_ns(live: Sequence[int]) -> int:
    """When the scheduler or the probe's thread last gave a sign of life; 0: never."""
    return max(last_step_ns(live), live[Live.CONTROL_NS])


def engine_state(
    live: Sequence[int], now_ns: int, alive: bool, slowest_step_ns: int, closed: bool = False
) -> EngineState:
    """The state of an engine.

    Args:
        live: the ring's live words.
        now_ns: CLOCK_MONOTONIC.
        alive: whether the writer of the ring holds its lock.
        slowest_step_ns: the p99 latency of its steps; 0: unknown.
        closed: whether waiting requests are kept out. Those alone do not make an engine stall.
    """
    if not alive or live[Live.STATE] == ProbeState.CLOSED:
        return EngineState.GONE
    if live[Live.STATE] in (ProbeState.FAULTED, ProbeState.DETACHED):
        return EngineState.UNKNOWN
    silent_ns = now_ns - last_step_ns(live)
    stalled = silent_ns > max(STALL_NS, STALL_STEPS * slowest_step_ns)
    if closed:
        return EngineState.STALLED if stalled and live[Live.RUNNING] else EngineState.CLOSED
    if not live[Live.STEP]:
        return EngineState.STARTING
    if not live[Live.UNFINISHED]:
        return EngineState.IDLE
    return EngineState.STALLED if stalled else EngineState.SERVING
