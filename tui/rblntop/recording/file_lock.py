"""Who writes a recording holds a lock on it: a second writer is refused, readers know that more may come."""

from __future__ import annotations

import errno
import fcntl
import struct

_FLOCK = struct.Struct("@hhqqi4x")
"""``struct flock`` of 64-bit Linux: type, whence, start, length, pid."""


def lock(file: int) -> bool:
    """Take the lock for as long as ``file`` is open; false if somebody else has it."""
    try:
        # Of the open file, not of the process: closing another descriptor of the file does not drop it.
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def is_locked(file: int) -> bool:
    """Whether somebody writes it. False where the file system has no locks."""
    try:
        answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0))
    except OSError:
        return False
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
