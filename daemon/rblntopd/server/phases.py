"""Follows an accepted change until it is in force and settled, or says what it waits for."""

from __future__ import annotations

import asyncio
import enum
import time
from dataclasses import dataclass

from rblntop_api.v1 import control_pb2
from rblntopd.engines.engine import Engine
from rblntopd.engines.limits import Limits
from rblntopd.metrics.cells import NS
from rblntopd.metrics.state import last_step_ns
from rblntopd.probe.ring_format import Live

#: The ring is looked at this often while somebody waits.
LOOK_S = 0.005
#: A scheduler is called silent after this; a prefill may take seconds.
SILENT_NS = 2 * NS


class Phase(enum.IntEnum):
    """How far a change has come."""

    ACCEPTED = 1
    IN_FORCE = 2
    SETTLED = 3


PHASES = {
    Phase.ACCEPTED: control_pb2.CHANGE_PHASE_ACCEPTED,
    Phase.IN_FORCE: control_pb2.CHANGE_PHASE_IN_FORCE,
    Phase.SETTLED: control_pb2.CHANGE_PHASE_SETTLED,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """The phase reached, and why it is not the one asked for (empty: it is)."""

    phase: Phase
    limits: Limits | None
    waiting_because: str


async def wait_for(
    engine: Engine,
    generation: int,
    accepted_step: int,
    wanted: Phase,
    timeout_s: float,
    closing: bool = False,
) -> Progress:
    """Wait until the change ``generation`` has come as far as ``wanted``, for ``timeout_s`` at most.

    Does not wait for an idle engine: nobody knows when its next step comes. With ``closing``, where admission
    was closed, it has settled once nothing runs.

    Raises:
        RingFileError: the ring cannot be read any more.
    """
    end_s = time.monotonic() + timeout_s
    while True:
        limits = engine.limits()
        live = engine.reader.live()
        phase = phase_of(limits, generation)
        if closing:
            phase = closed_phase(phase, _looked(engine, limits), live)
        if phase >= wanted:
            return Progress(phase, limits, "")
        if limits is not None and limits.generation > generation:
            return Progress(phase, limits, f"superseded by generation {limits.generation}")
        idle = _looked(engine, limits) and not live[Live.UNFINISHED] and live[Live.STEP] <= accepted_step
        if idle or time.monotonic() >= end_s or not engine.check_alive():
            return Progress(
                phase, limits, waiting_because(phase, limits, live, time.monotonic_ns(), idle, closing)
            )
        await asyncio.sleep(LOOK_S)


def _looked(engine: Engine, limits: Limits | None) -> bool:
    """Whether the probe has looked at what runs since the change was accepted."""
    sample = engine.reader.sample()
    return sample is not None and limits is not None and sample.mono_ns > limits.accepted_ns


def closed_phase(phase: Phase, looked: bool, live: tuple[int, ...]) -> Phase:
    """How far the closing of admission has come: it has settled once nothing runs, with or without a step.

    Args:
        phase: how far its generation has come.
        looked: whether the probe has looked at what runs since admission was closed.
        live: the ring's live words.
    """
    if looked and not live[Live.RUNNING]:
        return Phase.SETTLED
    return min(phase, Phase.IN_FORCE)


def phase_of(limits: Limits | None, generation: int) -> Phase:
    """How far the change ``generation`` has come, by the limits that the engine shows."""
    if limits is None or limits.generation != generation or not limits.in_force_step:
        return Phase.ACCEPTED
    return Phase.SETTLED if limits.settled_step else Phase.IN_FORCE


def waiting_because(
    phase: Phase,
    limits: Limits | None,
    live: tuple[int, ...],
    now_ns: int,
    idle: bool,
    closing: bool = False,
) -> str:
    """What an accepted change waits for."""
    if idle:
        return "engine is idle: in force from its next step"
    silent_ns = now_ns - last_step_ns(live)
    if silent_ns > SILENT_NS:
        return f"scheduler silent for {silent_ns // NS} s"
    if closing and phase is Phase.IN_FORCE:
        return f"draining: {live[Live.RUNNING]} running, admission is closed"
    if phase is Phase.IN_FORCE and limits is not None:
        return f"draining: {live[Live.RUNNING]} running, target {limits.admission}"
    return "no step has run under it yet"
