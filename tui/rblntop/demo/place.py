"""The private directory of a demo: in memory, and gone with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = "/dev/shm"
SWEEP = """read nothing; for second in 1 2 3 4 5; do rm -rf -- "$0"; sleep 1; done"""
"""Runs beside the demo and begins when that has ended; processes that are still ending may write then."""


@contextmanager
def private_directory() -> Iterator[Path]:
    """A temporary directory, in memory where there is one: rings are kept on a memory file system only.

    It is removed also when this process is killed.
    """
    parent = MEMORY if os.access(MEMORY, os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="rblntop-demo-", dir=parent))
    # Nobody else has the other end of its input.
    sweeper = subprocess.Popen(
        ["/bin/sh", "-c", SWEEP, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        sweeper.kill()
        sweeper.communicate()
