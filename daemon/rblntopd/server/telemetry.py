"""The Telemetry service: reads engines, changes nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeAlias

import grpc

from rblntop_api.v1 import telemetry_pb2
from rblntopd.devices.host import EngineProcess, HostWatch
from rblntopd.engines.engine import Engine
from rblntopd.engines.histories import Histories
from rblntopd.engines.registry import EngineLookupError, Registry
from rblntopd.engines.ring_file import RingFileError
from rblntopd.events.event_log import EventLog
from rblntopd.metrics.strip import MAX_CELLS
from rblntopd.metrics.window import MAX_SECONDS
from rblntopd.probe import __version__
from rblntopd.server.cpu_share import CpuShare
from rblntopd.server.errors import Reason, RequestError, abort, as_request_error, invalid_field
from rblntopd.server.feed import MAX_INTERVAL_MS, MIN_INTERVAL_MS, FeedKey, Feeds
from rblntopd.server.get_history import get_history
from rblntopd.server.list_requests import RequestTables, list_requests
from rblntopd.server.messages import engine_message, snapshot_message, step_message
from rblntopd.server.subscriber import Subscriber, WriteWatch
from rblntopd.server.watch_events import check, watch_events

DEFAULT_INTERVAL_MS = 1000
DEFAULT_WINDOWS = (1, 10, 60)
MAX_WINDOWS = 8
#: Steps of one message, and how often the ring is looked at for more.
STEPS_PER_MESSAGE = 512
STEP_POLL_S = 0.1

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class TelemetryService:
    """Answers from the registry; streams are fed by :class:`Feeds` and straight from the ring."""

    def __init__(
        self,
        registry: Registry,
        histories: Histories,
        events: EventLog,
        cpu: CpuShare,
        watch: WriteWatch,
    ) -> None:
        self._registry = registry
        self._histories = histories
        self._events = events
        self._tables = RequestTables()
        self._cpu = cpu
        self._watch = watch
        self._host = HostWatch(lambda: _processes(registry.every()))
        self._feeds = Feeds(registry, cpu, self._host)

    async def ListEngines(  # noqa: N802 - the name in the proto
        self, _: telemetry_pb2.ListEnginesRequest, context: Context
    ) -> telemetry_pb2.ListEnginesResponse:
        """The engines there are, and of each name that has none the last one."""
        self._registry.scan()
        engines = self._registry.listed()
        await self._registry.refresh(engines)
        now_ns = time.monotonic_ns()
        infos = [engine.info(now_ns) for engine in engines] + self._registry.foreign()
        return telemetry_pb2.ListEnginesResponse(
            engines=[engine_message(info) for info in infos], daemon_version=__version__
        )

    async def GetSnapshot(  # noqa: N802
        self, request: telemetry_pb2.GetSnapshotRequest, context: Context
    ) -> telemetry_pb2.GetSnapshotResponse:
        """One engine now."""
        try:
            windows = _windows(request.window_seconds)
            strip = _strip_cells(request.strip_cells)
            engine = self._find(request.engine)
        except RequestError as error:
            await abort(context, error)
        usage = await self._host.usage()
        await self._registry.refresh([engine])
        snapshot = engine.snapshot(time.monotonic_ns(), time.time_ns(), windows, strip)
        return telemetry_pb2.GetSnapshotResponse(
            snapshot=snapshot_message(snapshot, self._cpu.ratio(), usage)
        )

    async def WatchSnapshots(  # noqa: N802
        self, request: telemetry_pb2.WatchSnapshotsRequest, context: Context
    ) -> None:
        """A message a tick, already serialised; a subscriber that is not ready for one gets the next."""
        try:
            if request.engine:
                self._find(request.engine)
            key = FeedKey(
                request.engine,
                _interval_ms(request),
                _windows(request.window_seconds),
                _strip_cells(request.strip_cells),
            )
        except RequestError as error:
            await abort(context, error)
        feed = self._feeds.join(key)
        try:
            with Subscriber(context, self._watch) as subscriber:
                tick = 0
                while True:
                    tick, message = await feed.after(tick)
                    await subscriber.write(message)
        finally:
            self._feeds.leave(key)

    async def WatchSteps(  # noqa: N802
        self, request: telemetry_pb2.WatchStepsRequest, context: Context
    ) -> None:
        """Every step from a sequence number on, straight from the ring. Ends with the engine."""
        try:
            engine = self._find(request.engine)
            head = engine.reader.head()
            sequence = request.from_sequence if request.HasField("from_sequence") else head
            if sequence > head:
                raise invalid_field("from_sequence", sequence, f"0..{head}: the next record is {head}")
            # So that a client knows from when on it misses nothing, before the first step comes.
            await context.send_initial_metadata(())
            with Subscriber(context, self._watch) as subscriber:
                await self._send_steps(engine, sequence, subscriber, head if request.no_follow else None)
        except RequestError as error:
            await abort(context, error)
        except RingFileError as error:
            await abort(context, as_request_error(error))

    async def GetHistory(  # noqa: N802
        self, request: telemetry_pb2.GetHistoryRequest, context: Context
    ) -> telemetry_pb2.GetHistoryResponse:
        """Figures of the past, also of an engine that is gone and forgotten."""
        try:
            name = await self._name_of_history(request.engine)
            return await get_history(self._histories, name, request)
        except RequestError as error:
            await abort(context, error)

    async def WatchEvents(  # noqa: N802
        self, request: telemetry_pb2.WatchEventsRequest, context: Context
    ) -> None:
        """What happened, and what happens."""
        try:
            check(request)
        except RequestError as error:
            await abort(context, error)
        with Subscriber(context, self._watch) as subscriber:
            await watch_events(self._events, request, subscriber)

    async def ListRequests(  # noqa: N802
        self, request: telemetry_pb2.ListRequestsRequest, context: Context
    ) -> telemetry_pb2.ListRequestsResponse:
        """The unfinished requests of one engine, which it writes down for this."""
        try:
            return await list_requests(self._tables, self._find(request.engine), request)
        except RequestError as error:
            await abort(context, error)

    async def _send_steps(
        self, engine: Engine, sequence: int, subscriber: Subscriber, end: int | None
    ) -> None:
        while end is None or sequence < end:
            gone = engine.gone
            limit = STEPS_PER_MESSAGE if end is None else min(STEPS_PER_MESSAGE, end - sequence)
            found = engine.reader.read(sequence, limit)
            sequence = found.next
            if found.rows or found.missed:
                await subscriber.write(
                    telemetry_pb2.WatchStepsResponse(
                        steps=[step_message(*step) for step in found.steps()], missed=found.missed
                    )
                )
            elif gone or end is not None:
                return
            else:
                await asyncio.sleep(STEP_POLL_S)

    async def _name_of_history(self, wanted: str) -> str:
        try:
            engine = self._find(wanted)
        except RequestError as error:
            if error.reason is not Reason.ENGINE_NOT_FOUND or self._histories.find(wanted) is None:
                raise
            return wanted
        await self._registry.refresh([engine])
        return engine.name

    def _find(self, wanted: str) -> Engine:
        try:
            return self._registry.find(wanted)
        except EngineLookupError:
            self._registry.scan()  # It may have come this moment.
        try:
            return self._registry.find(wanted)
        except EngineLookupError as error:
            raise as_request_error(error) from error


def _processes(engines: list[Engine]) -> list[EngineProcess]:
    return [
        EngineProcess(engine.instance_id, engine.reader.header.pid, engine.reader.header.start_ticks)
        for engine in engines
        if not engine.gone
    ]


def _windows(asked: Any) -> tuple[int, ...]:
    windows = tuple(dict.fromkeys(asked)) or DEFAULT_WINDOWS
    for seconds in windows:
        if not 1 <= seconds <= MAX_SECONDS:
            raise invalid_field("window_seconds", seconds, f"1..{MAX_SECONDS}")
    if len(windows) > MAX_WINDOWS:
        raise invalid_field("window_seconds", f"{len(windows)} windows", f"at most {MAX_WINDOWS} windows")
    return windows


def _strip_cells(asked: int) -> int:
    if asked > MAX_CELLS:
        raise invalid_field("strip_cells", asked, f"0..{MAX_CELLS}")
    return asked


def _interval_ms(request: telemetry_pb2.WatchSnapshotsRequest) -> int:
    if not request.HasField("interval"):
        return DEFAULT_INTERVAL_MS
    interval_ms = request.interval.seconds * 1000 + request.interval.nanos // 1_000_000
    if not MIN_INTERVAL_MS <= interval_ms <= MAX_INTERVAL_MS:
        raise invalid_field("interval", f"{interval_ms} ms", f"{MIN_INTERVAL_MS} ms..{MAX_INTERVAL_MS} ms")
    return int(interval_ms)
