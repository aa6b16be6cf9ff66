"""The engines there are and were: by name, with restarts counted and old rings cleaned up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from itertools import accumulate
from pathlib import Path

from rblntopd.engines.description import Description
from rblntopd.engines.discovery import Discovery, Identity
from rblntopd.engines.engine import Engine
from rblntopd.engines.liveness import is_locked
from rblntopd.engines.ring_file import RingFileError
from rblntopd.engines.selector import is_several, listed, matches
from rblntopd.engines.snapshot import EngineInfo
from rblntopd.metrics.state import EngineState

logger = logging.getLogger(__name__)

#: Rings of ended engines that stay for reading, of each name.
DEAD_RINGS_KEPT = 2
#: Ended engines of any name that are kept open.
MAX_GONE = 64
#: Characters of names in an error: a client takes 8 KB with a status, in which they stand three times.
MAX_NAMED = 1000


class EngineLookupError(LookupError):
    """No one engine is meant; the message says which there are."""

    def __init__(self, text: str, known: list[str], ambiguous: bool) -> None:
        super().__init__(text)
        self.known = known
        self.ambiguous = ambiguous


class Registry:
    """All engines of one runtime directory."""

    def __init__(self, runtime: Path) -> None:
        self._discovery = Discovery(runtime)
        self._engines: dict[Identity, Engine] = {}
        self._ended: Counter[str] = Counter()
        """Instances of each name that this daemon has seen end."""
        self._began_ns = time.monotonic_ns()

    # --- looking ----------------------------------------------------------------------------------------

    def scan(self) -> None:
        """Find engines that came, went, restarted or died since the last look."""
        for engine in list(self._engines.values()):
            if engine.gone:
                continue
            try:
                alive = engine.check_alive()
            except RingFileError as error:
                self._drop(engine, str(error))
                continue
            if not alive:
                self._ended[engine.name] += 1
                logger.info(
                    "engine %s (%s) is gone", engine.name, engine.instance_id, extra=_log_fields(engine)
                )
        new, there = self._discovery.look(self._engines)
        for engine in new:
            self._add(engine)
        self._clean(there)

    def _add(self, engine: Engine) -> None:
        identity = engine.reader.identity
        for old_identity, old in list(self._engines.items()):
            same_process = old.reader.header[:7] == engine.reader.header[:7]
            if old.instance_id == engine.instance_id and old.reader.path == engine.reader.path:
                if same_process and not engine.gone:
                    logger.info("engine %s made its ring again: %s", old.name, old.reader.path)
                    del self._engines[old_identity]
                    # Between the two rings it held no lock.
                    self._ended[old.name] -= old.gone
                    old.replace_ring(engine.reader)
                    self._engines[identity] = old
                    return
                old.close()
                del self._engines[old_identity]
        self._engines[identity] = engine
        engine.totals.from_ns = self._began_ns
        if engine.gone:
            self._ended[engine.name] += 1
        logger.info(
            "found engine %s (%s, pid %d)%s",
            engine.name, engine.instance_id, engine.reader.header.pid, ", which has ended" * engine.gone,
            extra=_log_fields(engine),
        )  # fmt: skip

    def _drop(self, engine: Engine, reason: str) -> None:
        """Give an engine up whose ring went bad."""
        self._discovery.refuse(engine.reader.path, reason)
        self._engines.pop(engine.reader.identity, None)
        engine.close()

    def _clean(self, there: dict[Path, Identity]) -> None:
        """Of each name keep the newest dead rings, and delete the rest where we may."""
        kept: Counter[str] = Counter()
        gone = sorted((e for e in self._engines.values() if e.gone), key=_age, reverse=True)
        for number, engine in enumerate(gone):
            kept[engine.name] += 1
            if kept[engine.name] <= DEAD_RINGS_KEPT and number < MAX_GONE:
                continue
            identity, path = engine.reader.identity, engine.reader.path
            if there.get(path) == identity and not is_locked(engine.reader.fileno()):
                if kept[engine.name] > DEAD_RINGS_KEPT:
                    self._delete(engine)
                else:
                    self._discovery.refuse(path, f"{path}: more than {MAX_GONE} ended engines")
            self._engines.pop(identity)
            engine.close()

    def _delete(self, engine: Engine) -> None:
        path = engine.reader.path
        try:
            path.unlink()
            logger.info("deleted %s: newer rings of ended %s engines are kept", path, engine.name)
            # Not the name that the engine gave: it may be that of another's file.
            path.with_suffix(".sock").unlink(missing_ok=True)
        except OSError as error:
            self._discovery.refuse(path, f"{path}: old ring cannot be deleted: {error.strerror}")

    # --- reading ----------------------------------------------------------------------------------------

    async def refresh(self, engines: list[Engine] | None = None) -> None:
        """Read what is new in the rings, and let others run between large chunks."""
        for engine in list(self._engines.values()) if engines is None else engines:
            try:
                while not engine.finished and engine.refresh():  # noqa: ASYNC110 - others' turn, no wait
                    await asyncio.sleep(0)
            except RingFileError as error:
                if self._engines.get(engine.reader.identity) is engine:
                    self._drop(engine, str(error))

    # --- asking -----------------------------------------------------------------------------------------

    def listed(self) -> list[Engine]:
        """Living engines, and of each name without one the latest that ended; by name."""
        living = {engine.name for engine in self._engines.values() if not engine.gone}
        latest: dict[str, Engine] = {}
        for engine in sorted(self._engines.values(), key=_age):
            if engine.gone and engine.name not in living:
                latest[engine.name] = engine
        found = [engine for engine in self._engines.values() if not engine.gone]
        found += latest.values()
        for engine in found:
            engine.restarts = max(0, self._ended[engine.name] - engine.gone)
        return sorted(found, key=lambda engine: (engine.name, engine.instance_id))

    def foreign(self) -> list[EngineInfo]:
        """Living engines whose rings are of a version that is not read here."""
        return [
            EngineInfo(
                name=ring.path.stem,
                instance_id=ring.path.stem,
                state=EngineState.UNKNOWN,
                pid=0,
                started_real_ns=0,
                description=Description(),
                restarts=0,
                notice=ring.text,
            )
            for ring in self._discovery.foreign()
        ]

    def find(self, wanted: str) -> Engine:
        """The engine of that name or instance id; of an empty name the only engine there is.

        Raises:
            EngineLookupError: there is none, or more than one.
        """
        listed = self.listed()
        if not wanted:
            found = [engine for engine in listed if not engine.gone] or listed
        else:
            found = [e for e in self._engines.values() if e.instance_id == wanted]
            found = found or [engine for engine in listed if engine.name == wanted]
        if len(found) == 1:
            return found[0]
        among = found or listed
        names = [engine.name for engine in among]
        known = _first([e.instance_id if names.count(e.name) > 1 else e.name for e in among])
        more = f" and {len(among) - len(known)} more" if len(among) > len(known) else ""
        there = ", ".join(known) + more
        if not among:
            text = f"there is no engine {wanted!r}: none is running" if wanted else "no engine is running"
        elif not wanted:
            text = f"several engines are running, name one of: {there}"
        elif found:
            text = f"several engines are named {wanted!r}, give an instance id: {there}"
        else:
            text = f"there is no engine {wanted!r}, there are: {there}"
        raise EngineLookupError(text, known, ambiguous=bool(found))

    def select(self, wanted: str) -> list[Engine]:
        """The living engines that ``wanted`` means, by name; of one name or id the engine as it is found.

        Raises:
            EngineLookupError: there is none, or a single one is meant and there are more.
        """
        named = any(wanted in (engine.name, engine.instance_id) for engine in self._engines.values())
        if named or not is_several(wanted):
            return [self.find(wanted)]
        if "," in wanted:
            # Each of the list has to be there: a change is made on all of them or on none.
            parts = {engine.instance_id: engine for part in listed(wanted) for engine in self.select(part)}
            return sorted(parts.values(), key=lambda engine: (engine.name, engine.instance_id))
        found = [
            engine
            for engine in self.listed()
            if not engine.gone and matches(wanted, engine.name, engine.instance_id, engine.description.model)
        ]
        if not found:
            known = [engine.name for engine in self.listed() if not engine.gone]
            there = f"there are: {', '.join(known)}" if known else "none is running"
            raise EngineLookupError(f"no engine matches {wanted!r}, {there}", known, ambiguous=False)
        return found

    def every(self) -> list[Engine]:
        """Every instance whose ring is kept, those that ended included."""
        return list(self._engines.values())

    @property
    def any_alive(self) -> bool:
        """Whether any engine lives."""
        return any(not engine.gone for engine in self._engines.values())

    def close(self) -> None:
        """Let go of all rings."""
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()


def _log_fields(engine: Engine) -> dict[str, object]:
    """By which an entry of the journal is found."""
    return {"fields": {"engine": engine.name, "instance": engine.instance_id}}


def _first(names: list[str]) -> list[str]:
    """As many names as an error may list."""
    ends = accumulate(len(name) for name in names)
    return [name for name, end in zip(names, ends, strict=True) if end <= MAX_NAMED]


def _age(engine: Engine) -> int:
    return engine.reader.header.real_ns
