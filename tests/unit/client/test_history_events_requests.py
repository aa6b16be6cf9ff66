"""History, events and requests: what is asked of the daemon, and what becomes of its answers."""

from __future__ import annotations

import asyncio
import json
import math
from contextlib import aclosing, closing

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from rblntop.client import Client, SyncClient
from rblntop.client.telemetry_requests import (
    HISTORY_COLUMNS,
    REQUEST_ORDERS,
    REQUEST_STATES,
    SEVERITIES,
    list_requests_request,
    watch_events_request,
)
from rblntop.model import EventKind, EventSeverity, HistoryColumn, RequestState
from rblntop.model.telemetry_from_proto import event_from_proto, history_from_proto, requests_from_proto
from rblntop_api.v1 import control_pb2, event_pb2, history_pb2, request_pb2, telemetry_pb2

HISTORY = telemetry_pb2.GetHistoryResponse(
    engine="demo/0",
    start=Timestamp(seconds=1000),
    interval=Duration(seconds=10),
    row_count=3,
    series=[
        history_pb2.HistorySeries(
            column=history_pb2.HISTORY_COLUMN_OUTPUT_TOKENS_PER_SECOND, values=[math.nan, 0.0, 571.25]
        ),
        history_pb2.HistorySeries(
            column=history_pb2.HISTORY_COLUMN_GROUP_RUNNING, group=1, values=[math.nan, 2.5, 3]
        ),
    ],
    restarts=[history_pb2.HistoryRestart(time=Timestamp(seconds=1014), instance_id="later")],
)
EVENT = event_pb2.Event(
    id=7, time=Timestamp(seconds=1000), kind=event_pb2.EVENT_KIND_TRIAL_STARTED,
    severity=event_pb2.EVENT_SEVERITY_WATCH, engine="demo/0", instance_id="i", group=1, text="trial a",
    generation=4, step=12, change=control_pb2.Change(change_id="a"),
)  # fmt: skip
STARTED = event_pb2.Event(
    id=8, kind=event_pb2.EVENT_KIND_DAEMON_STARTED, severity=event_pb2.EVENT_SEVERITY_INFO, text="started"
)
REQUESTS = telemetry_pb2.ListRequestsResponse(
    requests=[
        request_pb2.EngineRequest(
            id="chatcmpl-9f21", state=request_pb2.REQUEST_STATE_WAITING, prompt_tokens=1204, age_seconds=38.0,
            wait_seconds=38.0,
        ),
        request_pb2.EngineRequest(
            id="chatcmpl-77ac", state=request_pb2.REQUEST_STATE_HELD, group=2, prompt_tokens=311,
            output_tokens=17, preemptions=1, age_seconds=60.0,
        ),
    ],
    total=1500, recorded=1000, matching=40, time=Timestamp(seconds=1000),
)  # fmt: skip


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")


# --- history --------------------------------------------------------------------------------------------


async def test_history_is_asked_for_by_plain_values(daemon):
    daemon.history = HISTORY
    async with Client(daemon.address) as client:
        answer = await client.get_history(
            "demo/0", columns=[HistoryColumn.RUNNING, "waiting"], last_s=60.0, max_points=30
        )
        await client.get_history(since_time_s=5.5, until_time_s=7.0, interval_s=10)
    assert answer.row_count == 3
    first, second = daemon.requests
    assert first == telemetry_pb2.GetHistoryRequest(
        engine="demo/0",
        columns=[history_pb2.HISTORY_COLUMN_RUNNING, history_pb2.HISTORY_COLUMN_WAITING],
        last=Duration(seconds=60),
        max_points=30,
    )
    assert second == telemetry_pb2.GetHistoryRequest(
        since=Timestamp(seconds=5, nanos=500_000_000),
        until=Timestamp(seconds=7),
        interval=Duration(seconds=10),
    )


@pytest.mark.parametrize(
    "fields",
    [{"columns": ["tokens"]}, {"last_s": 1, "since_time_s": 1}, {"interval_s": 1, "max_points": 1}],
)
async def test_what_cannot_be_asked_for_is_refused_before_it_is_sent(daemon, fields):
    async with Client(daemon.address) as client:
        with pytest.raises(ValueError, match=r"get_history|no column"):
            await client.get_history(**fields)
    assert not daemon.requests


