"""Why slots were empty."""

from __future__ import annotations

from rblntop.blocks.figure import gauge, title
from rblntop.model import EmptyCause
from rblntop.scene import Scene
from rblntop.text.line import Line, Role, Span, fit
from rblntop.text.numbers import percent
from rblntop.text.words import EMPTY_BECAUSE

CAUSES = (
    EmptyCause.COLLAPSE,
    EmptyCause.LIMIT,
    EmptyCause.PREFILL,
    EmptyCause.BLOCKED,
    EmptyCause.DEMAND,
    EmptyCause.CLOSED,
)


def empty_panel(scene: Scene, width: int, rows: int) -> list[Line]:
    """The share of slot time for each cause, and what is left of it."""
    window = scene.window
    shares = {share.cause: share.ratio for share in window.empty}
    known = window.bubble_ratio is not None
    lines: list[Line] = [title(f"EMPTY SLOTS {scene.window_s} s", width)]
    for cause in CAUSES:
        ratio = shares.get(cause, 0.0 if known else None)
        lines.append(
            gauge(EMPTY_BECAUSE[cause], ratio, percent(ratio), width, label_width=9, role=Role.BAR_LOW)
        )
    lines.append(gauge("in all", window.bubble_ratio, percent(window.bubble_ratio), width, label_width=9))
    if window.lost_steps:
        lines.append(fit((Span(f"{window.lost_steps:,} steps lost their output", Role.WATCH),), width))
    if scene.snapshot.missed_records:
        lines.append(fit((Span(f"gap {scene.snapshot.missed_records:,} steps", Role.WATCH),), width))
    return lines[: max(rows, 0)]
