"""Follows a change until running <= target, and shows how it drains."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from rblntop.cli.terminal import ProgressLine
from rblntop.model import ChangePhase, EngineChange, EngineState, Snapshot
from rblntop.model.from_proto import snapshot_from_proto
from rblntop.text.durations import duration
from rblntop.text.numbers import count

if TYPE_CHECKING:
    from rblntop.cli.open_client import AnyClient

INTERVAL_S = 0.25
RATE_WINDOW_S = 60
"""Finished requests are counted over so long for the estimate."""


async def follow(
    client: AnyClient, changes: Sequence[EngineChange], timeout_s: float
) -> tuple[EngineChange, ...]:
    """The changes as they are when all have settled, or when the time is up."""
    following = tuple(changes)
    if not _open(following):
        return following
    end_s = time.monotonic() + timeout_s
    engine = following[0].instance_id or following[0].engine if len(following) == 1 else ""
    stream = client.watch_snapshots(
        engine, interval_s=INTERVAL_S, window_seconds=(RATE_WINDOW_S,), strip_cells=0
    )
    try:
        with ProgressLine() as line:
            async with aclosing(stream) as updates:
                while _open(following) and (left_s := end_s - time.monotonic()) > 0:
                    message = await asyncio.wait_for(anext(updates), left_s)
                    snapshots = [snapshot_from_proto(snapshot) for snapshot in message.snapshots]
                    following = tuple(_followed(change, snapshots) for change in following)
                    found = [_snapshot_of(change, snapshots) for change in _open(following)]
                    if draining := [snapshot for snapshot in found if snapshot is not None]:
                        line.show(*drain_line(draining))
    except (asyncio.TimeoutError, StopAsyncIteration):
        pass
    except asyncio.CancelledError:
        click.echo("The change stays; only the watching has ended.", err=True)
        raise
    for change in following:
        if change.phase is ChangePhase.SETTLED:
            click.echo(f"{change.engine}: settled at step {count(change.limits.settled_step)}")
    return following


def drain_line(draining: Sequence[Snapshot]) -> tuple[str, str]:
    """What is seen, and the estimate: ``draining: 29 running, 24 may`` and ``, about 12 s``."""
    running = sum(snapshot.running for snapshot in draining)
    may = sum(snapshot.limits.admission or 0 for snapshot in draining)
    engines = f"{len(draining)} engines, " if len(draining) > 1 else ""
    times = [_estimate_s(snapshot) for snapshot in draining]
    longest = max((seconds for seconds in times if seconds is not None), default=None)
    about = f", about {duration(longest)}" if longest and None not in times else ""
    return f"draining: {engines}{running} running, {may} may", about


def _estimate_s(snapshot: Snapshot) -> float | None:
    """Time for as many to finish as are too many, at the pace of the last minute."""
    over = snapshot.running - (snapshot.limits.admission or 0)
    window = snapshot.window(RATE_WINDOW_S)
    if window is None or not window.finished or over <= 0:
        return None if over > 0 else 0.0
    return over * window.covered_s / window.finished


def _open(changes: Sequence[EngineChange]) -> list[EngineChange]:
    """Those that are on their way."""
    return [
        change for change in changes if change.phase is ChangePhase.IN_FORCE and not change.waiting_because
    ]


def _followed(change: EngineChange, snapshots: Sequence[Snapshot]) -> EngineChange:
    snapshot = _snapshot_of(change, snapshots)
    if snapshot is None or snapshot.limits.generation < change.generation:
        return change
    if snapshot.engine.state is EngineState.GONE:
        return replace(change, waiting_because="the engine is gone")
    limits = snapshot.limits
    if limits.generation > change.generation:
        because = f"superseded by generation {limits.generation}"
        return replace(change, limits=limits, waiting_because=because)
    phase = ChangePhase.SETTLED if limits.settled_step is not None else change.phase
    return replace(change, limits=limits, phase=phase)


def _snapshot_of(change: EngineChange, snapshots: Sequence[Snapshot]) -> Snapshot | None:
    for snapshot in snapshots:
        engine = snapshot.engine
        if change.instance_id in ("", engine.instance_id) and change.engine == engine.name:
            return snapshot
    return None
