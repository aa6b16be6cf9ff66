"""Requests of the Telemetry service that take more than a name, made from plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from google.protobuf import timestamp_pb2

from rblntop.client.requests import duration
from rblntop_api.v1 import history_pb2, telemetry_pb2

Severity: TypeAlias = Literal["info", "watch", "act"]
"""How much an event asks for: nothing, a look, or that somebody does something."""
RequestOrder: TypeAlias = Literal["age", "wait", "prompt-tokens", "output-tokens", "group"]
RequestStateName: TypeAlias = Literal["waiting", "running", "preempted", "held", "remote-kv"]

SEVERITIES: tuple[Severity, ...] = ("info", "watch", "act")
REQUEST_ORDERS: tuple[RequestOrder, ...] = ("age", "wait", "prompt-tokens", "output-tokens", "group")
REQUEST_STATES: tuple[RequestStateName, ...] = ("waiting", "running", "preempted", "held", "remote-kv")
HISTORY_COLUMNS: tuple[str, ...] = tuple(
    name.removeprefix("HISTORY_COLUMN_").lower()
    for name, number in history_pb2.HistoryColumn.items()
    if number != history_pb2.HISTORY_COLUMN_UNSPECIFIED
)


def get_history_request(
    engine: str,
    *,
    columns: Iterable[str],
    last_s: float | None,
    since_time_s: float | None,
    until_time_s: float | None,
    interval_s: float | None,
    max_points: int | None,
) -> telemetry_pb2.GetHistoryRequest:
    """Figures of the past.

    Raises:
        ValueError: there is no such column, or two fields say the same thing differently.
    """
    if last_s is not None and since_time_s is not None:
        raise ValueError("get_history: give last_s or since_time_s, not both")
    if interval_s is not None and max_points is not None:
        raise ValueError("get_history: give interval_s or max_points, not both")
    return telemetry_pb2.GetHistoryRequest(
        engine=engine,
        columns=[_column(name) for name in columns],
        last=None if last_s is None else duration(last_s),
        since=_maybe_moment(since_time_s),
        until=_maybe_moment(until_time_s),
        interval=None if interval_s is None else duration(interval_s),
        max_points=max_points,
    )


def watch_events_request(
    engine: str,
    *,
    since_time_s: float | None,
    after_id: int | None,
    follow: bool,
    min_severity: Severity,
) -> telemetry_pb2.WatchEventsRequest:
    """What happened, and what happens.

    Raises:
        ValueError: two fields say the same thing differently.
    """
    if since_time_s is not None and after_id is not None:
        raise ValueError("watch_events: give since_time_s or after_id, not both")
    return telemetry_pb2.WatchEventsRequest(
        engine=engine,
        since=_maybe_moment(since_time_s),
        after_id=after_id,
        no_follow=not follow,
        min_severity=f"EVENT_SEVERITY_{min_severity.upper()}",
    )


def list_requests_request(
    engine: str,
    *,
    limit: int,
    order: RequestOrder,
    states: Iterable[RequestStateName],
    group: int | None,
) -> telemetry_pb2.ListRequestsRequest:
    """The unfinished requests of an engine."""
    return telemetry_pb2.ListRequestsRequest(
        engine=engine,
        limit=limit,
        order=f"REQUEST_ORDER_{_shouted(order)}",
        states=[f"REQUEST_STATE_{_shouted(state)}" for state in states],
        group=group,
    )


def _column(name: str) -> str:
    if name not in HISTORY_COLUMNS:
        raise ValueError(f"{name!r} is no column of history: there are {', '.join(HISTORY_COLUMNS)}")
    return f"HISTORY_COLUMN_{name.upper()}"


def _shouted(name: str) -> str:
    return name.replace("-", "_").upper()


def _maybe_moment(time_s: float | None) -> timestamp_pb2.Timestamp | None:
    if time_s is None:
        return None
    moment = timestamp_pb2.Timestamp()
    moment.FromNanoseconds(max(0, round(time_s * 1e9)))
    return moment