def test_the_model_has_every_word_of_the_api():
    assert {column.value for column in HistoryColumn} == set(HISTORY_COLUMNS)
    for words, ours in (
        (event_pb2.EventKind, EventKind),
        (event_pb2.EventSeverity, EventSeverity),
        (request_pb2.RequestState, RequestState),
    ):
        assert {word.value for word in ours} == set(words.values())
    for severity in SEVERITIES:
        watch_events_request("", since_time_s=None, after_id=None, follow=True, min_severity=severity)
    for order in REQUEST_ORDERS:
        list_requests_request("", limit=0, order=order, states=REQUEST_STATES, group=None)


def test_what_is_missing_in_history_is_none():
    history = history_from_proto(HISTORY)
    assert history.values(HistoryColumn.OUTPUT_TOKENS_PER_S) == (None, 0.0, 571.25)
    assert history.values(HistoryColumn.GROUP_RUNNING, 1) == (None, 2.5, 3.0)
    assert history.values(HistoryColumn.RUNNING) == (None, None, None)
    assert (history.start_s, history.interval_s, history.restarts[0].time_s) == (1000.0, 10.0, 1014.0)


def test_a_column_of_a_newer_daemon_is_left_out():
    newer = telemetry_pb2.GetHistoryResponse(series=[history_pb2.HistorySeries(column=99, values=[1.0])])
    assert history_from_proto(newer).series == ()


async def test_history_is_a_table(ctl, daemon):
    daemon.history = HISTORY
    code, out, _ = await ctl("history", "demo/0", "--last", "30s", "--interval", "10s")
    assert code == 0
    assert out.splitlines() == [
        "TIME                  TOK/S  RUN G1",
        "1970-01-01 00:16:40      --      --",
        "1970-01-01 00:16:54  restarted: later",
        "1970-01-01 00:16:50       0     2.5",
        "1970-01-01 00:17:00     571     3.0",
    ]
    (request,) = daemon.requests
    assert (request.engine, request.last.seconds, request.interval.seconds) == ("demo/0", 30, 10)


async def test_history_json_has_all_columns(ctl, daemon):
    daemon.history = HISTORY
    code, out, _ = await ctl("history", "--json")
    assert code == 0
    assert json.loads(out)["series"][0]["values"] == ["NaN", 0.0, 571.25]
    (request,) = daemon.requests
    assert (list(request.columns), request.max_points, request.last.seconds) == ([], 30, 600)


@pytest.mark.parametrize(
    "arguments",
    [("--column", "tokens"), ("--interval", "1s", "--points", "3"), ("--last", "10"), ("--points", "0")],
)
async def test_a_wrong_use_of_history_is_explained(ctl, daemon, arguments):
    code, _, err = await ctl("history", *arguments)
    assert (code, daemon.requests) == (2, [])
    assert err


# --- events ---------------------------------------------------------------------------------------------


async def test_events_are_followed_and_resumed(daemon):
    daemon.events = [telemetry_pb2.WatchEventsResponse(events=[EVENT], missed=2)]
    async with Client(daemon.address) as client:
        stream = client.watch_events("demo/*", after_id=6, min_severity="watch")
        async with aclosing(stream):
            message = await anext(stream)
    assert (message.missed, message.events[0].id) == (2, 7)
    assert daemon.requests == [
        telemetry_pb2.WatchEventsRequest(
            engine="demo/*", after_id=6, min_severity=event_pb2.EVENT_SEVERITY_WATCH
        )
    ]


def test_an_event_becomes_a_plain_value():
    event = event_from_proto(EVENT)
    assert (event.kind, event.severity, event.group) == (EventKind.TRIAL_STARTED, EventSeverity.WATCH, 1)
    assert (event.change.change_id, event.seconds) == ("a", None)
    newer = event_from_proto(event_pb2.Event(id=1, kind=99))
    assert (newer.kind, newer.change, newer.time_s) == (EventKind.UNKNOWN, None, None)


