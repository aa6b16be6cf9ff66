"""The windows side by side, so that a change shows against the minute before it."""

from __future__ import annotations

from collections.abc import Callable

from rblntop.blocks.figure import title
from rblntop.model import Window
from rblntop.scene import Scene
from rblntop.text.cells import left, right
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, fit
from rblntop.text.numbers import count, percent, rate

ROWS: tuple[tuple[str, Callable[[Window], str]], ...] = (
    ("tokens/s", lambda window: rate(window.output_tokens_per_s)),
    ("padding", lambda window: percent(window.decode_pad_ratio)),
    ("queue full", lambda window: percent(window.queue_occupancy_ratio)),
    ("token gap p99", lambda window: duration(window.token_gap_p99_s)),
    ("group skew", lambda window: rate(window.group_skew)),
    ("step p99", lambda window: duration(window.step_p99_s)),
    ("steps/s", lambda window: rate(window.steps_per_s)),
    ("decode steps", lambda window: count(window.decode_steps)),
    ("prefill steps", lambda window: count(window.prefill_steps)),
    ("empty steps", lambda window: count(window.empty_steps)),
)

HEIGHT = len(ROWS) + 1
LABEL, VALUE = 14, 9


def windows_panel(scene: Scene, width: int, rows: int = HEIGHT) -> list[Line]:
    """A column for each window; the chosen one is marked."""
    windows = scene.snapshot.windows[: max(0, (width - LABEL) // VALUE)]
    heading: list[Span] = [*title("WINDOWS", LABEL - 1), Span(" ")]
    for window in windows:
        chosen = window.seconds == scene.window_s
        label = f"{'▸' if chosen else ' '}{window.seconds:g} s"
        role = Role.CHOSEN if chosen else Role.LABEL
        heading.append(Span(right(label, VALUE), role, f"show_window({window.seconds:.0f})"))
    lines: list[Line] = [fit(tuple(heading), width)]
    if not windows:
        return [*lines, fit((Span("nothing measured yet", Role.LABEL),), width)][: max(rows, 0)]
    for label, text in ROWS[: max(0, rows - 1)]:
        spans = [Span(left(label, LABEL), Role.LABEL)]
        for window in windows:
            role = Role.STRONG if window.seconds == scene.window_s else Role.TEXT
            spans.append(Span(right(text(window), VALUE), role))
        lines.append(fit(tuple(spans), width))
    return lines[: max(rows, 0)]
