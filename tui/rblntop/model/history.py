"""Figures of the past, as series of rows of one length."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class HistoryColumn(str, enum.Enum):
    """A figure of which history keeps one value a row. Ratios are 0..1, times are seconds."""

    OUTPUT_TOKENS_PER_S = "output_tokens_per_second"
    PREFILL_TOKENS_PER_S = "prefill_tokens_per_second"
    RUNNING = "running"
    """Mean over the row; ``RUNNING_MAX`` is the most that was seen in it."""
    RUNNING_MAX = "running_max"
    WAITING = "waiting"
    WAITING_MAX = "waiting_max"
    DECODE_PAD_RATIO = "decode_pad_ratio"
    PREFILL_STALL_RATIO = "prefill_stall_ratio"
    QUEUE_OCCUPANCY_RATIO = "queue_occupancy_ratio"
    KV_USAGE_RATIO = "kv_usage_ratio"
    KV_USAGE_RATIO_MAX = "kv_usage_ratio_max"
    TOKEN_GAP_P50_S = "token_gap_p50_seconds"
    TOKEN_GAP_P99_S = "token_gap_p99_seconds"
    MAX_SEQ_LEN = "max_seq_len"
    PREEMPTED = "preempted"
    """Preemptions in the row."""
    COVERED_S = "covered_seconds"
    """How much of the row there are records for."""
    GROUP_RUNNING = "group_running"
    GROUP_MEAN_DECODE_BATCH = "group_mean_decode_batch"


@dataclass(frozen=True, slots=True)
class HistorySeries:
    """One column, of the engine or of one group."""

    column: HistoryColumn
    group: int | None
    values: tuple[float | None, ...]
    """One for each row, the oldest first. None: nothing was measured, or the engine was away."""


@dataclass(frozen=True, slots=True)
class HistoryRestart:
    """A later instance of the engine began."""

    time_s: float
    instance_id: str


@dataclass(frozen=True, slots=True)
class History:
    """The past of one engine. Row ``n`` begins at ``start_s + n * interval_s``; the last may not be over."""

    engine: str
    start_s: float = 0.0
    """Unix time."""
    interval_s: float = 1.0
    row_count: int = 0
    series: tuple[HistorySeries, ...] = ()
    restarts: tuple[HistoryRestart, ...] = ()

    def values(self, column: HistoryColumn, group: int | None = None) -> tuple[float | None, ...]:
        """The values of a column; None in every row where it was not asked for."""
        for series in self.series:
            if series.column is column and series.group == group:
                return series.values
        return (None,) * self.row_count
