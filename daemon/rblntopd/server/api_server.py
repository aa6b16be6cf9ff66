"""One gRPC server of the API for each way in: what may be called depends on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from rblntop_api.v1 import control_pb2, telemetry_pb2
from rblntopd.server.control import ControlService
from rblntopd.server.roles import Context, Pass, RoleGate
from rblntopd.server.service_handlers import service_handler
from rblntopd.server.telemetry import TelemetryService

logger = logging.getLogger(__name__)

TELEMETRY = telemetry_pb2.DESCRIPTOR.services_by_name["Telemetry"]
CONTROL = control_pb2.DESCRIPTOR.services_by_name["Control"]
NAMES = (TELEMETRY.full_name, CONTROL.full_name)
OPTIONS = [
    # Two servers would share a TCP port silently.
    ("grpc.so_reuseport", 0),
    # A client on a quiet stream pings every 20 s; by default the second ping within five minutes ends it.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


class Services:
    """What all servers of one daemon serve."""

    def __init__(self, telemetry: TelemetryService, control: ControlService) -> None:
        self._telemetry = telemetry
        self._control = control
        self._health = health.aio.HealthServicer()

    async def ready(self) -> None:
        """Have the health service say that the daemon serves."""
        for name in ("", *NAMES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def server(self, shown: Callable[[Context], Pass]) -> grpc.aio.Server:
        """A server that listens nowhere yet; ``shown`` says what a call may do."""
        server = grpc.aio.server(options=OPTIONS, interceptors=[RoleGate(shown)])
        server.add_generic_rpc_handlers(
            (
                service_handler(TELEMETRY, self._telemetry, {"WatchSnapshots"}),
                service_handler(CONTROL, self._control),
            )
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection((*NAMES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        return server


async def stop(servers: Sequence[grpc.aio.Server], grace_s: float, deadline_s: float) -> None:
    """Let streams end within ``grace_s``, and wait no longer than ``deadline_s`` for those that do not."""
    stopping = [asyncio.ensure_future(server.stop(grace_s)) for server in servers]
    _, left = await asyncio.wait(stopping, timeout=deadline_s)
    if left:
        # server.stop() waits for ever behind a subscriber that does not read.
        logger.warning("a subscriber does not let go: ending without it")
