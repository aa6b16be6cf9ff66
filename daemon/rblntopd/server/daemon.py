"""The daemon: looks for engines, reads their rings, and serves until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rblntopd.audit.log import AuditLog
from rblntopd.audit.restarts import KeptLimits
from rblntopd.config.config import DEFAULT, Config
from rblntopd.config.errors import ConfigError
from rblntopd.engines.engine import Engine
from rblntopd.engines.histories import Histories
from rblntopd.engines.registry import Registry
from rblntopd.events.happenings import Happenings
from rblntopd.exposition.daemon_collector import DaemonCollector, DaemonCounts
from rblntopd.exposition.exposition import Exposition
from rblntopd.exposition.scrape_server import ScrapeServer, ScrapeServerError
from rblntopd.metrics.cells import NS
from rblntopd.probe import __version__
from rblntopd.server import identity, unix_sockets
from rblntopd.server.api_server import Services, stop
from rblntopd.server.control import ControlService
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.cpu_share import CpuShare
from rblntopd.server.identity import Identities, IdentitySocket
from rblntopd.server.log_output import log_to
from rblntopd.server.reapply import reapply
from rblntopd.server.reload import in_force
from rblntopd.server.socket_place import SocketPlace, SocketPlaceError
from rblntopd.server.subscriber import WriteWatch
from rblntopd.server.supervisor import Supervisor
from rblntopd.server.telemetry import TelemetryService
from rblntopd.server.tls import TlsListener

if TYPE_CHECKING:
    from rblntopd.server.followed_process import FollowedProcess

logger = logging.getLogger(__name__)

#: How often the runtime directory and the rings are looked at when nobody asks. The ring holds minutes.
SCAN_S = 0.5
#: The end takes 2 s at most, whatever holds it: streams, the audit log's disk, at last the event loop.
STOP_GRACE_S = 0.5
STOP_DEADLINE_S = 0.8
LAST_LINES_S = 0.6
END_S = 1.8


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says."""

    config: Config
    place: SocketPlace
    """Taken: where operators connect."""
    followed: FollowedProcess | None
    reload: Callable[[], Config]
    """Reads the configuration again; ConfigError: it is not allowed."""


async def serve(settings: Settings) -> None:
    """Serve at a place that was taken until SIGTERM or SIGINT, or until the followed process and all
    engines are gone.

    Raises:
        SocketPlaceError: the socket cannot be served.
    """
    daemon = Daemon(settings)
    try:
        await daemon.start()
        await daemon.run()
    finally:
        daemon.close()


