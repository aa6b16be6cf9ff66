"""Events that engines' rings tell of: who came and went, who stalled, which changes took hold."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from rblntopd.audit.restarts import kept_limits, predecessor
from rblntopd.engines.engine import Engine
from rblntopd.engines.ring_file import RingFileError
from rblntopd.events.event import Event, EventKind, Severity
from rblntopd.metrics.cells import NS
from rblntopd.metrics.state import EngineState, last_sign_ns, last_step_ns
from rblntopd.probe.ring_format import Live, ProbeState

#: Lost records are told of at most so often.
LOST_EVERY_NS = 10 * NS
#: A change is told of by the audit log first. Should its disk be slow, no longer than this.
PATIENCE_NS = 2 * NS
#: Names of engines that are remembered.
MAX_NAMES = 1024


@dataclass(slots=True)
class _Seen:
    """What was told of one instance."""

    gone: bool = False
    stalled_from_ns: int = 0
    """Its last step, while it is stalled; 0: it is not."""
    missed: int = 0
    lost_told_ns: int = 0
    generation: int = 0
    changed_ns: int = 0
    in_force: bool = True
    settled: bool = True


class EngineWatch:
    """Compares engines with what they were at the last look."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._names: dict[str, None] = {}
        self._accepted: dict[str, int] = {}
        """The latest generation that the audit log told of, by instance."""

    def accepted(self, instance_id: str, generation: int) -> None:
        """The audit log told of this generation."""
        if instance_id in self._seen:
            self._accepted[instance_id] = max(generation, self._accepted.get(instance_id, 0))

    def look(self, engines: Sequence[Engine], now_ns: int, wall_ns: int) -> list[Event]:
        """What happened since the last look; at the first one, when engines came and went before it."""
        there = {engine.instance_id for engine in engines}
        for instance_id in [known for known in self._seen if known not in there]:
            del self._seen[instance_id]
            self._accepted.pop(instance_id, None)
        found: list[Event] = []
        for engine in sorted(engines, key=lambda engine: engine.reader.header.mono_ns):
            seen = self._seen.get(engine.instance_id)
            if seen is None:
                seen = self._meet(engine, engines, wall_ns, found)
            if seen.gone:
                continue
            if engine.gone:
                seen.gone = True
                found.append(_end(engine, now_ns, wall_ns))
                continue
            self._look_at_steps(engine, seen, now_ns, wall_ns, found)
            self._look_at_change(engine, seen, now_ns, wall_ns, found)
        return found

    def _meet(self, engine: Engine, engines: Sequence[Engine], wall_ns: int, found: list[Event]) -> _Seen:
        seen = self._seen[engine.instance_id] = _Seen(missed=engine.missed)
        with contextlib.suppress(RingFileError):  # Then the next refresh finds out, too.
            engine.limits()
        block = engine.limits_block
        if block is not None:
            seen.generation = block.generation
            seen.in_force, seen.settled = bool(block.in_force_step), bool(block.settled_step)
        old = predecessor(engine, engines)
        known = engine.name in self._names
        self._names[engine.name] = None
        if len(self._names) > MAX_NAMES:
            del self._names[next(iter(self._names))]
        began_ns = min(engine.reader.header.real_ns, wall_ns)
        if old is None and not known:
            text = f"appeared: pid {engine.reader.header.pid}"
            found.append(_event(engine, EventKind.ENGINE_APPEARED, Severity.INFO, began_ns, text))
        elif old is None or engine.gone or kept_limits(old) is None:
            # What had limits of ours is told of by the audit log, with the limits.
            text = f"restarted: pid {engine.reader.header.pid}"
            found.append(_event(engine, EventKind.ENGINE_RESTARTED, Severity.WATCH, began_ns, text))
        return seen

    def _look_at_steps(
        self, engine: Engine, seen: _Seen, now_ns: int, wall_ns: int, found: list[Event]
    ) -> None:
        stalled = engine.state(now_ns) is EngineState.STALLED
        if stalled and not seen.stalled_from_ns:
            seen.stalled_from_ns = last_step_ns(engine.live) or now_ns
            seconds = max(0, now_ns - seen.stalled_from_ns) / NS
            text = f"stalled: no step for {seconds:.0f} s, with {engine.live[Live.UNFINISHED]} requests"
            step = engine.live[Live.STEP]
            event = _event(
                engine, EventKind.ENGINE_STALLED, Severity.ACT, wall_ns, text, seconds=seconds, step=step
            )
            found.append(event)
        elif seen.stalled_from_ns and not stalled:
            seconds = max(0, now_ns - seen.stalled_from_ns) / NS
            seen.stalled_from_ns = 0
            text = f"stalled no longer, after {seconds:.0f} s"
            found.append(
                _event(engine, EventKind.ENGINE_RESUMED, Severity.INFO, wall_ns, text, seconds=seconds)
            )
        if engine.missed > seen.missed and now_ns - seen.lost_told_ns >= LOST_EVERY_NS:
            lost, seen.missed, seen.lost_told_ns = engine.missed - seen.missed, engine.missed, now_ns
            text = f"{lost} step records were lost: the daemon came too late"
            found.append(_event(engine, EventKind.RECORDS_LOST, Severity.WATCH, wall_ns, text, count=lost))

    def _look_at_change(
        self, engine: Engine, seen: _Seen, now_ns: int, wall_ns: int, found: list[Event]
    ) -> None:
        block = engine.limits_block
        if block is None:
            return
        if block.generation != seen.generation:
            seen.generation, seen.changed_ns = block.generation, now_ns
            seen.in_force = seen.settled = False
        if seen.settled or (
            self._accepted.get(engine.instance_id, 0) < block.generation
            and now_ns - seen.changed_ns < PATIENCE_NS
        ):
            return
        if block.in_force_step and not seen.in_force:
            seen.in_force = True
            found.append(
                _event(
                    engine, EventKind.CHANGE_IN_FORCE, Severity.INFO, wall_ns,
                    f"generation {block.generation} is in force from step {block.in_force_step} on",
                    generation=block.generation, step=block.in_force_step,
                )
            )  # fmt: skip
        if block.settled_step and seen.in_force:
            seen.settled = True
            found.append(
                _event(
                    engine, EventKind.CHANGE_SETTLED, Severity.INFO, wall_ns,
                    f"generation {block.generation} has settled at step {block.settled_step}",
                    generation=block.generation, step=block.settled_step,
                )
            )  # fmt: skip


def _end(engine: Engine, now_ns: int, wall_ns: int) -> Event:
    silent_ns = max(0, now_ns - max(last_sign_ns(engine.live), engine.reader.header.mono_ns))
    ended_ns = wall_ns - silent_ns
    if engine.live[Live.STATE] in (ProbeState.STARTING, ProbeState.LIVE):
        text = "died: its process is gone, and it never said that it ends"
        return _event(engine, EventKind.ENGINE_DIED, Severity.ACT, ended_ns, text)
    return _event(engine, EventKind.ENGINE_ENDED, Severity.INFO, ended_ns, "ended")


def _event(
    engine: Engine,
    kind: EventKind,
    severity: Severity,
    time_ns: int,
    text: str,
    *,
    seconds: float | None = None,
    step: int = 0,
    generation: int = 0,
    count: int = 0,
) -> Event:
    return Event(
        kind=kind,
        severity=severity,
        time_ns=max(0, time_ns),
        text=text,
        engine=engine.name,
        instance_id=engine.instance_id,
        model=engine.description.model,
        generation=generation,
        step=step,
        count=count,
        seconds=seconds,
    )
