"""The figures that rows of history give, as the API names them."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable

from rblntopd.history.row import GROUP_VALUES, Row


class Column(enum.Enum):
    """A figure of a row."""

    OUTPUT_TOKENS_PER_SECOND = enum.auto()
    PREFILL_TOKENS_PER_SECOND = enum.auto()
    RUNNING = enum.auto()
    RUNNING_MAX = enum.auto()
    WAITING = enum.auto()
    WAITING_MAX = enum.auto()
    DECODE_PAD_RATIO = enum.auto()
    PREFILL_STALL_RATIO = enum.auto()
    QUEUE_OCCUPANCY_RATIO = enum.auto()
    KV_USAGE_RATIO = enum.auto()
    KV_USAGE_RATIO_MAX = enum.auto()
    TOKEN_GAP_P50_SECONDS = enum.auto()
    TOKEN_GAP_P99_SECONDS = enum.auto()
    MAX_SEQ_LEN = enum.auto()
    PREEMPTED = enum.auto()
    COVERED_SECONDS = enum.auto()
    GROUP_RUNNING = enum.auto()
    GROUP_MEAN_DECODE_BATCH = enum.auto()


def _per(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole else math.nan


def _if(value: float, known: float) -> float:
    return value if known else math.nan


#: The value of a row; NaN: nothing was measured.
ENGINE_COLUMNS: dict[Column, Callable[[Row], float]] = {
    Column.OUTPUT_TOKENS_PER_SECOND: lambda row: _per(row.output_tokens, row.covered_s),
    Column.PREFILL_TOKENS_PER_SECOND: lambda row: _per(row.prefill_tokens, row.covered_s),
    Column.RUNNING: lambda row: _if(row.running, row.sampled_s),
    Column.RUNNING_MAX: lambda row: _if(row.running_max, row.sampled_s),
    Column.WAITING: lambda row: _if(row.waiting, row.sampled_s),
    Column.WAITING_MAX: lambda row: _if(row.waiting_max, row.sampled_s),
    Column.DECODE_PAD_RATIO: lambda row: _share(row.wasted, row.padded),
    Column.PREFILL_STALL_RATIO: lambda row: _share(row.stall_s, row.slot_s),
    Column.QUEUE_OCCUPANCY_RATIO: lambda row: _share(row.busy_s, row.slot_s),
    Column.KV_USAGE_RATIO: lambda row: _if(row.kv_usage, row.sampled_s),
    Column.KV_USAGE_RATIO_MAX: lambda row: _if(row.kv_usage_max, row.sampled_s),
    Column.TOKEN_GAP_P50_SECONDS: lambda row: _if(row.gap_p50_s, row.gaps),
    Column.TOKEN_GAP_P99_SECONDS: lambda row: _if(row.gap_p99_s, row.gaps),
    Column.MAX_SEQ_LEN: lambda row: _if(row.max_seq_len, row.max_seq_len),
    Column.PREEMPTED: lambda row: _if(row.preempted, row.covered_s),
    Column.COVERED_SECONDS: lambda row: row.covered_s,
}
GROUP_COLUMNS: dict[Column, Callable[[Row, int], float]] = {
    Column.GROUP_RUNNING: lambda row, group: _if(row.groups[group * GROUP_VALUES], row.group_sampled_s),
    Column.GROUP_MEAN_DECODE_BATCH: lambda row, group: _if(
        row.groups[group * GROUP_VALUES + 1], row.groups[group * GROUP_VALUES + 2]
    ),
}