async def test_events_are_lines(ctl, daemon):
    daemon.events = [
        telemetry_pb2.WatchEventsResponse(events=[EVENT], missed=1200),
        telemetry_pb2.WatchEventsResponse(events=[STARTED]),
    ]
    code, out, _ = await ctl("events", "--since", "1h")
    assert code == 0
    assert out.splitlines() == [
        "TIME                        ENGINE                WHAT",
        "gap 1,200 events that the daemon no longer has",
        "1970-01-01 00:16:40  WATCH  demo/0                trial a",
        "--:--:--                    (daemon)              started",
    ]
    (request,) = daemon.requests
    assert request.no_follow
    assert request.since.seconds > 1_700_000_000


async def test_events_json_has_an_object_a_line(ctl, daemon):
    daemon.events = [telemetry_pb2.WatchEventsResponse(events=[EVENT, STARTED], missed=3)]
    code, out, _ = await ctl("events", "--json", "--follow", "--count", "2", "--severity", "act")
    assert code == 0
    missed, first, second = map(json.loads, out.splitlines())
    assert (missed, first["kind"], second["id"]) == ({"missed": "3"}, "EVENT_KIND_TRIAL_STARTED", "8")
    (request,) = daemon.requests
    assert (request.no_follow, request.min_severity) == (False, event_pb2.EVENT_SEVERITY_ACT)


# --- requests -------------------------------------------------------------------------------------------


async def test_requests_are_asked_for_by_plain_values(daemon):
    daemon.unfinished = REQUESTS
    async with Client(daemon.address) as client:
        await client.list_requests("demo/0", limit=5, order="wait", states=["held", "remote-kv"], group=0)
    assert daemon.requests == [
        telemetry_pb2.ListRequestsRequest(
            engine="demo/0",
            limit=5,
            order=request_pb2.REQUEST_ORDER_WAIT,
            states=[request_pb2.REQUEST_STATE_HELD, request_pb2.REQUEST_STATE_REMOTE_KV],
            group=0,
        )
    ]


def test_a_request_becomes_a_plain_value():
    table = requests_from_proto(REQUESTS)
    waiting, held = table.requests
    assert (waiting.state, waiting.group, waiting.wait_s) == (RequestState.WAITING, None, 38.0)
    assert (held.group, held.wait_s, held.preemptions) == (2, None, 1)
    assert (table.total, table.recorded, table.matching) == (1500, 1000, 40)


async def test_requests_are_a_list_that_says_what_it_left_out(ctl, daemon):
    daemon.unfinished = REQUESTS
    code, out, _ = await ctl("requests", "--state", "waiting", "--state", "held", "--limit", "2")
    assert code == 0
    assert out.splitlines() == [
        "REQUEST        STATE      GROUP     AGE    WAIT   PROMPT   OUTPUT  PREEMPTED",
        "chatcmpl-9f21  waiting       --    38 s    38 s    1,204        0          0",
        "chatcmpl-77ac  held           2    60 s      --      311       17          1",
        "2 of 40 that match, of 1,500 unfinished requests",
        "the engine told of 1,000: those that run, then the head of the queue",
    ]


async def test_no_request_is_said(ctl, daemon):
    code, out, _ = await ctl("requests")
    assert (code, out) == (0, "No unfinished request.\n")


async def test_requests_json(ctl, daemon):
    daemon.unfinished = REQUESTS
    code, out, _ = await ctl("requests", "demo/0", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["total"], found["requests"][1]["state"]) == (1500, "REQUEST_STATE_HELD")
    assert "waitSeconds" not in found["requests"][1]


# --- without asyncio ------------------------------------------------------------------------------------


async def test_the_blocking_client_asks_the_same(daemon):
    daemon.history, daemon.unfinished = HISTORY, REQUESTS
    daemon.events = [telemetry_pb2.WatchEventsResponse(events=[EVENT])]

    def ask():
        with SyncClient(daemon.address) as client:
            assert client.get_history("demo/0", last_s=5, columns=["running"]) == HISTORY
            assert client.list_requests(order="group") == REQUESTS
            with closing(client.watch_events(since_time_s=0.0, follow=False)) as stream:
                assert [message.events[0].id for message in stream] == [7]

    await asyncio.to_thread(ask)
    history, requests, events = daemon.requests
    assert (history.last.seconds, list(history.columns)) == (5, [history_pb2.HISTORY_COLUMN_RUNNING])
    assert requests.order == request_pb2.REQUEST_ORDER_GROUP
    assert events.HasField("since")
    assert events.no_follow
