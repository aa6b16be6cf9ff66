"""The daemon: looks for engines, reads their rings, and serves until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from rblntop_api.v1 import control_pb2, telemetry_pb2
from rblntopd.audit.log import AuditLog
from rblntopd.engines.histories import Histories
from rblntopd.engines.registry import Registry
from rblntopd.events.happenings import Happenings
from rblntopd.probe import __version__
from rblntopd.server import identity
from rblntopd.server.control import ControlService
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.cpu_share import CpuShare
from rblntopd.server.followed_process import FollowedProcess
from rblntopd.server.identity import Identities, IdentitySocket
from rblntopd.server.reapply import reapply
from rblntopd.server.service_handlers import service_handler
from rblntopd.server.socket_place import SocketPlace, SocketPlaceError
from rblntopd.server.subscriber import WriteWatch
from rblntopd.server.telemetry import TelemetryService

logger = logging.getLogger(__name__)

#: How often the runtime directory and the rings are looked at when nobody asks. The ring holds minutes.
SCAN_S = 0.5
#: Streams get this long to end; then the process ends, whatever they do.
STOP_GRACE_S = 1.0
STOP_DEADLINE_S = 3.0
SERVICES = (
    telemetry_pb2.DESCRIPTOR.services_by_name["Telemetry"],
    control_pb2.DESCRIPTOR.services_by_name["Control"],
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says."""

    runtime: Path
    """Where engines put their rings."""
    place: SocketPlace
    """Taken: where clients connect."""
    state: Path
    """Where the audit log is."""
    followed: FollowedProcess | None
    write_deadline_s: float
    reapply_limits: bool
    """Whether an engine gets its limits again after a restart."""


async def serve(settings: Settings) -> None:
    """Serve at a place that was taken until SIGTERM or SIGINT, or until the followed process and all
    engines are gone.

    Raises:
        SocketPlaceError: the socket cannot be served.
    """
    place = settings.place
    registry = Registry(settings.runtime)
    identities = Identities()
    identity_socket = IdentitySocket(place.path.with_name(identity.SOCKET_NAME), identities)
    try:
        registry.scan()
        histories = Histories()
        audit = AuditLog(settings.state, registry.every)
        desk = ControlDesk(registry, audit)
        if settings.reapply_limits:
            audit.when_restarted = partial(desk.in_background, reapply, desk)
        # First of all: what was done while no daemon ran comes before what this one does.
        await audit.catch_up()
        happenings = Happenings()
        await happenings.begin(audit, registry.every())
        watch = WriteWatch(settings.write_deadline_s)
        telemetry = TelemetryService(registry, histories, happenings.events, CpuShare(), watch)
        server = await _start(place, telemetry, ControlService(desk, identities))
        await identity_socket.start()
        logger.info(
            "rblntopd %s serves %s, engines in %s, audit log in %s",
            __version__, place.address, settings.runtime, settings.state,
        )  # fmt: skip
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        looking = _look(registry, histories, happenings, settings.followed)
        work = (watch.run(), looking, histories.fill(), audit.run(), desk.several.run())
        tasks = [asyncio.create_task(part) for part in work]
        for task in tasks:
            task.add_done_callback(lambda _: stop.set())
        await stop.wait()
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        for task in tasks:
            task.cancel()
        await _stop(server)
        await audit.close(STOP_GRACE_S)
        for error in failed:
            if error is not None:
                raise error
    finally:
        identity_socket.close()
        registry.close()
        place.release()


OPTIONS = [
    # Two servers would share a TCP port silently.
    ("grpc.so_reuseport", 0),
    # A client on a quiet stream pings every 20 s; by default the second ping within five minutes ends it.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


async def _start(
    place: SocketPlace, telemetry_service: TelemetryService, control_service: ControlService
) -> grpc.aio.Server:
    server = grpc.aio.server(options=OPTIONS)
    telemetry, control = SERVICES
    server.add_generic_rpc_handlers(
        (
            service_handler(telemetry, telemetry_service, {"WatchSnapshots"}),
            service_handler(control, control_service),
        )
    )
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    names = [service.full_name for service in SERVICES]
    for name in ("", *names):
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    # Nobody may come in between the bind and the chmod.
    before = os.umask(0o177)
    try:
        server.add_insecure_port(place.address)
    except RuntimeError as error:
        raise SocketPlaceError(f"cannot listen on {place.address}: {error}") from error
    finally:
        os.umask(before)
    place.set_mode()
    await server.start()
    return server


async def _look(
    registry: Registry, histories: Histories, happenings: Happenings, followed: FollowedProcess | None
) -> None:
    """Keep the registry up to date, and what follows from it."""
    while True:
        await registry.refresh()
        histories.follow(registry.every(), time.monotonic_ns())
        happenings.look(registry.every())
        await asyncio.sleep(SCAN_S)
        registry.scan()
        if followed is not None and followed.over(registry.any_alive):
            logger.info("process %d and all engines are gone: ending", followed.pid)
            return


async def _stop(server: grpc.aio.Server) -> None:
    logger.info("stopping")
    stopping = asyncio.ensure_future(server.stop(STOP_GRACE_S))
    done, _ = await asyncio.wait([stopping], timeout=STOP_DEADLINE_S)
    if not done:
        # server.stop() waits for ever behind a subscriber that does not read.
        logger.warning("a subscriber does not let go: ending without it")


def run(serving: Callable[[], Awaitable[None]]) -> None:
    """Run a daemon to its end, and end the process even where a stuck call holds the event loop's tasks.

    Raises:
        SocketPlaceError: the socket cannot be served.
    """
    # What rings are read into is many small and long-lived objects without cycles: at the default thresholds
    # looking for garbage among them took a third of the daemon's time with 64 engines.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serving())
    logging.shutdown()
    # Not loop.close(): tasks of stuck calls would be waited for.
    os._exit(0)