class Daemon:
    """One daemon, from its start to its end."""

    def __init__(self, settings: Settings) -> None:
        self._config = settings.config
        self._reload = settings.reload
        self._followed = settings.followed
        self._end = asyncio.Event()
        self._supervisor = Supervisor()
        config = settings.config
        self._operators = settings.place
        self._viewers = SocketPlace(config.viewer_socket, config.values["viewer_group"])
        place = SocketPlace(self._operators.path.with_name(identity.SOCKET_NAME), self._operators.group)
        identities = Identities()
        self._identity_socket = IdentitySocket(place, identities)
        self._identity_place = place
        self._registry = Registry(config.runtime_dir)
        self._audit = AuditLog(config.state_dir, self._registry.every)
        self._audit.when_restarted = self._restarted
        self._desk = ControlDesk(self._registry, self._audit)
        self._watch = WriteWatch(config.values["write_deadline_s"])
        self._histories = Histories()
        self._happenings = Happenings()
        telemetry = TelemetryService(
            self._registry, self._histories, self._happenings.events, CpuShare(), self._watch
        )
        self._services = Services(telemetry, ControlService(self._desk, identities))
        self._servers = [
            self._services.server(unix_sockets.operator),
            self._services.server(unix_sockets.viewer),
        ]
        self._counts = DaemonCounts()
        exposition = Exposition(
            self._registry,
            self._happenings.events,
            self._counts,
            DaemonCollector(self._registry, self._watch, self._audit, self._counts),
        )
        self._scrapes = ScrapeServer(exposition.page, self._counts)
        self._tls = TlsListener(config.tcp) if config.tcp else None
        if self._tls is not None:
            self._servers.append(self._services.server(self._tls.shown))

    async def start(self) -> None:
        """Find the engines there are, and listen.

        Raises:
            SocketPlaceError: the sockets cannot be served.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        self._viewers.take()
        self._registry.scan()
        # First of all: what was done while no daemon ran comes before what this one does.
        await self._audit.catch_up()
        await self._happenings.begin(self._audit, self._registry.every())
        for server, place in zip(self._servers, (self._operators, self._viewers), strict=False):
            unix_sockets.bind(server, place)
        if self._tls is not None:
            self._tls.bind(self._servers[-1])
        # Before anybody can call: a caller wants a token first.
        await self._identity_socket.start()
        for server in self._servers:
            await server.start()
        await self._serve_metrics()
        await self._services.ready()
        logger.info(
            "rblntopd %s serves %s, engines in %s, audit log in %s",
            __version__, self._operators.address, self._config.runtime_dir, self._config.state_dir,
        )  # fmt: skip
        self._supervisor.ready(self._status())

    async def _serve_metrics(self) -> None:
        if self._config.metrics is None:
            return
        try:
            await self._scrapes.start(*self._config.metrics)
        except ScrapeServerError as error:
            if self._config.sources["metrics.listen"] != DEFAULT:
                raise
            # Nobody asked for it here: what holds the port must not keep the daemon from its work.
            logger.warning("%s", error)
        else:
            logger.info("metrics at http://%s/metrics", self._config.values["metrics.listen"])

    async def run(self) -> None:
        """Serve until the end, and end."""
        work = (
            self._watch.run(), self._look(), self._audit.run(), self._desk.several.run(),
            self._supervisor.run(), self._histories.fill(),
        )  # fmt: skip
        tasks = [asyncio.create_task(part) for part in work]
        for task in tasks:
            task.add_done_callback(lambda _: self._end.set())
        await self._end.wait()
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        errors = [error for error in failed if error is not None]
        logger.info("stopping")
        self._supervisor.stopping()
        _end_within(END_S, 1 if errors else 0)
        for task in tasks:
            task.cancel()
        self._scrapes.close()
        await stop(self._servers, STOP_GRACE_S, STOP_DEADLINE_S)
        await self._audit.close(LAST_LINES_S)
        for error in errors:
            raise error

    def reload(self) -> None:
        """Bring into force what can be changed in a daemon that runs. What is not allowed changes nothing."""
        self._supervisor.reloading()
        try:
            self._take(self._reload())
        except ConfigError as error:
            for problem in error.problems:
                logger.error("not reloaded: %s", problem)
        self._supervisor.ready(self._status())

    def _take(self, found: Config) -> None:
        self._config = config = in_force(self._config, found)
        log_to(config.values["log_level"])
        self._watch.deadline_s = config.values["write_deadline_s"]
        groups = config.values["operator_group"], config.values["viewer_group"]
        places = (self._operators, groups[0]), (self._identity_place, groups[0]), (self._viewers, groups[1])
        for place, group in places:
            try:
                place.group = group
                place.set_mode()
            except SocketPlaceError as error:
                logger.error("%s", error)
        if self._tls is not None and config.tcp is not None:
            try:
                self._tls.take(config.tcp)
            except SocketPlaceError as error:
                logger.error("the certificates stay as they were: %s", error)

    def close(self) -> None:
        """Let go of sockets and rings."""
        self._identity_socket.close()
        self._registry.close()
        self._viewers.release()
        self._operators.release()

    async def _look(self) -> None:
        """Keep the registry up to date, and what follows from it."""
        registry, followed = self._registry, self._followed
        loop = asyncio.get_running_loop()
        while True:
            await registry.refresh()
            self._histories.follow(registry.every(), time.monotonic_ns())
            self._happenings.look(registry.every())
            due_s = loop.time() + SCAN_S
            await asyncio.sleep(SCAN_S)
            self._counts.tick_lag.add(max(0, int((loop.time() - due_s) * NS)))
            registry.scan()
            self._supervisor.status(self._status())
            if followed is not None and followed.over(registry.any_alive):
                logger.info("process %d and all engines are gone: ending", followed.pid)
                return

    def _status(self) -> str:
        alive = sum(not engine.gone for engine in self._registry.every())
        return f"{alive} engine{'' if alive == 1 else 's'}, serving {self._operators.path}"

    def _restarted(self, engine: Engine, kept: KeptLimits) -> None:
        if self._config.values["reapply_limits"]:
            self._desk.in_background(reapply, self._desk, engine, kept)


def _end_within(seconds: float, code: int) -> None:
    """End the process after so long even where something blocks the event loop."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def run(serving: Callable[[], Awaitable[None]]) -> None:
    """Run a daemon to its end, and end the process even where a stuck call holds the event loop's tasks.

    Raises:
        SocketPlaceError: the socket cannot be served.
    """
    # What rings are read into is many small and long-lived objects without cycles: at the default thresholds
    # looking for garbage among them took a third of the daemon's time with 64 engines.
    gc.freeze()
    gc.enable()
    gc.set_threshold(100_000, 20, 100)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serving())
    logging.shutdown()
    # Not loop.close(): tasks of stuck calls would be waited for.
    os._exit(0)
