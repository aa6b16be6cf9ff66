"""What a change of limits did on one engine, for ``rblnctl set``."""

from __future__ import annotations

from rblntop.model import EngineChange, EngineState, Limit, Limits, Snapshot
from rblntop.text.cells import clean
from rblntop.text.durations import duration
from rblntop.text.numbers import count


def change_report(change: EngineChange, before: Limits, change_id: str = "") -> list[str]:
    """Before -> after of every limit that differs, how far the change has come, and how to keep a trial."""
    after = change.limits
    lines = [f"{clean(change.engine)}: generation {change.generation} {progress(after)}"]
    lines += limit_changes(before, after)
    trial = after.trial
    if change_id and trial is not None:
        name = clean(change_id)
        lines += [
            f"  on trial: undone {duration(trial.ttl_s)} after it has settled, unless kept",
            f"    keep it: rblnctl confirm {name}    undo it now: rblnctl cancel {name}",
        ]
    return lines


def limit_changes(before: Limits, after: Limits, *, made: bool = True) -> list[str]:
    """A line for every limit whose target differs, and for the mode; how they drain once it is ``made``."""
    pairs = [(before.max_num_seqs, after.max_num_seqs)]
    pairs += [(before.cap(cap.group), cap) for cap in after.group_caps if cap.group is not None]
    changed = [
        (limit_name(new), old, new) for old, new in pairs if new and (old is None or old.target != new.target)
    ]
    width = max((len(label) for label, _, _ in changed), default=0)
    lines = []
    for label, old, new in changed:
        drains = _draining(new) if made else ""
        lines.append(f"  {label:{width}}  {_target(old)} -> {_target(new)}  of {new.ceiling}{drains}")
    if before.holds != after.holds:
        held = "hold: the caps bind at once, and running requests take turns"
        lines.append(f"  mode  {held if after.holds else 'drain: running requests finish'}")
    return lines or ["  nothing differs from what it was"]


SILENT_S = 2.0
"""A scheduler without a step for so long is called silent, as the daemon calls it."""


def why_waiting(change: EngineChange, snapshot: Snapshot) -> str:
    """Why the phase that was asked for is not there yet, and what becomes of the change."""
    said = f" ({clean(change.waiting_because)})" if change.waiting_because else ""
    limits = change.limits
    if snapshot.engine.state is EngineState.GONE:
        return "The engine is gone, and the change with it."
    if limits.generation > change.generation:
        return f"Another change came after it, generation {limits.generation}: rblnctl changes tells which."
    if limits.in_force_step is not None:
        then = "They finish"
        if not change.waiting_because and snapshot.age_s > SILENT_S:
            said = f", and the scheduler is silent for {duration(snapshot.age_s)}"
            then = "They finish once it goes on"
        return (
            f"In force, not settled yet: {snapshot.running} requests run and {count(limits.admission)} may"
            f"{said}. {then}; the change stays."
        )
    if waits_for_work(change, snapshot):
        return "The engine is idle: the change is stored and takes force with the next request."
    return (
        f"The scheduler is silent for {duration(snapshot.age_s)} with {snapshot.running} running and "
        f"{snapshot.waiting} waiting{said}. The change is stored and takes force at its next step."
    )


def waits_for_work(change: EngineChange, snapshot: Snapshot) -> bool:
    """The change is stored, and no step comes because there is no request: as good as in force."""
    idle = snapshot.engine.state in (EngineState.IDLE, EngineState.STARTING)
    return idle and change.limits.in_force_step is None


def limit_name(limit: Limit) -> str:
    """What to call a limit."""
    return "max_num_seqs" if limit.group is None else f"cap of group {limit.group}"


def progress(limits: Limits) -> str:
    """How far the latest change has come."""
    if limits.in_force_step is None:
        return f"accepted at step {count(limits.accepted_step)}, not yet in force"
    settled = limits.settled_step
    drained = f", settled at step {count(settled)}" if settled is not None else ", draining"
    return f"in force from step {count(limits.in_force_step)}{drained}"


def _target(limit: Limit | None) -> str:
    return "unset" if limit is None or limit.target is None else str(limit.target)


def _draining(limit: Limit) -> str:
    return f"  (now {limit.effective}, draining)" if limit.effective > limit.wanted else ""
