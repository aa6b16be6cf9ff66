"""The audit log as the daemon uses it: nothing here blocks the event loop, and nothing is written twice.

What was done is taken from the engines' journals, whoever did it and whether or not a daemon ran. What was
asked for and never done is known only here, so what could do harm is on the disk before it is asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from rblntopd.audit import history, lines, restarts
from rblntopd.audit.log_file import AuditLogError, Line, LogFile
from rblntopd.audit.standing import Standing, read_standing
from rblntopd.audit.told import tell
from rblntopd.engines.engine import Engine
from rblntopd.engines.ring_file import RingFileError
from rblntopd.probe.ring_format import Live

logger = logging.getLogger(__name__)

#: Journals are looked at this often when nothing is known to be new.
LOOK_S = 0.5
#: What follows so soon is written together: the next change must not wait for the disk twice.
GATHER_S = 0.05
#: A disk that takes no line for so long is taken for broken.
WRITE_TIMEOUT_S = 2.0
#: Lines that wait for a broken disk; the oldest go first.
MAX_WAITING = 1000

_T = TypeVar("_T")
WhenRestarted = Callable[[Engine, restarts.KeptLimits], None]


class AuditLog:
    """One daemon's audit log."""

    def __init__(self, directory: Path, engines: Callable[[], list[Engine]]) -> None:
        self.when_restarted: WhenRestarted = lambda engine, kept: None
        self.when_written: Callable[[Sequence[Line]], None] = lambda lines: None
        """Called with lines that are on the disk."""
        self._files = LogFile(directory)
        self._engines = engines
        self._standing = Standing()
        self._loaded = False
        self._inherited: list[Line] = []
        """Intents of a daemon before this one, until it is known whether they were carried out."""
        self._waiting: deque[Line] = deque(maxlen=MAX_WAITING)
        self._lost = 0
        self._met: set[str] = set()
        self._problem = ""
        self.errors = 0
        """Times that the log could not be written or read."""
        self._writer = ThreadPoolExecutor(1, "rblntop-audit")
        self._late: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()
        self._loading = asyncio.Lock()
        self._news = asyncio.Event()

    # --- writing ----------------------------------------------------------------------------------------

    async def write(self, *new: Line) -> None:
        """Write lines, and return when they are on the disk.

        Raises:
            AuditLogError: they are not.
        """
        try:
            await self._load()
            await self._append(new)
        except AuditLogError:
            self.errors += 1
            raise

    def write_soon(self, *new: Line) -> None:
        """Write lines as soon as the disk takes them; they count from now on."""
        for line in new:
            self._standing.take(line)
            self._lost += len(self._waiting) == MAX_WAITING
            self._waiting.append(line)
        self.look_soon()

    def look_soon(self) -> None:
        """A journal has something new."""
        self._news.set()

    async def run(self) -> None:
        """Follow the journals, for ever."""
        while True:
            self._news.clear()
            await self.catch_up()
            try:
                await asyncio.wait_for(self._news.wait(), LOOK_S)
            except asyncio.TimeoutError:
                continue
            await asyncio.sleep(GATHER_S)

    async def catch_up(self) -> None:
        """Write what waits and what is new in the journals; a broken disk is tried again later."""
        async with self._turn:
            try:
                await self._load()
                await self._write_waiting()
                await self._follow()
            except AuditLogError as error:
                self.errors += 1
                if self._problem != str(error):
                    logger.error("%s: limits can only be undone until it can", error)
                self._problem = str(error)
            else:
                if self._problem:
                    logger.warning("the audit log can be written again")
                self._problem = ""

    async def close(self, timeout_s: float) -> None:
        """Write what there is, for ``timeout_s`` at most."""
        try:
            await asyncio.wait_for(self.catch_up(), timeout_s)
        except asyncio.TimeoutError:
            logger.warning("the audit log does not take what is left to write: ending without it")

    # --- reading ----------------------------------------------------------------------------------------

    async def changes(self, wanted: Callable[[Line], bool], limit: int, since: str) -> list[Line]:
        """The latest changes, newest first, this moment's among them."""
        await self.catch_up()
        # Not while lines move from memory to the disk: they would be found in both.
        async with self._turn:
            unwritten, broken = list(self._waiting), bool(self._problem)
            return await asyncio.to_thread(
                lambda: history.changes(
                    self._files.newest_first(), unwritten, wanted, limit, since, broken=broken
                )
            )

    def several(self) -> list[Line]:
        """Changes of several engines that are not over."""
        return list(self._standing.several.values())

    # --- how --------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        async with self._loading:
            if not self._loaded:
                await self._read_standing()
                self._loaded = True

    async def _read_standing(self) -> None:
        def load() -> Standing:
            self._files.open()
            try:
                return read_standing(self._files.newest_first())
            except OSError as error:
                raise AuditLogError(f"the audit log cannot be read: {error}") from error

        standing = await self._in_writer(load)
        for line in self._waiting:
            standing.take(line)
        self._standing = standing
        self._inherited = [
            line for line in standing.open.values() if "doubt" not in line and line not in self._waiting
        ]

    async def _append(self, new: Sequence[Line]) -> None:
        carry = self._standing.carry()
        await self._in_writer(lambda: self._files.append(new, carry))
        for line in new:
            self._standing.take(line)
            tell(line)
        self.when_written(new)

    async def _in_writer(self, work: Callable[[], _T]) -> _T:
        if self._late is not None and not self._late.done():
            raise AuditLogError("the audit log's disk has not taken the last line yet")
        future = asyncio.get_running_loop().run_in_executor(self._writer, work)
        try:
            return await asyncio.wait_for(asyncio.shield(future), WRITE_TIMEOUT_S)
        except asyncio.TimeoutError:
            self._late = asyncio.ensure_future(_ended(future))
            raise AuditLogError(f"the audit log's disk gave no answer in {WRITE_TIMEOUT_S:g} s") from None

    async def _write_waiting(self) -> None:
        new = list(self._waiting)
        if self._lost:
            new.insert(0, lines.lost(self._lost))
        if not new:
            return
        lost = self._lost
        await self._append(new)
        self._lost -= lost
        for line in new:
            if self._waiting and self._waiting[0] is line:
                self._waiting.popleft()

    async def _follow(self) -> None:
        """Copy what is new in the engines' journals."""
        engines = sorted(self._engines(), key=lambda engine: engine.reader.header.mono_ns)
        new: list[Line] = []
        restarted: list[tuple[Engine, restarts.KeptLimits]] = []
        for engine in engines:
            if engine.instance_id not in self._met:
                kept = self._restarted_from(engine, engines)
                if kept is not None:
                    new.append(_restart_line(engine, kept))
                    restarted.append((engine, kept))
            new += self._new_in_journal(engine, {line["intent"] for line in new if "intent" in line})
        if new:
            await self._append(new)
        for engine in engines:
            self._met.add(engine.instance_id)
        for engine, kept in restarted:
            logger.warning(
                "engine %s was restarted: its limits are its own again; were: %s", engine.name, kept
            )
            self.when_restarted(engine, kept)
        self._settle_inherited()

    def _restarted_from(self, engine: Engine, engines: list[Engine]) -> restarts.KeptLimits | None:
        if engine.gone or engine.instance_id in self._standing.positions:
            return None
        old = restarts.predecessor(engine, engines)
        return restarts.kept_limits(old) if old is not None else None

    def _new_in_journal(self, engine: Engine, taken: set[str]) -> list[Line]:
        instance = engine.instance_id
        position = self._standing.positions.get(instance, 0)
        try:
            head = engine.reader.live()[Live.JOURNAL_HEAD]
            if head == position:
                return []
            if head < position:
                position = 0  # It was begun anew.
            start, entries = engine.reader.journal(position)
        except RingFileError:
            return []
        found = [lines.gap(engine, start, start - position)] if start > position else []
        for number, entry in enumerate(entries, start + 1):
            line = lines.done(engine, number, entry)
            intent = self._standing.intent_of(line, taken)
            if intent is not None:
                if (intent["action"], line["action"]) != ("DETACH", "RESET"):
                    taken.add(intent["id"])
                line = lines.as_asked(line, intent)
            found.append(line)
        return found

    def _settle_inherited(self) -> None:
        """What no journal tells of, of the intents that a daemon left when it ended."""
        inherited, self._inherited = self._inherited, []
        for line in inherited:
            if line["id"] in self._standing.open:
                text = "the daemon ended before the engine had answered, whose journal has no such change"
                self.write_soon(lines.outcome(line, "unknown", text))


async def _ended(future: asyncio.Future[_T]) -> None:
    await asyncio.wait([future])
    if not future.cancelled():
        future.exception()  # Whoever waited was told already.


def _restart_line(engine: Engine, kept: restarts.KeptLimits) -> Line:
    return lines.restart(engine, kept.values(), f"the limits are the engine's own again; were: {kept}")
