"""Which process this is, in a way that survives the reuse of pids."""

from __future__ import annotations

import os
from pathlib import Path


def boot_id() -> str:
    """The kernel's id of this boot of the host."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int | None = None) -> int:
    """Clock ticks from boot to the start of a process (field 22 of /proc/<pid>/stat; proc(5))."""
    stat = Path(f"/proc/{pid or os.getpid()}/stat").read_text()
    # The command name may hold spaces and parentheses; the fields after its closing one do not.
    return int(stat.rpartition(")")[2].split()[19])


def instance_id(number: int) -> str:
    """Id of the ``number``-th engine of this process: host boot, pid, process start."""
    suffix = f"-{number}" if number else ""
    return f"{boot_id()[:8]}-{os.getpid()}-{start_ticks()}{suffix}"
