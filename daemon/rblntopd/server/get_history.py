"""GetHistory: which rows are meant, and their values as packed series."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from rblntop_api.v1 import history_pb2, telemetry_pb2
from rblntopd.engines.histories import Histories
from rblntopd.history.columns import ENGINE_COLUMNS, GROUP_COLUMNS, Column
from rblntopd.history.history import BLOCK_S, DAY_S, HOUR_S, History
from rblntopd.history.row import Row
from rblntopd.metrics.cells import NS
from rblntopd.server.errors import invalid_field

MAX_ROWS = DAY_S // BLOCK_S
#: Intervals that the daemon chooses from.
INTERVALS_S = (
    1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40, 60, 90, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800,
    3600, 7200, 14_400, 21_600, 43_200, DAY_S,
)  # fmt: skip
#: Rows after which other calls get their turn: some ms.
ROWS_A_TURN = 128

_COLUMNS = {
    int(history_pb2.HistoryColumn.Value(f"HISTORY_COLUMN_{column.name}")): column for column in Column
}
_NUMBERS = {column: number for number, column in _COLUMNS.items()}


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of one length, in seconds of CLOCK_MONOTONIC."""

    first_s: int
    count: int
    interval_s: int

    @property
    def end_s(self) -> int:
        """Where the last row ends."""
        return self.first_s + self.count * self.interval_s


async def get_history(
    histories: Histories, name: str, request: telemetry_pb2.GetHistoryRequest
) -> telemetry_pb2.GetHistoryResponse:
    """The rows that are asked for.

    Raises:
        RequestError: a field is invalid.
    """
    columns = _columns(request)
    now_ns, wall_ns = time.monotonic_ns(), time.time_ns()
    known_to_s, latest = histories.latest(name, now_ns)
    span = _span(request, now_ns, wall_ns, known_to_s)
    history = histories.find(name) or History(name, 0)
    rows: list[Row] = []
    for number in range(span.count):
        rows.append(history.row(span.first_s + number * span.interval_s, span.interval_s, latest))
        if not (number + 1) % ROWS_A_TURN:
            await asyncio.sleep(0)

    def wall(mono_ns: int) -> Timestamp:
        moment = Timestamp()
        moment.FromNanoseconds(mono_ns - now_ns + wall_ns)
        return moment

    response = telemetry_pb2.GetHistoryResponse(
        engine=name,
        start=wall(span.first_s * NS),
        interval=Duration(seconds=span.interval_s),
        row_count=span.count,
        restarts=[
            history_pb2.HistoryRestart(time=wall(mono_ns), instance_id=instance)
            for mono_ns, instance in history.restarts(span.first_s * NS, now_ns)
        ],
    )
    for column in columns:
        await asyncio.sleep(0)
        if column in ENGINE_COLUMNS:
            response.series.add(column=_number(column), values=map(ENGINE_COLUMNS[column], rows))
            continue
        figure = GROUP_COLUMNS[column]
        for group in range(history.group_count):
            values = [figure(row, group) for row in rows]
            response.series.add(column=_number(column), group=group, values=values)
    return response


def _number(column: Column) -> history_pb2.HistoryColumn:
    return _NUMBERS[column]  # type: ignore[return-value]


def _columns(request: telemetry_pb2.GetHistoryRequest) -> list[Column]:
    for number in request.columns:
        if number not in _COLUMNS:
            names = ", ".join(column.name for column in Column)
            raise invalid_field("columns", number, f"HISTORY_COLUMN_ and one of {names}")
    return [_COLUMNS[number] for number in dict.fromkeys(request.columns)] or list(Column)


def _span(request: telemetry_pb2.GetHistoryRequest, now_ns: int, wall_ns: int, known_to_s: int) -> Span:
    """The rows that are meant: at least one, and none that begins after what is known.

    What is asked for of before the last day is left out: nothing is kept of it.
    """

    def mono(field: str) -> int:
        return int(getattr(request, field).ToNanoseconds()) - wall_ns + now_ns

    until_ns = min(mono("until") if request.HasField("until") else now_ns, now_ns)
    if request.HasField("since"):
        since_ns = mono("since")
    else:
        length_ns = int(request.last.ToNanoseconds()) if request.HasField("last") else HOUR_S * NS
        if not NS <= length_ns <= DAY_S * NS:
            raise invalid_field("last", f"{length_ns / NS:g} s", f"1 s..{DAY_S} s")
        since_ns = until_ns - length_ns
    if since_ns >= until_ns:
        field = "since" if request.HasField("since") else "until"
        raise invalid_field(
            field, getattr(request, field).ToJsonString(), "a span that begins before it ends, and before now"
        )
    oldest_ns = now_ns - DAY_S * NS
    if until_ns <= oldest_ns:
        raise invalid_field(
            "until", request.until.ToJsonString(), f"within the last {DAY_S} s: no more is kept"
        )
    since_s = max(since_ns, oldest_ns, 0) // NS
    end_s = max(since_s + 1, min(-(-until_ns // NS), known_to_s))
    seconds_from = now_ns // NS - HOUR_S - 1
    # Of the time asked for and not of what is known by now: else the interval would change now and then.
    length_s = -(-(until_ns - max(since_ns, oldest_ns)) // NS)
    interval_s = _interval_s(request, length_s, since_s >= seconds_from)
    first_s = since_s // interval_s * interval_s
    count = -(-(end_s - first_s) // interval_s)
    if request.HasField("max_points") and count > request.max_points:
        # Rows begin at multiples of their length: of the first, most was not asked for.
        first_s += (count - request.max_points) * interval_s
        count = request.max_points
    return Span(first_s, count, interval_s)


def _interval_s(request: telemetry_pb2.GetHistoryRequest, length_s: int, by_second: bool) -> int:
    least_s = 1 if by_second else BLOCK_S
    if request.HasField("interval"):
        interval_ns = int(request.interval.ToNanoseconds())
        interval_s = interval_ns // NS
        allowed = f"whole seconds, 1 s..{DAY_S} s"
        if not by_second:
            allowed = f"{BLOCK_S} s..{DAY_S} s in steps of {BLOCK_S} s: seconds are kept for an hour"
        if interval_ns % NS or not least_s <= interval_s <= DAY_S or (interval_s % least_s):
            raise invalid_field("interval", f"{interval_ns / NS:g} s", allowed)
        return interval_s
    if not request.HasField("max_points"):
        return least_s
    if not 1 <= request.max_points <= MAX_ROWS:
        raise invalid_field("max_points", request.max_points, f"1..{MAX_ROWS}")
    for interval_s in INTERVALS_S:
        if not interval_s % least_s and -(-length_s // interval_s) <= request.max_points:
            return interval_s
    return INTERVALS_S[-1]
