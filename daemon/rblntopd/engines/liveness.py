"""Whether the process that writes a ring is alive: it holds a record lock on the file for its whole life."""

from __future__ import annotations

import fcntl
import struct

_FLOCK = struct.Struct("@hhqqi4x")
"""``struct flock`` of 64-bit Linux: type, whence, start, length, pid."""


def is_locked(file: int) -> bool:
    """Whether another process holds a lock on the open ``file``.

    Works across pid namespaces, where a pid would not, and is not fooled by a reused pid. The kernel never
    reports a lock of the asking process itself, so an engine in one's own process looks dead; and closing any
    descriptor of a file drops one's own locks on it, which is why the daemon takes none on rings.
    """
    question = _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0)
    answer = fcntl.fcntl(file, fcntl.F_GETLK, question)
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
