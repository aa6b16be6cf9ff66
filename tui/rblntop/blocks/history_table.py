"""The past of an engine as a table: a line for each row, with a line where another instance began."""

from __future__ import annotations

from collections.abc import Callable

from rblntop.model import History, HistoryColumn
from rblntop.text.cells import clean, right
from rblntop.text.durations import date_and_clock, duration
from rblntop.text.numbers import count, percent, rate

#: Heading, width and words of the columns of an engine, in the order in which they are shown.
COLUMNS: tuple[tuple[HistoryColumn, str, Callable[[float | None], str]], ...] = (
    (HistoryColumn.OUTPUT_TOKENS_PER_S, "TOK/S", rate),
    (HistoryColumn.PREFILL_TOKENS_PER_S, "PREFILL/S", rate),
    (HistoryColumn.RUNNING, "RUN", rate),
    (HistoryColumn.RUNNING_MAX, "MOST", count),
    (HistoryColumn.WAITING, "WAIT", rate),
    (HistoryColumn.WAITING_MAX, "MOST", count),
    (HistoryColumn.DECODE_PAD_RATIO, "PAD", percent),
    (HistoryColumn.PREFILL_STALL_RATIO, "STALL", percent),
    (HistoryColumn.QUEUE_OCCUPANCY_RATIO, "FULL", percent),
    (HistoryColumn.KV_USAGE_RATIO, "KV", percent),
    (HistoryColumn.KV_USAGE_RATIO_MAX, "MOST", percent),
    (HistoryColumn.TOKEN_GAP_P50_S, "GAP P50", duration),
    (HistoryColumn.TOKEN_GAP_P99_S, "GAP P99", duration),
    (HistoryColumn.MAX_SEQ_LEN, "LONGEST", count),
    (HistoryColumn.PREEMPTED, "PREEMPTED", count),
    (HistoryColumn.COVERED_S, "COVERED", duration),
)
GROUP_COLUMNS: tuple[tuple[HistoryColumn, str, Callable[[float | None], str]], ...] = (
    (HistoryColumn.GROUP_RUNNING, "RUN G{group}", rate),
    (HistoryColumn.GROUP_MEAN_DECODE_BATCH, "BATCH G{group}", rate),
)
#: What fits beside each other in 100 cells.
SHORT = (
    HistoryColumn.OUTPUT_TOKENS_PER_S,
    HistoryColumn.RUNNING,
    HistoryColumn.WAITING,
    HistoryColumn.DECODE_PAD_RATIO,
    HistoryColumn.PREFILL_STALL_RATIO,
    HistoryColumn.QUEUE_OCCUPANCY_RATIO,
    HistoryColumn.KV_USAGE_RATIO,
    HistoryColumn.TOKEN_GAP_P50_S,
    HistoryColumn.TOKEN_GAP_P99_S,
)
LEAST_WIDTH = 6


def history_table(history: History) -> list[str]:
    """A heading, and a line for each row, of the columns that ``history`` has."""
    shown: list[tuple[str, list[str]]] = []
    for series in history.series:
        for column, head, words in (*COLUMNS, *GROUP_COLUMNS):
            if column is series.column:
                shown.append((head.format(group=series.group), [words(value) for value in series.values]))
    widths = [max(LEAST_WIDTH, len(head), *map(len, texts), 0) for head, texts in shown]
    lines = [_line("TIME", [head for head, _ in shown], widths)]
    restarts = list(history.restarts)
    for number in range(history.row_count):
        begin_s = history.start_s + number * history.interval_s
        while restarts and restarts[0].time_s < begin_s + history.interval_s:
            restart = restarts.pop(0)
            lines.append(f"{date_and_clock(restart.time_s)}  restarted: {clean(restart.instance_id)}")
        lines.append(_line(date_and_clock(begin_s), [texts[number] for _, texts in shown], widths))
    return lines


def _line(first: str, texts: list[str], widths: list[int]) -> str:
    return "  ".join(
        [f"{first:<19}", *(right(text, width) for text, width in zip(texts, widths, strict=True))]
    )
