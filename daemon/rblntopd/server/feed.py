"""Snapshots at an interval: one computed and serialised message a tick, shared by all its subscribers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rblntop_api.v1 import telemetry_pb2
from rblntopd.devices.host import HostWatch
from rblntopd.engines.registry import EngineLookupError, Registry
from rblntopd.server.cpu_share import CpuShare
from rblntopd.server.messages import snapshot_message

MIN_INTERVAL_MS = 100
MAX_INTERVAL_MS = 60_000
#: Engines after which other calls get their turn: some ms.
ENGINES_A_TURN = 8


@dataclass(frozen=True, slots=True)
class FeedKey:
    """What subscribers of one feed have in common."""

    engine: str
    """Name or instance id; empty: all engines."""
    interval_ms: int
    window_seconds: tuple[int, ...]
    strip_cells: int


async def snapshots(registry: Registry, cpu: CpuShare, host: HostWatch, key: FeedKey) -> bytes:
    """The serialised tick: a snapshot of every engine asked for. An engine that is forgotten is left out."""
    try:
        engines = [registry.find(key.engine)] if key.engine else registry.listed()
    except EngineLookupError:
        engines = []
    usage = await host.usage()
    await registry.refresh(engines)
    message = telemetry_pb2.WatchSnapshotsResponse()
    for number, engine in enumerate(engines):
        snapshot = engine.snapshot(time.monotonic_ns(), time.time_ns(), key.window_seconds, key.strip_cells)
        message.snapshots.append(snapshot_message(snapshot, cpu.ratio(), usage))
        if number % ENGINES_A_TURN == ENGINES_A_TURN - 1:
            await asyncio.sleep(0)
    return message.SerializeToString()


class Feed:
    """Makes a message every interval while it has subscribers. Latest wins: there is no queue."""

    def __init__(self, make: Callable[[], Awaitable[bytes]], interval_s: float) -> None:
        self._make = make
        self._interval_s = interval_s
        self._latest = b""
        self._tick = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self.subscribers = 0

    def join(self) -> None:
        """Count a subscriber in; the first starts the ticks."""
        self.subscribers += 1
        self._keep_running()

    def leave(self) -> None:
        """Count a subscriber out; the last stops the ticks."""
        self.subscribers -= 1
        if not self.subscribers and self._task is not None:
            self._task.cancel()
            self._task = None
            self._latest = b""
            self._tick = 0

    async def after(self, tick: int) -> tuple[int, bytes]:
        """The latest message newer than ``tick``, as soon as there is one. The first tick is 1.

        Raises what making the message raised; the next subscriber that waits starts the ticks again.
        """
        while self._tick <= tick:
            self._keep_running()
            # A future of one's own: cancelling a task cancels what it waits for.
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        return self._tick, self._latest

    def _keep_running(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            try:
                self._latest = await self._make()
            except Exception as error:
                for future in self._take_waiting():
                    future.set_exception(error)
                raise
            self._tick += 1
            for future in self._take_waiting():
                future.set_result(None)
            # A tick that took too long is skipped, not made up for.
            due = max(due + self._interval_s, loop.time())
            await asyncio.sleep(due - loop.time())

    def _take_waiting(self) -> list[asyncio.Future[None]]:
        waiting, self._waiting = self._waiting, []
        return [future for future in waiting if not future.done()]


class Feeds:
    """The feeds in use, by what they show."""

    def __init__(self, registry: Registry, cpu: CpuShare, host: HostWatch) -> None:
        self._registry = registry
        self._cpu = cpu
        self._host = host
        self._feeds: dict[FeedKey, Feed] = {}

    def join(self, key: FeedKey) -> Feed:
        """The feed of ``key``, with one more subscriber."""
        feed = self._feeds.get(key)
        if feed is None:
            feed = Feed(lambda: snapshots(self._registry, self._cpu, self._host, key), key.interval_ms / 1000)
            self._feeds[key] = feed
        feed.join()
        return feed

    def leave(self, key: FeedKey) -> None:
        """Count a subscriber of ``key`` out."""
        feed = self._feeds[key]
        feed.leave()
        if not feed.subscribers:
            del self._feeds[key]
