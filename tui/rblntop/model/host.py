"""The daemon's host and the processes of an engine there."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ProcessRole(enum.Enum):
    """What a process of an engine is for."""

    UNKNOWN = 0
    API_SERVER = 1
    ENGINE_CORE = 2
    WORKER = 3


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """One process of an engine."""

    pid: int
    role: ProcessRole
    rank: str
    """Of a worker, such as "PP1_TP0"; empty: unknown."""
    cpu_ratio: float | None
    """Of one core; None: this was the first look."""
    memory_bytes: int
    threads: int


@dataclass(frozen=True, slots=True)
class HostUsage:
    """The host, and the engine's processes on it."""

    cpu_ratio: float | None
    """Of all cores; None: this was the first look."""
    cpu_count: int
    memory_total_bytes: int
    memory_used_bytes: int
    processes: tuple[ProcessUsage, ...] = ()
    """Empty: the engine's process is not seen from there."""
