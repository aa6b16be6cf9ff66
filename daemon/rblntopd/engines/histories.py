"""The histories of all engine names: followed as engines run, and filled from rings when one is met."""

from __future__ import annotations

import asyncio
import logging

from rblntopd.engines.engine import Engine
from rblntopd.engines.past_of_ring import fill_from_ring
from rblntopd.engines.ring_file import RingFileError
from rblntopd.engines.ring_reader import RingReader
from rblntopd.history.history import DAY_S, History
from rblntopd.history.row import Row
from rblntopd.history.writer import HistoryWriter
from rblntopd.metrics.cells import NS
from rblntopd.metrics.state import last_sign_ns

logger = logging.getLogger(__name__)

#: Names of which history is kept; those that were heard of least recently are forgotten first.
MAX_NAMES = 256
#: The daemon's own reading of a ring begins so long before it met the engine; what is older is filled in.
MET_BEFORE_S = 60
#: Seconds that are kept in one go: a daemon that was stopped for a while catches up over several looks.
SECONDS_A_LOOK = 120


class _Followed:
    """One instance whose history is written."""

    def __init__(self, engine: Engine, writer: HistoryWriter) -> None:
        self.engine = engine
        self.writer = writer
        self.over = False


class Histories:
    """History belongs to a name: it goes on when an engine is restarted."""

    def __init__(self) -> None:
        self._by_name: dict[str, History] = {}
        self._followed: dict[str, _Followed] = {}
        """By instance id."""
        self._to_fill: asyncio.Queue[tuple[Engine, History, int]] = asyncio.Queue()

    def find(self, name: str) -> History | None:
        """What is kept of an engine of this name; None: nothing."""
        return self._by_name.get(name)

    def latest(self, name: str, now_ns: int) -> tuple[int, dict[int, Row]]:
        """Up to which second an engine's past is known, and the rows that may still change.

        Of an engine that is away it is known up to now: nothing happened.
        """
        for found in self._followed.values():
            if found.engine.name == name and not found.over:
                known_to_ns = min(found.engine.known_to_ns(now_ns), now_ns)
                return known_to_ns // NS, found.writer.latest(known_to_ns, found.engine.in_flight)
        return now_ns // NS, {}

    def follow(self, engines: list[Engine], now_ns: int) -> None:
        """Write down what engines did since the last look. To be called after they were refreshed."""
        there = {engine.instance_id for engine in engines}
        for instance_id in [known for known in self._followed if known not in there]:
            del self._followed[instance_id]
        for engine in sorted(engines, key=lambda engine: engine.reader.header.mono_ns):
            found = self._followed.get(engine.instance_id)
            if found is None or found.engine is not engine:
                found = self._begin(engine, now_ns)
            if found is None or found.over:
                continue
            known_to_ns = min(engine.known_to_ns(now_ns), now_ns)
            more = found.writer.follow(
                known_to_ns, engine.in_flight, ended=engine.finished, limit=SECONDS_A_LOOK
            )
            found.over = engine.finished and not more

    async def fill(self) -> None:
        """Fill in what rings hold of the time before their engines were met, one by one, for ever."""
        while True:
            engine, history, end_second = await self._to_fill.get()
            try:
                # With a file of its own: the engine's may be closed, or replaced, any time.
                with RingReader.open(engine.reader.path) as reader:
                    await fill_from_ring(
                        history,
                        reader,
                        group_count=engine.description.group_count,
                        slots=engine.description.batch_queue_depth,
                        end_second=end_second,
                    )
            except RingFileError as error:
                logger.info("the past of engine %s stays as it is: %s", engine.name, error)

    def _begin(self, engine: Engine, now_ns: int) -> _Followed | None:
        """Start to follow an instance, unless another of its name still lives."""
        for other in self._followed.values():
            same = other.engine.instance_id == engine.instance_id
            if other.engine.name == engine.name and not same and not other.over:
                return None
        header = engine.reader.header
        met_ns = min(last_sign_ns(engine.live), now_ns) if engine.gone else now_ns
        if header.mono_ns > now_ns or met_ns < now_ns - DAY_S * NS:
            return None  # Its clock is another host's, or there is nothing left to tell.
        description = engine.description
        history = self._by_name.get(engine.name)
        if history is None:
            self._make_room()
            history = self._by_name[engine.name] = History(engine.name, description.group_count)
        new = history.began(engine.instance_id, header.mono_ns, description.group_count)
        first = max(header.mono_ns // NS, met_ns // NS - MET_BEFORE_S)
        if not new:
            # Its ring could not be read for a while; what was written before is better than what is left.
            first = max(first, history.newest_second + 1)
        elif first > header.mono_ns // NS:
            self._to_fill.put_nowait((engine, history, first))
        writer = HistoryWriter(history, engine.timeline, engine.sampled, description.batch_queue_depth, first)
        found = self._followed[engine.instance_id] = _Followed(engine, writer)
        return found

    def _make_room(self) -> None:
        while len(self._by_name) >= MAX_NAMES:
            followed = {found.engine.name for found in self._followed.values()}
            idle = [history for name, history in self._by_name.items() if name not in followed]
            oldest = min(idle or self._by_name.values(), key=lambda history: history.newest_second)
            del self._by_name[oldest.name]
