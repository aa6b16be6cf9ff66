"""Requests, speed, pipeline, memory and length: four columns of figures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from rblntop.blocks.figure import figure, gauge, title
from rblntop.model import AdmissionStop, EmptyShare
from rblntop.scene import Scene
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, columns
from rblntop.text.numbers import MISSING, count, known, percent, rate
from rblntop.text.words import EMPTY_BECAUSE, HELD_BY

HEIGHT, COMPACT = 6, 3
"""Rows with headings, and the most important figures alone."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths of the four columns and the gap between them."""

    requests: int
    speed: int
    pipeline: int
    memory: int
    gap: int


def columns_for(width: int) -> Columns:
    """Bars appear where there is room for them; below that only figures."""
    if width < 100:
        return Columns(17, 15, 19, 21, 2)
    gap = 4 if width >= 116 else 3
    room = min(width, 200) - 2 - 3 * gap
    speed = room * 21 // 100
    requests = room * 22 // 100
    return Columns(requests, speed, (room - speed - requests) // 2, (room - speed - requests + 1) // 2, gap)


def summary(scene: Scene, width: int, rows: int = HEIGHT) -> list[Line]:
    """A heading and five rows, or three without; columns that a narrow terminal has no room for are left out.

    The same figure stands in the same column at every size.
    """
    sizes = columns_for(width)
    if rows < HEIGHT:
        parts = [
            _requests(scene, sizes.requests)[1:4],
            [_speed(scene, sizes.speed)[1], *_gaps(scene, sizes.speed)],
            [_pipeline(scene, sizes.pipeline)[row] for row in (1, 4, 5)],
            [_memory(scene, sizes.memory)[1], _longest(scene, sizes.memory), _held(scene, sizes.memory)],
        ]
    else:
        parts = [
            _requests(scene, sizes.requests),
            _speed(scene, sizes.speed),
            _pipeline(scene, sizes.pipeline),
            _memory(scene, sizes.memory),
        ]
    blocks = list(zip(parts, (sizes.requests, sizes.speed, sizes.pipeline, sizes.memory), strict=True))
    ends = accumulate((size + sizes.gap for _, size in blocks), initial=1 - sizes.gap)
    shown = [block for block, end in zip(blocks, list(ends)[1:], strict=True) if end < width] or blocks[:1]
    return [
        (Span(" "), *columns(((lines[row], size) for lines, size in shown), sizes.gap))
        for row in range(HEIGHT if rows >= HEIGHT else COMPACT)
    ]


def _requests(scene: Scene, width: int) -> list[Line]:
    snapshot = scene.snapshot
    of = " of " if width > 19 else "/"
    may_run = count(snapshot.limits.admission)
    return [
        title("REQUESTS", width),
        figure("running", f"{count(snapshot.running)}{of}{may_run}", width),
        figure("waiting", count(snapshot.waiting), width),
        figure("oldest", duration(snapshot.oldest_wait_s), width),
        _held(scene, width),
        figure("admitted/s", rate(scene.window.admitted_per_s), width),
    ]


def _held(scene: Scene, width: int) -> Line:
    """Why no more requests are admitted."""
    snapshot = scene.snapshot
    state = snapshot.limits.admission_state
    by = HELD_BY[snapshot.admission_stop] if snapshot.waiting else "nothing"
    if state.closed or state.paused_by_engine:
        by = "closed" if state.closed else "paused"
    ours = state.closed or snapshot.admission_stop in (AdmissionStop.MAX_NUM_SEQS, AdmissionStop.GROUP_CAPS)
    role = Role.WATCH if snapshot.waiting and ours else Role.TEXT
    return figure("held by" if width > 19 else "held", by, width, role)


def _gaps(scene: Scene, width: int) -> list[Line]:
    """Median and 99th percentile in one line, and the queue."""
    window = scene.window
    both = f"{duration(window.token_gap_p50_s)} | {duration(window.token_gap_p99_s)}"
    if width < 20 and both.count(" ms") == 2:
        both = both.replace(" ms", "", 1)
    if len(both) + 4 > width:
        both = both.replace(" ", "")
    gap = figure("token gap" if width >= 26 else "gap", both, width)
    return [
        gap,
        figure("queue wait p99" if width >= 22 else "wait p99", duration(window.queue_wait_p99_s), width),
    ]


def _longest(scene: Scene, width: int) -> Line:
    of = f"{count(scene.snapshot.max_seq_len)}/{count(scene.snapshot.engine.max_model_len)}"
    return figure("max_seq_len" if width >= 26 else "longest", of, width)


def _speed(scene: Scene, width: int) -> list[Line]:
    window = scene.window
    wide = width >= 22
    return [
        title("SPEED", width),
        figure("tokens/s", rate(window.output_tokens_per_s), width),
        figure("prefill tok/s" if wide else "prefill/s", rate(window.prefill_tokens_per_s), width),
        figure("token gap p50" if wide else "gap p50", duration(window.token_gap_p50_s), width),
        figure("token gap p99" if wide else "gap p99", duration(window.token_gap_p99_s), width),
        figure("queue wait p99" if wide else "wait p99", duration(window.queue_wait_p99_s), width),
    ]


def _pipeline(scene: Scene, width: int) -> list[Line]:
    window = scene.window
    empty = _largest(window.empty)
    label = 14
    because = f"empty {EMPTY_BECAUSE[empty.cause]}" if empty else "empty"
    nothing = "none" if window.bubble_ratio is not None else MISSING
    local = "padding local" if scene.snapshot.engine.padding_is_local else "padding"
    return [
        title("PIPELINE", width),
        gauge(
            "queue full",
            window.queue_occupancy_ratio,
            percent(window.queue_occupancy_ratio),
            width,
            label_width=label,
        ),
        gauge(
            "stage busy ~",
            window.stage_busy_ratio_estimate,
            percent(window.stage_busy_ratio_estimate),
            width,
            label_width=label,
        ),
        gauge(
            because if width >= 22 else "empty slots",
            empty.ratio if empty else None,
            percent(empty.ratio) if empty else nothing,
            width,
            label_width=label,
            role=Role.BAR_LOW,
        ),
        gauge(
            "prefill stall",
            window.prefill_stall_ratio,
            percent(window.prefill_stall_ratio),
            width,
            label_width=label,
            role=Role.PREFILL,
        ),
        gauge(
            local,
            window.decode_pad_ratio,
            percent(window.decode_pad_ratio),
            width,
            label_width=label,
            role=Role.BAR_LOW,
        ),
    ]


def _memory(scene: Scene, width: int) -> list[Line]:
    snapshot, engine = scene.snapshot, scene.snapshot.engine
    return [
        title("MEMORY AND LENGTH" if width >= 17 else "MEMORY", width),
        gauge("KV blocks", snapshot.kv_usage_ratio, percent(snapshot.kv_usage_ratio), width, label_width=11),
        figure("preempted", count(scene.window.preempted if scene.measured else None), width),
        figure("max_seq_len", count(snapshot.max_seq_len), width),
        figure("max_model_len", count(engine.max_model_len), width),
        figure(
            "max_num_batched_tokens" if width >= 30 else "batched tok",
            count(engine.max_num_batched_tokens),
            width,
        ),
    ]


def _largest(empty: tuple[EmptyShare, ...]) -> EmptyShare | None:
    shares = [share for share in empty if known(share.ratio) and share.ratio >= 0.005]
    return max(shares, key=lambda share: share.ratio, default=None)
