"""The Telemetry service of a real daemon, over its socket."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from rblntop_api.v1 import engine_pb2, telemetry_pb2


def snapshot(daemon, **request):
    return daemon.telemetry.GetSnapshot(telemetry_pb2.GetSnapshotRequest(**request)).snapshot


def engines(daemon):
    return list(daemon.telemetry.ListEngines(telemetry_pb2.ListEnginesRequest()).engines)


def failure(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    info = error_details_pb2.ErrorInfo()
    rpc_status.from_call(caught.value).details[0].Unpack(info)
    assert info.domain == "rblntop"
    return caught.value.code(), caught.value.details(), info


def steps(daemon, **request):
    return daemon.telemetry.WatchSteps(telemetry_pb2.WatchStepsRequest(**request))


def test_an_engine_is_listed_with_what_it_says_of_itself(engine, daemon):
    (found,) = engines(daemon)
    assert (found.name, found.instance_id, found.pid) == ("tiny/0", engine.instance_id, engine.pid)
    assert (found.pp_size, found.max_model_len, list(found.decode_buckets)) == (2, 512, [4])
    assert found.state == engine_pb2.ENGINE_STATE_STARTING


def test_a_snapshot_has_the_steps_that_were_just_published(engine, daemon):
    engine.steps(count=10)
    found = snapshot(daemon)
    assert (found.step, found.next_sequence, found.missed_records) == (10, 10, 0)
    assert found.engine.state == engine_pb2.ENGINE_STATE_SERVING
    assert [(group.running, group.decode_batch, group.padded_batch) for group in found.groups] == [
        (3, 3, 4)
    ] * 2
    assert found.running == sum(group.running for group in found.groups)
    assert [window.seconds for window in found.windows] == [1, 10, 60]


def test_an_idle_engine_is_idle(engine, daemon):
    engine.steps(count=1, unfinished=0, running=0, finished=3)
    assert snapshot(daemon).engine.state == engine_pb2.ENGINE_STATE_IDLE


def test_a_figure_that_nothing_was_measured_for_is_absent(engine, daemon):
    found = snapshot(daemon)
    window = found.windows[0]
    assert not window.HasField("decode_pad_ratio")
    assert not window.HasField("queue_occupancy_ratio")
    assert not window.HasField("token_gap_p50_seconds")
    assert not found.HasField("probe_us_per_step")


def test_a_probe_that_switched_itself_off_says_why(engine, daemon):
    engine.fault(text="ValueError: odd")
    assert snapshot(daemon).engine.notice == "the probe switched itself off: ValueError: odd"


def test_every_step_comes_once_and_in_order(engine, daemon):
    engine.steps(count=1500)
    found = [step for message in steps(daemon, from_sequence=0, no_follow=True) for step in message.steps]
    assert [step.sequence for step in found] == list(range(1500))
    assert [step.step for step in found] == list(range(1, 1501))


def test_steps_are_followed_from_now_on(engine, daemon):
    engine.steps(count=5)
    stream = steps(daemon)
    stream.initial_metadata()
    engine.steps(count=3)
    first = next(stream).steps[0]
    stream.cancel()
    assert first.sequence >= 5


def test_a_reader_that_comes_too_late_is_told_how_many_steps_it_missed(start_engine, start_daemon):
    start_engine(capacity=100).steps(count=250)
    messages = list(steps(start_daemon(), from_sequence=0, no_follow=True))
    # One slot is always being written, so 99 of the 100 are whole.
    assert messages[0].missed == 151
    assert [step.sequence for message in messages for step in message.steps] == list(range(151, 250))


def test_a_sequence_number_from_the_future_is_refused(engine, daemon):
    engine.steps(count=5)
    code, text, info = failure(lambda: next(steps(daemon, from_sequence=6)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert text == "from_sequence=6: allowed is 0..5: the next record is 5"
    assert info.reason == "INVALID_FIELD"


def test_an_unknown_engine_is_refused_with_those_there_are(engine, daemon):
    code, text, info = failure(lambda: snapshot(daemon, engine="huge/0"))
    assert code == grpc.StatusCode.NOT_FOUND
    assert text == "there is no engine 'huge/0', there are: tiny/0"
    assert (info.reason, info.metadata["engines"]) == ("ENGINE_NOT_FOUND", "tiny/0")


def test_with_several_engines_one_must_be_named(start_engine, start_daemon):
    start_engine(name="a")
    start_engine(name="b")
    daemon = start_daemon()
    code, text, info = failure(lambda: snapshot(daemon))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert text == "several engines are running, name one of: a, b"
    assert info.reason == "ENGINE_AMBIGUOUS"


def test_with_no_engine_a_snapshot_is_refused(start_daemon):
    code, text, _ = failure(lambda: snapshot(start_daemon()))
    assert (code, text) == (grpc.StatusCode.NOT_FOUND, "no engine is running")


@pytest.mark.parametrize(("milliseconds"), [99, 60_001, 0])
def test_an_interval_out_of_range_is_refused(engine, daemon, milliseconds):
    interval = Duration()
    interval.FromMilliseconds(milliseconds)
    request = telemetry_pb2.WatchSnapshotsRequest(interval=interval)
    code, text, info = failure(lambda: next(daemon.telemetry.WatchSnapshots(request)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert text == f"interval={milliseconds} ms: allowed is 100 ms..60000 ms"
    assert info.metadata["field"] == "interval"


@pytest.mark.parametrize(
    ("request_fields", "text"),
    [
        ({"window_seconds": [61]}, "window_seconds=61: allowed is 1..60"),
        ({"window_seconds": [0]}, "window_seconds=0: allowed is 1..60"),
        ({"strip_cells": 121}, "strip_cells=121: allowed is 0..120"),
    ],
)
def test_a_request_out_of_range_is_refused(engine, daemon, request_fields, text):
    code, details, _ = failure(lambda: snapshot(daemon, **request_fields))
    assert (code, details) == (grpc.StatusCode.INVALID_ARGUMENT, text)


def test_snapshots_of_all_engines_come_at_an_interval(start_engine, start_daemon):
    for name in ("a", "b"):
        start_engine(name=name).steps(count=3)
    interval = Duration()
    interval.FromMilliseconds(100)
    request = telemetry_pb2.WatchSnapshotsRequest(interval=interval, window_seconds=[10], strip_cells=5)
    stream = start_daemon().telemetry.WatchSnapshots(request)
    for _ in range(3):
        message = next(stream)
        assert [found.engine.name for found in message.snapshots] == ["a", "b"]
        cells = [len(group.strip) for group in message.snapshots[0].groups]
        # The engine is younger than that, and a strip begins where its records do.
        assert cells[0] == cells[1] <= 5
    stream.cancel()


def test_health_says_serving_for_each_service(engine, daemon):
    checks = health_pb2_grpc.HealthStub(daemon.channel)
    for service in ("", "rblntop.v1.Telemetry", "rblntop.v1.Control"):
        answer = checks.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_lists_the_services(engine, daemon):
    assert set(ProtoReflectionDescriptorDatabase(daemon.channel).get_services()) == {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "rblntop.v1.Control",
        "rblntop.v1.Telemetry",
    }
