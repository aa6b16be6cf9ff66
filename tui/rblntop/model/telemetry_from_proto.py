"""From the messages of history, events and requests to our model."""

from __future__ import annotations

import math

from rblntop.model.change_from_proto import logged_from_proto
from rblntop.model.event import Event, EventKind, EventSeverity
from rblntop.model.from_proto import known, seconds, word
from rblntop.model.history import History, HistoryColumn, HistoryRestart, HistorySeries
from rblntop.model.request import EngineRequest, RequestState, RequestTable
from rblntop_api.v1 import event_pb2, history_pb2, request_pb2, telemetry_pb2

_COLUMNS = {column.value: column for column in HistoryColumn}


def history_from_proto(message: telemetry_pb2.GetHistoryResponse) -> History:
    """The past of one engine. A column that a newer daemon invented is left out."""
    return History(
        engine=message.engine,
        start_s=seconds(message.start),
        interval_s=seconds(message.interval),
        row_count=message.row_count,
        series=tuple(
            HistorySeries(
                column,
                known(series, "group"),
                tuple(None if math.isnan(value) else value for value in series.values),
            )
            for series in message.series
            if (column := _column(series.column)) is not None
        ),
        restarts=tuple(HistoryRestart(seconds(one.time), one.instance_id) for one in message.restarts),
    )


def event_from_proto(message: event_pb2.Event) -> Event:
    """Something that happened."""
    return Event(
        id=message.id,
        kind=word(EventKind, message.kind),
        severity=word(EventSeverity, message.severity),
        time_s=seconds(message.time) if message.HasField("time") else None,
        engine=message.engine,
        instance_id=message.instance_id,
        group=known(message, "group"),
        text=message.text,
        generation=message.generation,
        step=message.step,
        count=message.count,
        seconds=known(message, "seconds"),
        change=logged_from_proto(message.change) if message.HasField("change") else None,
        daemon_version=message.daemon_version,
    )


def requests_from_proto(message: telemetry_pb2.ListRequestsResponse) -> RequestTable:
    """The unfinished requests of one engine."""
    return RequestTable(
        requests=tuple(_request(request) for request in message.requests),
        time_s=seconds(message.time) if message.HasField("time") else None,
        total=message.total,
        recorded=message.recorded,
        matching=message.matching,
    )


def _request(message: request_pb2.EngineRequest) -> EngineRequest:
    return EngineRequest(
        id=message.id,
        state=word(RequestState, message.state),
        group=known(message, "group"),
        prompt_tokens=message.prompt_tokens,
        output_tokens=message.output_tokens,
        computed_tokens=message.computed_tokens,
        preemptions=message.preemptions,
        age_s=message.age_seconds,
        wait_s=known(message, "wait_seconds"),
    )


def _column(number: int) -> HistoryColumn | None:
    found = history_pb2.HistoryColumn.DESCRIPTOR.values_by_number.get(number)
    return _COLUMNS.get(found.name.removeprefix("HISTORY_COLUMN_").lower()) if found else None
