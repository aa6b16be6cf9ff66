"""The gate before every method: what nobody listed is refused, whoever calls."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from rblntop_api.v1 import control_pb2, telemetry_pb2
from rblntopd.server.roles import METHODS, Pass, Role, RoleGate, denied

FILES = (telemetry_pb2, control_pb2, health_pb2, reflection_pb2)
SERVICES: list[ServiceDescriptor] = [
    service for file in FILES for service in file.DESCRIPTOR.services_by_name.values()
]
EXISTING = {f"/{service.full_name}/{method.name}" for service in SERVICES for method in service.methods}


def test_every_listed_method_exists():
    # Health/List is there from grpcio-health-checking 1.72 on.
    for methods in METHODS.values():
        assert methods - EXISTING <= {"/grpc.health.v1.Health/List"}


def test_every_existing_method_is_listed_for_somebody():
    assert METHODS[Role.OPERATOR] >= EXISTING


def test_an_operator_may_do_what_a_viewer_may():
    assert METHODS[Role.VIEWER] < METHODS[Role.OPERATOR]


def test_viewers_may_call_nothing_of_control():
    assert not [method for method in METHODS[Role.VIEWER] if "Control" in method]


@pytest.fixture
async def call(tmp_path):
    """Calls an invented method of every shape, through a gate that shows a pass."""
    servers, channels = [], []

    async def unary(request, _context):
        return request

    async def stream(request, _context):
        yield request

    async def writes(request, context):
        await context.write(request)

    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Stream": grpc.unary_stream_rpc_method_handler(stream),
        "Writes": grpc.unary_stream_rpc_method_handler(writes),
    }
    shapes = {"Unary": "unary_unary", "Stream": "unary_stream", "Writes": "unary_stream"}

    async def call(service, method, role):
        gate = RoleGate(lambda _: Pass(role, "a test"))
        server = grpc.aio.server(interceptors=[gate])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        address = f"unix:{tmp_path / f'{len(servers)}.sock'}"
        server.add_insecure_port(address)
        await server.start()
        servers.append(server)
        channels.append(grpc.aio.insecure_channel(address))
        asked = getattr(channels[-1], shapes[method])(f"/{service}/{method}")(b"x")
        try:
            return await asked if method == "Unary" else [message async for message in asked]
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details()

    yield call
    for channel in channels:
        await channel.close()
    for server in servers:
        await server.stop(0)


@pytest.mark.parametrize("method", ["Unary", "Stream", "Writes"])
@pytest.mark.parametrize("role", [*Role, None])
async def test_a_new_method_is_closed_to_everybody(call, method, role):
    code, text = await call("rblntop.v1.Control", method, role)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert text == f"Control/{method} is open to no role"


@pytest.mark.parametrize(("method", "answer"), [("Unary", b"x"), ("Stream", [b"x"]), ("Writes", [b"x"])])
async def test_a_listed_method_answers_through_the_gate(call, method, answer, monkeypatch):
    monkeypatch.setitem(METHODS, Role.VIEWER, frozenset({f"/invented.Service/{method}"}))
    assert await call("invented.Service", method, Role.VIEWER) == answer
    code, text = await call("invented.Service", method, None)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert text == f"invented.Service/{method} needs the role viewer: a test gives none"


def test_without_a_role_not_even_the_health_may_be_asked():
    error = denied("/grpc.health.v1.Health/Check", Pass(None, "certificate web-1"))
    assert error.text == "grpc.health.v1.Health/Check needs the role viewer: certificate web-1 gives none"
