"""One snapshot in one line, for ``rblnctl watch``."""

from __future__ import annotations

from rblntop.model import Snapshot
from rblntop.text.cells import clean, right
from rblntop.text.durations import clock
from rblntop.text.numbers import MISSING, count, percent, rate
from rblntop.text.words import STATE


def watch_line(snapshot: Snapshot, window_s: int = 10) -> str:
    """Requests, speed, padding, and for each group: running, latest decode batch over its bucket."""
    window = snapshot.window(window_s)
    admission = snapshot.limits.admission
    groups = "  ".join(
        f"g{group.group} {group.running} [{_number(group.decode_batch)}/{_number(group.padded_batch)}]"
        for group in snapshot.groups
    )
    return (
        f"{clock(snapshot.time_s)}  {clean(snapshot.engine.name)}  {STATE[snapshot.engine.state]:8}"
        f"  run {snapshot.running:>3}/{count(admission):3}  wait {right(count(snapshot.waiting), 4)}"
        f"  {right(rate(window.output_tokens_per_s if window else None), 6)} tok/s"
        f"  queue {right(percent(window.queue_occupancy_ratio if window else None), 5)}"
        f"  pad {right(percent(window.decode_pad_ratio if window else None), 5)}"
        f"  kv {right(percent(snapshot.kv_usage_ratio), 5)}  {groups}"
    )


def _number(value: int | None) -> str:
    return MISSING if value is None else str(value)
