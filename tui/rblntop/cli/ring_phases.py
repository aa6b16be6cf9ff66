"""Follows a change in the ring, as the daemon does, until it has come as far as somebody wants."""

from __future__ import annotations

import asyncio
import time

from rblntop.cli.engine_door import EngineRing, ring
from rblntop.cli.ring_messages import limits_message, readable
from rblntop.client.requests import PHASES, WaitFor
from rblntop_api.v1 import control_pb2, limits_pb2

Live = ring.Live

LOOK_S = 0.005
SILENT_NS = 2_000_000_000


async def wait_for_phase(
    engine: EngineRing, change: control_pb2.EngineChange, wanted: WaitFor, timeout_s: float
) -> control_pb2.EngineChange:
    """The change with its limits and its phase, once that is ``wanted`` or the time is up.

    Does not wait for an idle engine: nobody knows when its next step comes.
    """
    end_s = time.monotonic() + timeout_s
    accepted_step = change.limits.accepted_step
    while True:
        limits = limits_message(engine)
        change.limits.CopyFrom(limits)
        change.phase = _phase(limits, change.generation)
        if change.phase >= PHASES[wanted]:
            return change
        if limits.generation > change.generation:
            change.waiting_because = f"superseded by generation {limits.generation}"
            return change
        idle = _is_idle(engine, accepted_step)
        if idle or time.monotonic() >= end_s or not engine.alive:
            change.waiting_because = _because(engine, change, idle)
            return change
        await asyncio.sleep(LOOK_S)


def _phase(limits: limits_pb2.Limits, generation: int) -> control_pb2.ChangePhase:
    if limits.generation != generation or not limits.HasField("in_force_step"):
        return control_pb2.CHANGE_PHASE_ACCEPTED
    settled = limits.HasField("settled_step")
    return control_pb2.CHANGE_PHASE_SETTLED if settled else control_pb2.CHANGE_PHASE_IN_FORCE


@readable
def _is_idle(engine: EngineRing, accepted_step: int) -> bool:
    """Nothing has run since the change was accepted, as far as the probe has looked since."""
    live, sample, block = engine.reader.live(), engine.reader.sample(), engine.reader.limits()
    looked = sample is not None and block is not None and sample.mono_ns > block.accepted_ns
    return looked and not live[Live.UNFINISHED] and live[Live.STEP] <= accepted_step


@readable
def _because(engine: EngineRing, change: control_pb2.EngineChange, idle: bool) -> str:
    live = engine.reader.live()
    if idle:
        return "engine is idle: in force from its next step"
    silent_ns = time.monotonic_ns() - max(live[Live.SCHEDULE_NS], live[Live.COMPLETE_NS])
    if silent_ns > SILENT_NS:
        return f"scheduler silent for {silent_ns // 1_000_000_000} s"
    if change.phase == control_pb2.CHANGE_PHASE_IN_FORCE:
        return f"draining: {live[Live.RUNNING]} running, target {change.limits.admission}"
    return "no step has run under it yet"
