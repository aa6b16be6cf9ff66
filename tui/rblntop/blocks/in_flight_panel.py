"""The batches in flight: a hung one shows here first."""

from __future__ import annotations

from rblntop.blocks.figure import title
from rblntop.model import StepKind
from rblntop.scene import Scene
from rblntop.text.cells import left, right
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, fit
from rblntop.text.numbers import count
from rblntop.text.words import KIND


def in_flight_panel(scene: Scene, width: int, rows: int) -> list[Line]:
    """One batch a row, the oldest first."""
    snapshot = scene.snapshot
    depth = snapshot.engine.batch_queue_depth
    lines: list[Line] = [title(f"IN FLIGHT {len(snapshot.in_flight)} of {depth}", width)]
    if not snapshot.in_flight:
        lines.append(fit((Span("no batch on the device", Role.LABEL),), width))
        return lines[:rows]
    wide = width >= 44
    heading = f"{right('step', 8)}  {left('kind', 8)}{right('grp', 3)}{right('batch', 7)}"
    heading += f"{right('tok', 6)}{right('age', 8)}" if wide else right("age", 7)
    if rows > 3:
        lines.append(fit((Span(heading, Role.LABEL),), width))
    batches = sorted(snapshot.in_flight, key=lambda batch: -batch.age_s)
    room = rows - len(lines)
    shown = batches if len(batches) <= room else batches[: max(0, room - 1)]
    for batch in shown:
        group = "--" if batch.group is None else str(batch.group)
        size = count(batch.requests)
        if batch.padded_batch is not None:
            size += f"/{batch.padded_batch}"
        spans: list[Span] = [
            Span(right(f"{batch.step:,}", 8) + "  ", Role.TEXT),
            Span(left(KIND[batch.kind], 8), Role.PREFILL if batch.kind is StepKind.PREFILL else Role.TEXT),
            Span(right(group, 3), Role.TEXT),
            Span(right(size, 7), Role.STRONG),
        ]
        if wide:
            spans.append(Span(right(count(batch.tokens), 6), Role.TEXT))
        spans.append(Span(right(duration(batch.age_s), 8 if wide else 7), Role.TEXT))
        lines.append(fit(tuple(spans), width))
    if len(shown) < len(batches):
        lines.append(fit((Span(f"and {len(batches) - len(shown)} more", Role.LABEL),), width))
    return lines[: max(rows, 0)]
