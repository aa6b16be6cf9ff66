"""Who may call what: the operators' socket, the viewers' socket, and every method there is."""

from __future__ import annotations

import os
import stat

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2  # noqa: F401 - its descriptors
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from tests.service.conversation import ask_identity, max_num_seqs, set_request

from rblntop_api.v1 import control_pb2, control_pb2_grpc, telemetry_pb2, telemetry_pb2_grpc
from rblntopd.server.roles import METHODS, Role

DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
def viewers(daemon):
    """A channel through the viewers' socket."""
    with grpc.insecure_channel(f"unix:{daemon.runtime / 'rblntopd-ro.sock'}") as channel:
        yield channel


def served_methods(channel):
    """Every method that a daemon says it has, by asking it."""
    ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
    (answer,) = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    found = []
    for service in answer.list_services_response.service:
        described = descriptor_pool.Default().FindServiceByName(service.name)
        found += [(f"/{service.name}/{method.name}", method) for method in described.methods]
    return found


def call_with_nothing(channel, path, method):
    """The code of a call with an empty request that is given up at once."""
    kind = ("stream" if method.client_streaming else "unary") + (
        "_stream" if method.server_streaming else "_unary"
    )
    call = getattr(channel, kind)(path)
    try:
        answer = call(iter([b""]) if method.client_streaming else b"", timeout=5)
        if method.server_streaming:
            next(iter(answer))
            answer.cancel()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_a_viewer_may_call_what_is_listed_for_viewers_and_nothing_else(daemon, viewers, engine):
    engine.spin(per_second=50)  # So that a stream of steps has some.
    codes = {path: call_with_nothing(viewers, path, method) for path, method in served_methods(viewers)}
    denied = {path for path, code in codes.items() if code is DENIED}
    assert denied == METHODS[Role.OPERATOR] - METHODS[Role.VIEWER]
    assert METHODS[Role.OPERATOR] <= set(codes)
    assert denied == {path for path in codes if path.startswith("/rblntop.v1.Control/")}


def test_an_operator_may_call_every_method(daemon, engine):
    engine.spin(per_second=50)
    found = served_methods(daemon.channel)
    codes = {path: call_with_nothing(daemon.channel, path, method) for path, method in found}
    assert set(codes) == METHODS[Role.OPERATOR]
    assert DENIED not in codes.values()


def test_a_refusal_says_which_role_it_takes_and_what_gave_another(viewers):
    control = control_pb2_grpc.ControlStub(viewers)
    with pytest.raises(grpc.RpcError) as caught:
        control.SetLimits(set_request(max_num_seqs(4)))
    assert caught.value.details() == (
        "Control/SetLimits needs the role operator: the viewers' socket gives viewer"
    )
    info = error_details_pb2.ErrorInfo()
    rpc_status.from_call(caught.value).details[0].Unpack(info)
    assert (info.domain, info.reason) == ("rblntop", "ROLE_DENIED")
    assert dict(info.metadata) == {"method": "Control/SetLimits", "role": "viewer", "needed": "operator"}


def test_a_token_opens_nothing(daemon, viewers, engine):
    token = ask_identity(daemon.runtime / "rblntopd-id.sock")["token"]
    with pytest.raises(grpc.RpcError) as caught:
        control_pb2_grpc.ControlStub(viewers).ResetLimits(
            control_pb2.ResetLimitsRequest(), metadata=(("rblntop-identity", token),)
        )
    assert caught.value.code() is DENIED
    assert engine.state()["generation"] == 0


def test_viewers_see_what_operators_see(daemon, viewers, engine):
    engine.steps(count=3)
    telemetry = telemetry_pb2_grpc.TelemetryStub(viewers)
    request = telemetry_pb2.WatchStepsRequest(from_sequence=0, no_follow=True)
    seen = [step.sequence for message in telemetry.WatchSteps(request) for step in message.steps]
    assert seen == [0, 1, 2]
    snapshots = telemetry.WatchSnapshots(telemetry_pb2.WatchSnapshotsRequest())
    assert next(iter(snapshots)).snapshots[0].engine.name == "tiny/0"
    snapshots.cancel()


def test_what_does_not_exist_is_not_there_for_viewers_either(viewers):
    with pytest.raises(grpc.RpcError) as caught:
        viewers.unary_unary("/rblntop.v1.Control/Explode")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_only_the_owner_may_use_the_sockets_of_a_daemon_that_is_no_service(daemon):
    for name in ("rblntopd.sock", "rblntopd-ro.sock", "rblntopd-id.sock"):
        assert stat.S_IMODE(os.stat(daemon.runtime / name).st_mode) == 0o600


def test_a_daemon_takes_both_sockets_along(daemon):
    daemon.process.terminate()
    assert daemon.process.wait(timeout=30) == 0
    assert not list(daemon.runtime.glob("*.sock"))
