"""Directories that nobody else can put a file into: code, logs and sockets of ours lie there."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def make_private(path: Path) -> None:
    """Make ``path`` and what is missing above it with mode 0700, whatever the umask; check what is there.

    The rule is the probe's: what is there belongs to root or to us, and others may write to it only where the
    sticky bit keeps them from each other's files.

    Raises:
        OSError: it cannot be made, is no directory, or is not ours alone; the message says which.
    """
    for part in (*reversed(path.parents), path):
        # Not mkdir(parents=True): it makes the parents as the umask says.
        if not os.path.lexists(part):
            part.mkdir(mode=0o700, exist_ok=True)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{path} is not a directory")
    if found.st_uid not in (0, os.geteuid()):
        raise PermissionError(f"{path} belongs to uid {found.st_uid}, not to root or uid {os.geteuid()}")
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        mode = stat.S_IMODE(found.st_mode)
        raise PermissionError(f"{path} can be written by others (mode {mode:o}): chmod go-w {path}")
