"""Asks a source for what the screen needs beside snapshots, as long as the screen needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from rblntop.client.errors import ClientError, RefusedError
from rblntop.lookback import Lookback
from rblntop.scene import LinkState, Scene
from rblntop.source.past_source import PastSource
from rblntop.view import View

REQUESTS_EVERY_S = 2.0
AGAIN_AFTER_S = 5.0
"""After a failure. The snapshots say that the daemon is away; here it is only waited for."""
HOUR_S, DAY_S = 3600.0, 86400.0

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wants:
    """What the present frame needs."""

    live: bool = False
    name: str = ""
    instance_id: str = ""
    requests: bool = False
    steps: bool = False


def wants_of(scene: Scene | None) -> Wants:
    """Requests only while they are on the screen: the engine writes them down only while somebody asks."""
    if scene is None:
        return Wants()
    engine = scene.snapshot.engine
    shown = scene.view is View.REQUESTS or (scene.view is View.GRAPHS and scene.snapshot.waiting > 0)
    return Wants(
        scene.link.state is LinkState.LIVE,
        engine.name,
        engine.instance_id or engine.name,
        shown,
        scene.zoomed,
    )


class PastFeed:
    """Fills a lookback from a source. ``changed`` is called when there is something new to draw."""

    def __init__(
        self,
        source: PastSource,
        lookback: Lookback,
        changed: Callable[[], None],
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._source = source
        self._lookback = lookback
        self._changed = changed
        self._sleep = sleep
        self._wants = Wants()
        self._moved = asyncio.Event()
        """Set when the screen wants something else, and then replaced."""
        self._filled: set[str] = set()
        self._unknown: set[str] = set()
        """What the daemon does not know at all: it is not asked again until it has been away."""

    def want(self, scene: Scene | None) -> None:
        """The frame that is drawn now."""
        wants = wants_of(scene)
        if wants != self._wants:
            if self._wants.live and not wants.live:
                # Another daemon may come back, with a longer memory or a newer tongue.
                self._filled.clear()
                self._unknown.clear()
            self._wants = wants
            self._moved.set()
            self._moved = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(
            self._forever("history", self._history),
            self._forever("events", self._events),
            self._forever("requests", self._requests),
            self._forever("steps", self._steps),
        )

    async def _forever(self, what: str, once: Callable[[], Awaitable[None]]) -> None:
        while True:
            if not self._wants.live or what in self._unknown:
                await self._moved.wait()
                continue
            try:
                await once()
            except ClientError as error:
                if isinstance(error, RefusedError) and error.code == "UNIMPLEMENTED":
                    self._unknown.add(what)
                else:
                    await self._sleep(AGAIN_AFTER_S)

    async def _history(self) -> None:
        engine = self._wants.name
        if not engine or engine in self._filled:
            await self._moved.wait()
            return
        # The day first: its coarse rows must not blur the seconds of the last hour.
        for last_s in (DAY_S, HOUR_S):
            self._lookback.fill(await self._source.history(engine, last_s))
        self._filled.add(engine)
        self._changed()

    async def _events(self) -> None:
        async with aclosing(self._source.events(self._lookback.newest_event)) as stream:
            async for events in stream:
                self._lookback.learn(events)
                self._changed()
        await self._sleep(AGAIN_AFTER_S)

    async def _requests(self) -> None:
        wants = self._wants
        if not wants.requests:
            await self._moved.wait()
            return
        table = await self._source.requests(wants.instance_id)
        self._lookback.know_requests(wants.instance_id, table)
        self._changed()
        await self._sleep(REQUESTS_EVERY_S)

    async def _steps(self) -> None:
        wants = self._wants
        if not wants.steps:
            await self._moved.wait()
            return
        async with aclosing(self._source.steps(wants.instance_id)) as stream:
            async for steps in stream:
                self._lookback.add_steps(wants.instance_id, steps)
                if not self._wants.steps or self._wants.instance_id != wants.instance_id:
                    return
        await self._sleep(AGAIN_AFTER_S)
