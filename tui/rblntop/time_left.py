"""How long until something happens by itself, by the clock of the daemon that said so, whatever ours says."""

from __future__ import annotations

from rblntop.model import Snapshot, Trial
from rblntop.text.durations import countdown, duration


def time_left(snapshot: Snapshot, at_s: float) -> str:
    """From the snapshot to a moment: ``8:41``."""
    return countdown(None if snapshot.time_s is None else at_s - snapshot.time_s)


def reverts(snapshot: Snapshot, trial: Trial) -> str:
    """When a change on trial is undone."""
    if trial.reverts_at_s is None:
        return f"reverts {duration(trial.ttl_s)} after it has settled"
    return f"reverts in {time_left(snapshot, trial.reverts_at_s)}"
