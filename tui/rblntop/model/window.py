"""Figures over the last seconds."""

from __future__ import annotations

from dataclasses import dataclass

from rblntop.model.step import EmptyCause


@dataclass(frozen=True, slots=True)
class GroupWindow:
    """One group over a window."""

    group: int
    decode_steps: int = 0
    mean_decode_batch: float | None = None
    decode_pad_ratio: float | None = None
    token_gap_p50_s: float | None = None
    token_gap_p99_s: float | None = None


@dataclass(frozen=True, slots=True)
class EmptyShare:
    """Slot time that was empty for one cause."""

    cause: EmptyCause
    steps: int
    ratio: float
    """Of all slot time in the window."""


@dataclass(frozen=True, slots=True)
class Window:
    """An engine over a window. None: nothing was measured."""

    seconds: float
    covered_s: float = 0.0
    decode_steps: int = 0
    prefill_steps: int = 0
    mixed_steps: int = 0
    empty_steps: int = 0
    lost_steps: int = 0
    decode_pad_ratio: float | None = None
    queue_occupancy_ratio: float | None = None
    bubble_ratio: float | None = None
    empty: tuple[EmptyShare, ...] = ()
    stage_busy_ratio_estimate: float | None = None
    prefill_stall_ratio: float | None = None
    group_skew: float | None = None
    output_tokens_per_s: float | None = None
    prefill_tokens_per_s: float | None = None
    steps_per_s: float | None = None
    admitted_per_s: float | None = None
    preempted: int = 0
    finished: int = 0
    token_gap_p50_s: float | None = None
    token_gap_p99_s: float | None = None
    queue_wait_p50_s: float | None = None
    queue_wait_p99_s: float | None = None
    step_p50_s: float | None = None
    step_p99_s: float | None = None
    schedule_p50_s: float | None = None
    max_seq_len: int | None = None
    groups: tuple[GroupWindow, ...] = ()

    def group(self, group: int) -> GroupWindow | None:
        """The figures of one group."""
        return next((figures for figures in self.groups if figures.group == group), None)
