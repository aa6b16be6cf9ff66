"""The files of one engine, its ring and its control socket, and what earlier engines left behind."""

from __future__ import annotations

import fcntl
import json
import os
import struct
from pathlib import Path
from typing import Any

from rblntopd.probe import ring_format as fmt
from rblntopd.probe.control_server import ControlServer
from rblntopd.probe.process import boot_id, start_ticks
from rblntopd.probe.ring_writer import RingError, RingWriter

#: Rings of ended engines of one name that stay for reading.
KEEP_DEAD = 2
#: A ring is made only where at least this many times its size is free: the memory is the engine's too, and
#: vLLM's own shared memory may not be allocated yet.
FREE_FACTOR = 2
_FLOCK = "hhqqi4x"


def create_ring(path: Path, description: dict[str, Any], queue_depth: int, head: int = 0) -> RingWriter:
    """Make the ring of this engine; ``head`` goes on counting where an earlier one stopped.

    Raises:
        RingError: there is no room for it, or it cannot be made.
    """
    size = fmt.file_size(fmt.DEFAULT_CAPACITY)
    space = os.statvfs(path.parent)
    free = space.f_bavail * space.f_frsize
    if free < FREE_FACTOR * size:
        raise RingError(
            f"{path.parent} has {free >> 20} MB free: the ring takes {size >> 20} MB and leaves as much"
        )
    return RingWriter.create(
        path,
        description,
        boot_id=boot_id(),
        start_ticks=start_ticks(),
        in_flight_slots=min(queue_depth, fmt.MAX_IN_FLIGHT),
        head=head,
    )


def create_server(path: Path) -> tuple[ControlServer | None, str]:
    """The control socket, or None and why there is none: an engine can be watched without."""
    try:
        return ControlServer.create(path), ""
    except OSError as error:
        return None, f"no control socket: {error}"


def prune_dead_rings(directory: Path, name: str) -> None:
    """Delete the rings of ended engines called ``name``, but for the newest: nobody else may be there to."""
    dead: list[tuple[float, Path]] = []
    own = f"-{os.getpid()}-"
    for path in directory.glob("*.ring"):
        # Never our own: closing any descriptor of a file drops this process's lock on it (fcntl(2)).
        if own in path.name:
            continue
        try:
            if (found := _dead_since(path, name)) is not None:
                dead.append((found, path))
        except (OSError, ValueError, struct.error):
            continue
    for _, path in sorted(dead, reverse=True)[KEEP_DEAD:]:
        for leftover in (path, path.with_suffix(".sock")):
            try:
                leftover.unlink(missing_ok=True)
            except OSError:
                continue


def _dead_since(path: Path, name: str) -> float | None:
    """When the engine of this ring last wrote, if it is ours, is called ``name`` and holds no lock."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(file)
        if found.st_uid != os.geteuid():
            return None
        asked = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
        holder = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))[0]
        if holder != fcntl.F_UNLCK:
            return None
        header = fmt.Header(*fmt.HEADER_FIXED.unpack(os.pread(file, fmt.HEADER_FIXED.size, 0)))
        if header.magic != fmt.MAGIC:
            return None
        text = os.pread(file, min(header.description_size, fmt.DESCRIPTION_SIZE), header.description_offset)
        description = json.loads(text.rstrip(b"\0"))
        return found.st_mtime if description.get("name") == name else None
    finally:
        os.close(file)
