"""What a change of limits did, for ``rblnctl set``."""

from __future__ import annotations

from dataclasses import dataclass

from rblntop.model import EngineState, Limit, Limits, Snapshot
from rblntop.text.cells import clean
from rblntop.text.durations import duration
from rblntop.text.numbers import count


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """Lines to print, and why the phase that was asked for is not there yet."""

    lines: list[str]
    why_waiting: str


def change_report(
    snapshot: Snapshot, *, generation: int, before: Limits, after: Limits, waiting_because: str
) -> ChangeReport:
    """Before -> after of every limit that differs, and how far the change has come."""
    lines = [f"{clean(snapshot.engine.name)}: generation {generation} {_phase(after)}"]
    pairs = [(before.max_num_seqs, after.max_num_seqs)]
    pairs += [(before.cap(cap.group), cap) for cap in after.group_caps if cap.group is not None]
    changed = [
        (name(new), old, new) for old, new in pairs if new and (old is None or old.target != new.target)
    ]
    width = max((len(label) for label, _, _ in changed), default=0)
    for label, old, new in changed:
        lines.append(f"  {label:{width}}  {_target(old)} -> {_target(new)}  of {new.ceiling}{_draining(new)}")
    if not changed:
        lines.append("  nothing differs from what it was")
    return ChangeReport(lines, _why_waiting(snapshot, after, waiting_because))


def name(limit: Limit) -> str:
    """What to call a limit."""
    return "max_num_seqs" if limit.group is None else f"cap of group {limit.group}"


def _phase(limits: Limits) -> str:
    if limits.in_force_step is None:
        return f"accepted at step {count(limits.accepted_step)}, not yet in force"
    settled = limits.settled_step
    drained = f", settled at step {count(settled)}" if settled is not None else ", draining"
    return f"in force from step {count(limits.in_force_step)}{drained}"


def _target(limit: Limit | None) -> str:
    return "unset" if limit is None or limit.target is None else str(limit.target)


def _draining(limit: Limit) -> str:
    return f"  (now {limit.effective}, draining)" if limit.effective > limit.wanted else ""


def _why_waiting(snapshot: Snapshot, limits: Limits, because: str) -> str:
    said = f" ({clean(because)})" if because else ""
    if limits.in_force_step is not None:
        return (
            f"In force, not settled yet: {snapshot.running} requests run and {count(limits.admission)} may"
            f"{said}. They finish; the change stays."
        )
    if snapshot.engine.state in (EngineState.IDLE, EngineState.STARTING):
        return "The engine is idle: the change is stored and takes force with the next request."
    return (
        f"The scheduler is silent for {duration(snapshot.age_s)} with {snapshot.running} running and "
        f"{snapshot.waiting} waiting{said}. The change is stored and takes force at its next step."
    )
