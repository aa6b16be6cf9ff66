"""The one door to the engines' side: finds rings, reads them, and asks probes, without a daemon.

Only this module of ours imports ``rblntopd``, and of that only the formats, the ring reader and the control
link (a contract in pyproject.toml).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rblntopd.engines.control_link import ControlLinkError, ask
from rblntopd.engines.description import Description, from_json
from rblntopd.engines.liveness import is_locked
from rblntopd.engines.ring_file import Problem, RingFileError
from rblntopd.engines.ring_reader import Causes, RingReader
from rblntopd.probe import control_format as wire
from rblntopd.probe import ring_format as ring
from rblntopd.probe.control_format import Answer, Flag, Op, Request, Status
from rblntopd.probe.runtime_dir import (
    ENGINES,
    SERVICE_DIR,
    SHARED_MEMORY,
    engines_dirs,
    is_tmpfs,
    runtime_dir,
)

__all__ = [
    "ENGINES",
    "SERVICE_DIR",
    "SHARED_MEMORY",
    "Answer",
    "Causes",
    "ControlLinkError",
    "Description",
    "EngineRing",
    "Flag",
    "Op",
    "Problem",
    "Request",
    "RingFileError",
    "Status",
    "find_rings",
    "is_tmpfs",
    "open_ring",
    "ring",
    "ring_paths",
    "runtime_dir",
    "wire",
]

#: A probe answers within a step's scheduling; this is for an engine that hangs.
ANSWER_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class EngineRing:
    """One engine, as its ring and its control socket show it."""

    reader: RingReader
    description: Description

    @property
    def instance_id(self) -> str:
        """This process."""
        return self.description.instance_id or self.reader.path.stem

    @property
    def name(self) -> str:
        """What it is called."""
        return self.description.name or self.instance_id

    @property
    def alive(self) -> bool:
        """Whether its process lives and has not said that it ends."""
        locked = is_locked(self.reader.fileno())
        return locked and self.reader.live()[ring.Live.STATE] != ring.ProbeState.CLOSED

    async def ask(self, request: Request) -> Answer:
        """Put a question to its probe.

        Raises:
            ControlLinkError: no answer came.
        """
        if not self.description.control_socket:
            raise ControlLinkError("the engine has no control socket")
        path = self.reader.path.with_name(self.description.control_socket)
        return await ask(path, request, ANSWER_TIMEOUT_S)

    def close(self) -> None:
        """Let go of the ring."""
        self.reader.close()


@dataclass(frozen=True, slots=True)
class FoundRings:
    """The rings of a runtime directory, oldest first, and why some could not be read."""

    runtime: Path
    engines: tuple[EngineRing, ...]
    problems: tuple[str, ...]


def open_ring(path: Path) -> EngineRing:
    """The engine whose ring is at ``path``, alive or not.

    Raises:
        RingFileError: it is not one to read; the error names the file and says why.
    """
    reader = RingReader.open(path)
    try:
        return EngineRing(reader, from_json(reader.description()))
    except RingFileError:
        reader.close()
        raise


def find_rings(runtime: Path | None = None) -> FoundRings:
    """Look where the daemon would look, and trust what it would trust."""
    chosen = runtime or runtime_dir()
    engines, problems = [], []
    for path in ring_paths(chosen):
        try:
            reader = RingReader.open(path)
        except RingFileError as error:
            if error.problem is not Problem.MISSING:
                problems.append(str(error))
            continue
        try:
            engines.append(EngineRing(reader, from_json(reader.description())))
        except RingFileError as error:
            reader.close()
            problems.append(str(error))
    engines.sort(key=lambda engine: engine.reader.header.real_ns)
    return FoundRings(chosen, tuple(engines), tuple(problems))


def ring_paths(runtime: Path) -> Iterator[Path]:
    """The files of ``runtime`` that are rings by their names, readable or not."""
    for directory in engines_dirs(runtime):
        try:
            names = sorted(os.listdir(directory))
        except OSError:
            continue  # No engine has run yet, or we may not look.
        # A name with a dot in front is a ring in the making.
        yield from (directory / name for name in names if name.endswith(".ring") and name[0] != ".")
