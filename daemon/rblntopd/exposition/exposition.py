"""The page that Prometheus scrapes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from rblntopd.engines.engine import Engine
from rblntopd.engines.registry import Registry
from rblntopd.engines.ring_file import RingFileError
from rblntopd.events.event import EventKind
from rblntopd.events.event_log import EventLog
from rblntopd.exposition.daemon_collector import DaemonCounts
from rblntopd.exposition.engine_samples import MAX_LABEL, EngineSamples
from rblntopd.exposition.families import FAMILIES
from rblntopd.exposition.text import Page

#: Engines of a page, the first by name: whoever may make rings cannot make it grow without bound.
MAX_ENGINES = 256
#: A page is shared by all who ask within so long: a scraper in a loop costs no more than two a second.
MIN_AGE_S = 0.5
#: Engines after which other calls get their turn: some ms.
ENGINES_A_TURN = 8


class Exposition:
    """Makes the page when somebody asks for it. Runs in the daemon's event loop, and lets others run."""

    def __init__(
        self, registry: Registry, events: EventLog, counts: DaemonCounts, *collectors: Collector
    ) -> None:
        """``collectors``: what is exposed besides the engines and the process."""
        self._registry = registry
        self._events = events
        self._counts = counts
        self._others = CollectorRegistry()
        ProcessCollector(registry=self._others)
        for collector in collectors:
            self._others.register(collector)
        self._samples: dict[str, EngineSamples] = {}
        self._page: asyncio.Task[bytes] | None = None
        self._made_s = 0.0
        self.before: list[Callable[[], None]] = []
        """Called before a page is made."""

    async def page(self) -> bytes:
        """The page, at most half a second old, in the text format 0.0.4."""
        page = self._page
        if page is None or (page.done() and (page.cancelled() or page.exception() or self._is_old())):
            page = self._page = asyncio.create_task(self._make())
        return await asyncio.shield(page)

    def _is_old(self) -> bool:
        return time.monotonic() - self._made_s >= MIN_AGE_S

    async def _make(self) -> bytes:
        for call in self.before:
            call()
        listed = self._registry.listed()
        engines = listed[:MAX_ENGINES]
        self._counts.engines_left_out = len(listed) - len(engines)
        lags = {engine.instance_id: _lag(engine) for engine in engines}
        await self._registry.refresh(engines)
        reverted = self._events.latest(EventKind.TRIAL_REVERTED)
        page = Page(FAMILIES)
        names = Counter(_name(engine) for engine in engines)
        kept: dict[str, EngineSamples] = {}
        for number, engine in enumerate(engines):
            name = _name(engine)
            if names[name] > 1:
                # Two that live at once: one label for both would have Prometheus refuse the whole page.
                name = f"{name}@{engine.instance_id[:MAX_LABEL]}"
            if name in kept:
                continue
            known = self._samples.get(name)
            samples = known if known is not None and known.engine is engine else EngineSamples(engine, name)
            kept[name] = samples
            samples.write(
                page,
                time.monotonic_ns(),
                lags[engine.instance_id],
                reverted.get((engine.name, engine.instance_id)),
            )
            if number % ENGINES_A_TURN == ENGINES_A_TURN - 1:
                await asyncio.sleep(0)
        self._samples = kept
        self._made_s = time.monotonic()
        self._counts.scrapes += 1
        return page.text().encode() + generate_latest(self._others)


def _name(engine: Engine) -> str:
    return engine.name[:MAX_LABEL]


def _lag(engine: Engine) -> int:
    try:
        return max(0, engine.reader.head() - engine.sequence)
    except RingFileError:
        return 0
