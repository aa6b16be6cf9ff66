"""Finds ring files in the runtime directory: new ones, ones that were replaced, and ones not to be read."""

from __future__ import annotations

import logging
import os
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rblntopd.engines.engine import Engine, open_engine
from rblntopd.engines.liveness import is_locked
from rblntopd.engines.ring_file import Problem, RingFileError
from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe.runtime_dir import engines_dirs

logger = logging.getLogger(__name__)

Identity: TypeAlias = tuple[int, int]
"""Device and inode."""
_Version: TypeAlias = tuple[int, int, int, int, int]
"""A file as it was when it was refused: it is looked at again when anything of this changes."""


@dataclass(frozen=True, slots=True)
class ForeignRing:
    """A ring of another major version: it is shown as what it is, and not read."""

    path: Path
    identity: Identity
    text: str


class Discovery:
    """Looks into the engine directories. A file that cannot be read is logged once, not at every look."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime
        self._refused: dict[Path, _Version] = {}
        self._foreign: dict[Path, ForeignRing] = {}
        self._unreadable: set[Path] = set()

    def look(self, known: Container[Identity]) -> tuple[list[Engine], dict[Path, Identity]]:
        """Engines whose rings are not ``known`` yet, oldest first, and every ring file that is there."""
        new: list[Engine] = []
        there: dict[Path, Identity] = {}
        for directory in engines_dirs(self._runtime):
            for path, status in self._ring_files(directory):
                there[path] = identity = (status.st_dev, status.st_ino)
                if identity in known or self._refused.get(path) == _version(status):
                    continue
                engine = self._open(path, status)
                if engine is not None:
                    new.append(engine)
        for path in [path for path in self._refused if path not in there]:
            self._accept(path)
        new.sort(key=lambda engine: engine.reader.header.real_ns)
        return new, there

    def refuse(self, path: Path, reason: str) -> None:
        """Leave a file alone until it changes, and say so once."""
        logger.warning("skipped %s", reason)
        try:
            self._refused[path] = _version(os.lstat(path))
        except OSError:
            self._refused.pop(path, None)

    def foreign(self) -> list[ForeignRing]:
        """Rings of another major version whose engines live."""
        return [ring for ring in self._foreign.values() if _has_writer(ring.path)]

    def _open(self, path: Path, status: os.stat_result) -> Engine | None:
        self._accept(path)
        try:
            return open_engine(RingReader.open(path))
        except RingFileError as error:
            if error.problem is Problem.MISSING:
                return None  # Gone between the look and the opening.
            if error.problem is Problem.OTHER_VERSION:
                self._foreign[path] = ForeignRing(path, (status.st_dev, status.st_ino), error.text)
            self.refuse(path, str(error))
            return None

    def _ring_files(self, directory: Path) -> list[tuple[Path, os.stat_result]]:
        try:
            with os.scandir(directory) as entries:
                # A name with a dot in front is a ring in the making.
                names = sorted(
                    e.name for e in entries if e.name.endswith(".ring") and not e.name.startswith(".")
                )
        except FileNotFoundError:
            return []  # No engine has run yet.
        except OSError as error:
            if directory not in self._unreadable:
                logger.warning("no engines are seen in %s: %s", directory, error.strerror or error)
            self._unreadable.add(directory)
            return []
        self._unreadable.discard(directory)
        found = []
        for name in names:
            try:
                found.append((directory / name, os.lstat(directory / name)))
            except OSError:
                continue
        return found

    def _accept(self, path: Path) -> None:
        self._refused.pop(path, None)
        self._foreign.pop(path, None)


def _version(status: os.stat_result) -> _Version:
    return (status.st_dev, status.st_ino, status.st_size, status.st_uid, status.st_gid)


def _has_writer(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return is_locked(file)
    finally:
        os.close(file)
