"""What a change of limits would do on one engine, before it is made."""

from __future__ import annotations

from rblntop.blocks.change_report import limit_changes
from rblntop.model import EngineChange, GroupPreview, LimitMode, Preview, Snapshot
from rblntop.text.cells import clean
from rblntop.text.durations import duration
from rblntop.text.numbers import count, percent

LABEL = 10


def change_preview(change: EngineChange, snapshot: Snapshot, ttl_s: float | None) -> list[str]:
    """The limits as they would be, who drains, and what the last minute would have looked like."""
    lines = [f"{clean(change.engine)}, now at generation {snapshot.limits.generation}, would have:"]
    lines += limit_changes(snapshot.limits, change.limits, made=False)
    holds = change.limits.mode is LimitMode.HOLD
    if change.preview is not None:
        lines += _effects(change.preview, snapshot, change.limits.admission, holds)
    if ttl_s is not None:
        lines.append(_line("reverts", f"{duration(ttl_s)} after it has settled, unless kept"))
    lines += [_line("warning", clean(warning)) for warning in change.warnings]
    return lines


def _effects(preview: Preview, snapshot: Snapshot, admission: int | None, holds: bool) -> list[str]:
    lines = [_line("running", _drain(preview, snapshot, admission))]
    if preview.decode_pad_ratio_now is not None:
        saved = preview.steps_in_smaller_bucket
        buckets = (
            f"{count(saved)} of {count(preview.decode_steps)} decode steps in a smaller bucket"
            if saved
            else "no step in a smaller bucket: no padded compute is saved"
        )
        pads = f"{percent(preview.decode_pad_ratio_now)} -> {percent(preview.decode_pad_ratio_then)}"
        lines.append(_line("padding", f"{pads}, by the last minute; {buckets}"))
    return lines + [_line(f"group {group.group}", _group(group, holds)) for group in preview.groups]


def _drain(preview: Preview, snapshot: Snapshot, admission: int | None) -> str:
    may = f"{snapshot.running} run, {count(admission)} may"
    if not preview.draining:
        return f"{may}: nothing to drain"
    about = preview.drain_estimate_s
    time = f", in about {duration(about)}" if about is not None else ""
    return f"{may}: {preview.draining} finish and are not replaced{time}; none is preempted"


def _group(group: GroupPreview, holds: bool) -> str:
    text = f"{group.running} run, cap {group.cap}"
    if group.excess:
        text += f", {group.excess} in excess {'take turns' if holds else 'drain'}"
    now, then = group.mean_decode_batch_now, group.mean_decode_batch_then
    if now is not None and then is not None:
        text += f"; decode batch {now:.1f} -> {then:.1f}"
    if group.decode_pad_ratio_now is not None:
        pads = f"{percent(group.decode_pad_ratio_now)} -> {percent(group.decode_pad_ratio_then)}"
        text += f", padding {pads}"
    return text


def _line(label: str, text: str) -> str:
    return f"  {label:{LABEL}}  {text}"
