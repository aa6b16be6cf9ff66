"""CPU and memory of the host and of the processes of its engines, from /proc."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from rblntopd.probe.process import start_ticks

logger = logging.getLogger(__name__)

#: Nobody gets a newer look than this, however many ask.
INTERVAL_S = 1.0
#: How often all processes are gone through for those of engines: 80 us for each process of the host.
SCAN_S = 30.0
#: How long who asks waits for a look; then there is none. A look takes some ms, but /proc can hang.
PATIENCE_S = 0.3
#: A look that is older is not shown.
KEPT_S = 5.0
#: Processes of one engine that are shown.
MAX_PROCESSES = 256
#: Titles of processes: vllm.utils.system_utils.set_process_title.
_TITLE = re.compile(r"VLLM::(APIServer|EngineCore|Worker)(?:_([A-Za-z0-9_]{1,64}))?")
_SERVE = re.compile(r"(^|[/ ])vllm( |$)|vllm\.entrypoints")


class Role(Enum):
    """What a process is for."""

    OTHER = "other"
    API_SERVER = "APIServer"
    ENGINE_CORE = "EngineCore"
    WORKER = "Worker"


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """One process."""

    pid: int
    role: Role
    rank: str
    cpu_ratio: float | None
    """Of one core, since the look before."""
    memory_bytes: int
    threads: int


@dataclass(frozen=True, slots=True)
class HostUsage:
    """The host at one look."""

    cpu_ratio: float | None
    """Of all cores, since the look before."""
    cpu_count: int
    memory_total_bytes: int
    memory_used_bytes: int
    processes: Mapping[str, tuple[ProcessUsage, ...]] = field(default_factory=dict)
    """By the instance id of the engine; the engine's own first."""


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """Whose processes are wanted: a pid alone is reused, and may be one of another container."""

    instance_id: str
    pid: int
    start_ticks: int


def role_of(command: str, is_engine: bool) -> tuple[Role, str]:
    """Role and rank by the command line, in which vLLM puts a title."""
    match = _TITLE.match(command)
    if match is not None:
        role = Role(match[1])
        return role, (match[2] or "") if role is Role.WORKER else ""
    return (Role.ENGINE_CORE if is_engine else Role.OTHER), ""


class HostLook:
    """Looks at /proc, and remembers what it needs for the next look. For one thread at a time."""

    def __init__(self) -> None:
        self._cpu_before: dict[tuple[int, float], tuple[float, float]] = {}
        self._host_before: tuple[float, float] | None = None
        self._trees: dict[str, list[tuple[Any, Role | None]]] = {}
        """Processes by engine, with the role of those that are known for another reason than their title."""
        self._scan_at_s = 0.0

    def look(self, engines: Iterable[EngineProcess]) -> HostUsage:
        """The host, and the processes of these engines."""
        # Takes 30 ms to import: a daemon that nobody asks does without.
        import psutil

        wanted = list(engines)
        if time.monotonic() >= self._scan_at_s or any(one.instance_id not in self._trees for one in wanted):
            self._scan(wanted)
        before, self._cpu_before = self._cpu_before, {}
        found: dict[str, tuple[ProcessUsage, ...]] = {}
        for engine in wanted:
            usages = (
                self._usage(process, engine.pid, before, role)
                for process, role in self._trees[engine.instance_id]
            )
            if seen := tuple(usage for usage in usages if usage is not None):
                found[engine.instance_id] = seen
        memory = psutil.virtual_memory()
        return HostUsage(
            cpu_ratio=self._host_ratio(psutil.cpu_times()),
            cpu_count=psutil.cpu_count() or 0,
            memory_total_bytes=memory.total,
            memory_used_bytes=memory.total - memory.available,
            processes=found,
        )

    def _scan(self, engines: Iterable[EngineProcess]) -> None:
        """Find the processes of the engines among all of the host."""
        import psutil

        by_pid = {process.pid: process for process in psutil.process_iter(["ppid"])}
        children: dict[int, list[int]] = {}
        for pid, process in by_pid.items():
            children.setdefault(process.info["ppid"], []).append(pid)
        self._trees = {}
        for engine in engines:
            found: list[tuple[Any, Role | None]] = []
            if engine.pid in by_pid and _is(engine):
                found = [(by_pid[pid], None) for pid in _tree(engine.pid, children) if pid in by_pid]
                parent = by_pid.get(by_pid[engine.pid].info["ppid"])
                if parent is not None and _serves(parent):
                    found.insert(1, (parent, Role.API_SERVER))
            self._trees[engine.instance_id] = found
        self._scan_at_s = time.monotonic() + SCAN_S

    def _host_ratio(self, times: Any) -> float | None:
        idle = times.idle + times.iowait
        # Guests are counted in user and nice already.
        total = sum(times) - times.guest - times.guest_nice
        before, self._host_before = self._host_before, (idle, total)
        if before is None or total <= before[1]:
            return None
        busy = 1 - (idle - before[0]) / (total - before[1])
        return float(min(1.0, max(0.0, busy)))

    def _usage(
        self,
        process: Any,
        engine_pid: int,
        before: Mapping[tuple[int, float], tuple[float, float]],
        role: Role | None,
    ) -> ProcessUsage | None:
        import psutil

        try:
            with process.oneshot():
                cpu = process.cpu_times()
                used_s, now_s = cpu.user + cpu.system, time.monotonic()
                key = process.pid, process.create_time()
                self._cpu_before[key] = used_s, now_s
                earlier = before.get(key)
                by_title, rank = role_of(_command(process), process.pid == engine_pid)
                return ProcessUsage(
                    pid=process.pid,
                    role=role or by_title,
                    rank=rank,
                    cpu_ratio=None
                    if earlier is None or now_s <= earlier[1]
                    else max(0.0, used_s - earlier[0]) / (now_s - earlier[1]),
                    memory_bytes=process.memory_info().rss,
                    threads=process.num_threads(),
                )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None  # It ended during the look, or is not ours to see.


