"""The daemon: looks for engines, reads their rings, and serves until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rblntopd.audit.log import AuditLog
from rblntopd.engines.registry import Registry
from rblntopd.probe import __version__
from rblntopd.server import identity, unix_sockets
from rblntopd.server.api_server import Services, stop
from rblntopd.server.control import ControlService
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.cpu_share import CpuShare
from rblntopd.server.followed_process import FollowedProcess
from rblntopd.server.identity import Identities, IdentitySocket
from rblntopd.server.reapply import reapply
from rblntopd.server.socket_place import SocketPlace
from rblntopd.server.subscriber import WriteWatch
from rblntopd.server.telemetry import TelemetryService

logger = logging.getLogger(__name__)

#: How often the runtime directory and the rings are looked at when nobody asks. The ring holds minutes.
SCAN_S = 0.5
#: Streams get this long to end; then the process ends, whatever they do. All of it within 2 s.
STOP_GRACE_S = 0.5
STOP_DEADLINE_S = 0.9
LAST_LINES_S = 0.7


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says."""

    runtime: Path
    """Where engines put their rings."""
    place: SocketPlace
    """Taken: where operators connect."""
    viewers: SocketPlace
    """Where those connect who may only look."""
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
    place, viewers = settings.place, settings.viewers
    registry = Registry(settings.runtime)
    identities = Identities()
    identity_place = SocketPlace(place.path.with_name(identity.SOCKET_NAME), place.group)
    identity_socket = IdentitySocket(identity_place, identities)
    try:
        viewers.take()
        registry.scan()
        audit = AuditLog(settings.state, registry.every)
        desk = ControlDesk(registry, audit)
        if settings.reapply_limits:
            audit.when_restarted = partial(desk.in_background, reapply, desk)
        # First of all: what was done while no daemon ran comes before what this one does.
        await audit.catch_up()
        watch = WriteWatch(settings.write_deadline_s)
        telemetry = TelemetryService(registry, CpuShare(), watch)
        services = Services(telemetry, ControlService(desk, identities))
        servers = [services.server(unix_sockets.operator), services.server(unix_sockets.viewer)]
        for server, where in zip(servers, (place, viewers), strict=True):
            unix_sockets.bind(server, where)
            await server.start()
        await services.ready()
        await identity_socket.start()
        logger.info(
            "rblntopd %s serves %s, engines in %s, audit log in %s",
            __version__, place.address, settings.runtime, settings.state,
        )  # fmt: skip
        end = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end.set)
        work = (watch.run(), _look(registry, settings.followed), audit.run(), desk.several.run())
        tasks = [asyncio.create_task(part) for part in work]
        for task in tasks:
            task.add_done_callback(lambda _: end.set())
        await end.wait()
        logger.info("stopping")
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        for task in tasks:
            task.cancel()
        await stop(servers, STOP_GRACE_S, STOP_DEADLINE_S)
        await audit.close(LAST_LINES_S)
        for error in failed:
            if error is not None:
                raise error
    finally:
        identity_socket.close()
        registry.close()
        viewers.release()
        place.release()


async def _look(registry: Registry, followed: FollowedProcess | None) -> None:
    """Keep the registry up to date."""
    while True:
        await registry.refresh()
        await asyncio.sleep(SCAN_S)
        registry.scan()
        if followed is not None and followed.over(registry.any_alive):
            logger.info("process %d and all engines are gone: ending", followed.pid)
            return


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
