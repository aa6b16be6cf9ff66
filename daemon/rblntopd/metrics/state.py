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
    """The process lives, and its probe does not say more: it switched itself off, or cannot be read here."""
    STARTING = "starting"
    IDLE = "idle"
    SERVING = "serving"
    STALLED = "stalled"
    GONE = "gone"


def last_step_ns(live: Sequence[int]) -> int:
    """When the engine last scheduled or completed a batch (CLOCK_MONOTONIC); 0: never."""
    return max(live[Live.SCHEDULE_NS], live[Live.COMPLETE_NS])


def last_sign_ns(live: Sequence[int]) -> int:
    """When the scheduler or the probe's thread last gave a sign of life; 0: never."""
    return max(last_step_ns(live), live[Live.CONTROL_NS])


def engine_state(live: Sequence[int], now_ns: int, alive: bool, slowest_step_ns: int) -> EngineState:
    """The state of an engine.

    Args:
        live: the ring's live words.
        now_ns: CLOCK_MONOTONIC.
        alive: whether the writer of the ring holds its lock.
        slowest_step_ns: the p99 latency of its steps; 0: unknown.
    """
    if not alive or live[Live.STATE] == ProbeState.CLOSED:
        return EngineState.GONE
    if live[Live.STATE] == ProbeState.FAULTED:
        return EngineState.UNKNOWN
    if not live[Live.STEP]:
        return EngineState.STARTING
    if not live[Live.UNFINISHED]:
        return EngineState.IDLE
    silent_ns = now_ns - last_step_ns(live)
    return (
        EngineState.STALLED
        if silent_ns > max(STALL_NS, STALL_STEPS * slowest_step_ns)
        else EngineState.SERVING
    )