def _command(process: Any) -> str:
    return " ".join(process.cmdline()[:8])


def _serves(process: Any) -> bool:
    """Whether the parent of an engine is its API server, and not a shell or a supervisor."""
    import psutil

    try:
        command = _command(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return role_of(command, False)[0] is Role.API_SERVER or _SERVE.search(command) is not None


def _tree(pid: int, children: Mapping[int, list[int]]) -> list[int]:
    """``pid`` and its descendants, nearer ones first."""
    found = [pid]
    for parent in found:
        if len(found) >= MAX_PROCESSES:
            break
        found += sorted(child for child in children.get(parent, ()) if child not in found)
    return found[:MAX_PROCESSES]


def _is(engine: EngineProcess) -> bool:
    """Whether the process of that pid is the engine's."""
    try:
        return start_ticks(engine.pid) == engine.start_ticks
    except OSError:
        return False  # It ended during the look.


class HostWatch:
    """Looks while somebody asks, in a thread of its own: /proc never holds up who asks."""

    def __init__(
        self,
        engines: Callable[[], list[EngineProcess]],
        look: Callable[[Iterable[EngineProcess]], HostUsage] | None = None,
        now: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._engines = engines
        self._look = look or HostLook().look
        self._now = now
        self._patience_s = patience_s
        self._problem = ""
        self._thread = ThreadPoolExecutor(1, "rblntop-host")
        self._looking: asyncio.Future[HostUsage] | None = None
        self._begun_s = -INTERVAL_S
        self._latest: tuple[float, HostUsage] | None = None

    async def usage(self) -> HostUsage | None:
        """The latest look; None: there is none, because /proc does not answer or cannot be read."""
        if self._looking is None and self._now() - self._begun_s >= INTERVAL_S:
            self._begun_s = self._now()
            loop = asyncio.get_running_loop()
            self._looking = loop.run_in_executor(self._thread, self._look, self._engines())
            # Only who begins a look waits for it: one that hangs must not slow every tick of every stream.
            await asyncio.wait({self._looking}, timeout=self._patience_s)
        self._take()
        if self._latest is None or self._now() - self._latest[0] > KEPT_S:
            return None
        return self._latest[1]

    def _take(self) -> None:
        looking = self._looking
        if looking is None or not looking.done():
            return
        self._looking = None
        error = looking.exception()
        if error is None:
            self._latest = self._begun_s, looking.result()
        elif str(error) != self._problem:
            logger.warning("the host cannot be looked at: %s", error)
        self._problem = str(error or "")
