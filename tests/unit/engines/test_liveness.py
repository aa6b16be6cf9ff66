"""A writer's lock on its ring is its sign of life."""

from __future__ import annotations

import os
import subprocess
import sys

from rblntopd.engines.liveness import is_locked

HOLDER = """
import fcntl, os, sys, time
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.readline()
"""


def test_a_file_is_locked_for_as_long_as_its_writer_lives(tmp_path):
    path = tmp_path / "ring"
    path.touch()
    file = os.open(path, os.O_RDONLY)
    try:
        assert not is_locked(file)
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as holder:
            assert holder.stdout.readline() == "locked\n"
            assert is_locked(file)
            holder.kill()
            holder.wait()
            assert not is_locked(file)
    finally:
        os.close(file)
