"""ListRequests: a real daemon has an engine write its requests down."""

from __future__ import annotations

import grpc
import pytest

from rblntop_api.v1 import request_pb2, telemetry_pb2
from rblntopd.probe import ring_format as fmt
from rblntopd.probe.ring_format import NO_GROUP, UNKNOWN_MS, RequestState

#: id, prompt, output, computed, age ms, wait ms, preemptions, state, group
ROWS: list[list[object]] = [
    ["a", 10, 5, 15, 9000, 500, 0, RequestState.RUNNING, 0],
    ["b", 300, 9, 309, 8000, 0, 1, RequestState.HELD, 1],
    ["c", 20, 7, 27, 30_000, UNKNOWN_MS, 0, RequestState.RUNNING, 1],
    ["d", 40, 1, 0, 20_000, 100, 3, RequestState.PREEMPTED, 0],
    ["e", 50, 0, 0, 2000, 2000, 0, RequestState.WAITING, NO_GROUP],
]


@pytest.fixture
def ask(engine, daemon):
    engine.has_requests(total=7, rows=ROWS)

    def ask(**fields):
        return daemon.telemetry.ListRequests(telemetry_pb2.ListRequestsRequest(**fields), timeout=20)

    return ask


def ids(answer):
    return "".join(request.id for request in answer.requests)


def refusal(call, **fields):
    with pytest.raises(grpc.RpcError) as caught:
        call(**fields)
    return caught.value


def test_requests_come_with_their_numbers(ask):
    answer = ask(engine="tiny/0")
    assert (answer.total, answer.recorded, answer.matching) == (7, 5, 5)
    assert answer.time.seconds > 0
    preempted = next(request for request in answer.requests if request.id == "d")
    assert preempted == request_pb2.EngineRequest(
        id="d", state=request_pb2.REQUEST_STATE_PREEMPTED, group=0, prompt_tokens=40, output_tokens=1,
        preemptions=3, age_seconds=20.0, wait_seconds=0.1,
    )  # fmt: skip
    first, *_, last = answer.requests
    assert not first.HasField("wait_seconds")  # Nobody knows how long it had waited.
    assert not last.HasField("group")


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("UNSPECIFIED", "cdabe"),
        ("AGE", "cdabe"),
        ("WAIT", "decab"),
        ("PROMPT_TOKENS", "bedca"),
        ("OUTPUT_TOKENS", "bcade"),
        ("GROUP", "dacbe"),
    ],
)
def test_what_is_asked_for_comes_first(ask, order, wanted):
    assert ids(ask(order=f"REQUEST_ORDER_{order}")) == wanted


def test_the_list_can_be_narrowed_and_says_what_it_left_out(ask):
    answer = ask(states=["REQUEST_STATE_RUNNING", "REQUEST_STATE_HELD"], limit=2)
    assert (ids(answer), answer.matching, answer.recorded, answer.total) == ("ca", 3, 5, 7)
    answer = ask(group=1, states=["REQUEST_STATE_HELD"])
    assert (ids(answer), answer.matching) == ("b", 1)


def test_those_who_ask_within_a_second_ask_the_engine_once(ask, engine):
    ask()
    ask(limit=1)
    ask(order="REQUEST_ORDER_GROUP")
    assert engine.times_asked()["asked"] <= 2  # Unless this took longer than a second.


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"limit": 1001}, "limit=1001: allowed is 0..1000"),
        ({"order": 77}, "order=77: allowed is a value of RequestOrder"),
        ({"states": [0]}, "states=0: allowed is values of RequestState but for UNSPECIFIED"),
        ({"group": 2}, "group=2: allowed is 0..1"),
    ],
)
def test_a_field_that_cannot_be_is_refused(ask, fields, text):
    error = refusal(ask, **fields)
    assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, text)


def test_an_unknown_engine_is_not_found(ask):
    assert refusal(ask, engine="nobody").code() == grpc.StatusCode.NOT_FOUND


def test_an_engine_that_is_gone_has_no_requests(ask, engine):
    engine.kill()
    error = refusal(ask)
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert "is gone" in error.details()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"answers": "old probe"}, "unknown operation 10: this probe is older than you"),
        ({"control_socket": None}, "the engine has no control socket"),
    ],
)
def test_an_engine_that_cannot_show_them_says_why(start_engine, start_daemon, settings, text):
    start_engine(**settings)
    error = refusal(start_daemon().telemetry.ListRequests, request=telemetry_pb2.ListRequestsRequest())
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert error.details() == f"engine tiny/0 cannot show its requests: {text}"


def test_a_ring_of_an_older_minor_says_what_to_do(start_engine, start_daemon):
    engine = start_engine()
    header = fmt.Header(*fmt.HEADER_FIXED.unpack(engine.path.read_bytes()[: fmt.HEADER_FIXED.size]))
    older = header._replace(minor=0, requests_offset=0, request_size=0, request_capacity=0)
    engine.overwrite(offset=0, text=fmt.HEADER_FIXED.pack(*older).hex())
    error = refusal(start_daemon().telemetry.ListRequests, request=telemetry_pb2.ListRequestsRequest())
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert "restart the engine to update it" in error.details()
