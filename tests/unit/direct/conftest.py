"""Engines without a daemon: a real ring, and the probe's own state of limits behind a real control socket.

They live in this process. ``rblnctl`` must not: a ring tells by its lock that its engine lives, and the
kernel never shows a process its own locks.
"""

from __future__ import annotations

import asyncio
import enum
import os
import sys
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rblntopd.probe.admission import Admission
from rblntopd.probe.changes import Changes
from rblntopd.probe.control_format import Answer, Request
from rblntopd.probe.control_server import ControlServer
from rblntopd.probe.description import EngineFacts
from rblntopd.probe.enforcement import Enforcement
from rblntopd.probe.limits import LimitState
from rblntopd.probe.limits_block import limits_block
from rblntopd.probe.ring_format import Kind, Live, ProbeState, Sample
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.rows import Rows

GROUPS, START, BUCKET = 2, 8, 4
PATIENCE_S = 30.0


class PauseState(enum.IntEnum):
    """As vLLM's."""

    UNPAUSED = 0
    PAUSED_NEW = 1


class Scheduler:
    """Lists of requests, and the pause state."""

    def __init__(self) -> None:
        self._pause_state = PauseState.UNPAUSED
        self.vllm_config = SimpleNamespace(parallel_config=SimpleNamespace(data_parallel_size=1))
        self.running: list[Any] = []
        self.waiting: list[Any] = []
        self.skipped_waiting: list[Any] = []
        self.max_num_running_reqs = START

    def set_pause_state(self, wanted: PauseState) -> None:
        self._pause_state = wanted


class Core:
    """As far as an engine's core is needed to wake it."""


class Engine:
    """One engine that does what a test tells it; its socket is served by a thread."""

    def __init__(self, runtime: Path, name: str = "tiny/0", *, control: bool = True) -> None:
        directory = runtime / "engines"
        directory.mkdir(parents=True, exist_ok=True)
        instance = f"{name.replace('/', '-')}-1"
        available = {"available": True, "reason": ""}
        description: dict[str, Any] = {
            "name": name, "instance_id": instance, "pid": os.getpid(), "model": "tiny",
            "vllm_version": "0.30.0", "scheduler_class": "Scheduler", "pp_size": GROUPS, "tp_size": 1,
            "dp_size": 1, "batch_queue_depth": GROUPS, "group_count": GROUPS, "max_num_seqs": START,
            "max_num_batched_tokens": 256, "max_model_len": 512, "decode_buckets": [BUCKET],
            "control_socket": f"{instance}.sock" if control else "",
            "controls": {"max_num_seqs": available, "group_cap": available}, "notice": "",
        }  # fmt: skip
        self.ring = RingWriter.create(
            directory / f"{instance}.ring", description, boot_id="0" * 32, start_ticks=1, in_flight_slots=2,
            capacity=1024,
        )  # fmt: skip
        self.name, self.lock, self.step = name, threading.RLock(), 0
        self._scheduler, self._rows, self._core = Scheduler(), Rows(GROUPS), Core()
        facts = EngineFacts(GROUPS, GROUPS, GROUPS, START, False, (BUCKET,), description)
        self.limits = LimitState(START, GROUPS, GROUPS, START, BUCKET)
        enforcement = Enforcement(self._scheduler, facts, self._rows, self.limits)
        admission = Admission(self._scheduler, weakref.ref(self._core), observe_only=False)
        self.changes = Changes(enforcement, admission, self.ring.write_journal, self._detached)
        self._show()
        self.ring.set_live(Live.STATE, ProbeState.LIVE)
        self._ended = threading.Event()
        self._server = ControlServer.create(directory / f"{instance}.sock") if control else None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def run_with(self, running: int, waiting: int = 0) -> None:
        """A step with so many running requests."""
        with self.lock:
            self.step += 1
            if self.limits.generation and not self.limits.in_force_step:
                self.limits.begin_step(self.step)
            half = [running - running // GROUPS, running // GROUPS]
            members = [{f"{group}-{n}": 1 for n in range(count)} for group, count in enumerate(half)]
            for row in [self._rows.take(batch) for batch in members if batch]:
                self._rows.free(row)
            self._scheduler.running = [
                SimpleNamespace(request_id=name) for batch in members for name in batch
            ]
            now_ns = time.monotonic_ns()
            record = {
                "step": self.step, "scheduled_ns": now_ns - 10, "completed_ns": now_ns, "schedule_ns": 10,
                "generation": self.limits.generation, "tokens": 3, "waiting": waiting, "max_seq_len": 300,
                "queue_wait_us": 0, "requests": half[self.step % GROUPS], "prefill_requests": 0,
                "padded": BUCKET, "running": running, "held": 0, "ready": 3, "preempted": 0, "finished": 0,
                "unfinished": running + waiting, "new_requests": 0, "run_length": 1, "kv_usage": 0.25,
                "kind": Kind.DECODE, "group": self.step % GROUPS, "row": self.step % GROUPS,
                "admission_stop": 0, "in_flight": 2,
            }  # fmt: skip
            self.ring.publish(tuple(record.values()))
            for word, value in (
                (Live.STEP, self.step), (Live.SCHEDULE_NS, now_ns), (Live.COMPLETE_NS, now_ns),
                (Live.RUNNING, running), (Live.WAITING, waiting), (Live.UNFINISHED, running + waiting),
            ):  # fmt: skip
                self.ring.set_live(word, value)
            if self.limits.in_force_step and not self.limits.settled_step:
                self.limits.end_step(self.step, running)
            self._show()

    def do(self, **request: Any) -> Answer:
        """What somebody else asks the probe."""
        with self.lock:
            return self._handle(Request(request_id=1, **request))

    def end(self) -> None:
        """The process ends, or as good as: the ring stays behind."""
        self._ended.set()
        self._thread.join()
        if self._server is not None:
            self._server.close()
        self.ring.close()

    def _show(self) -> None:
        running = [request.request_id for request in self._scheduler.running]
        members, _ = self._rows.running_per_group(running)
        self.ring.write_sample(
            Sample(
                time.monotonic_ns(), self.step, len(running), 0, 0, 0, 0, 0, 99, 0.25, 0, 16, 0,
                tuple(members),
            )
        )  # fmt: skip
        self.ring.write_limits(limits_block(self.changes))

    def _serve(self) -> None:
        while not self._ended.is_set():
            if self._server is not None:
                self._server.ready(0.02)
            with self.lock:
                if self._server is not None:
                    self._server.serve(self._handle)
                self.changes.tick(self.step)
                self._show()
            if self._server is None:
                self._ended.wait(0.02)

    def _handle(self, request: Request) -> Answer:
        answer = self.changes.handle(request, self.step)
        self._show()
        return answer

    def _detached(self) -> None:
        self.ring.set_live(Live.STATE, ProbeState.DETACHED)


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short, because a socket path has at most 107 bytes."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def start_engine(runtime: Path) -> Iterator[Callable[..., Engine]]:
    started: list[Engine] = []

    def start(name: str = "tiny/0", **options: Any) -> Engine:
        started.append(Engine(runtime, name, **options))
        return started[-1]

    yield start
    for engine in started:
        engine.end()


@pytest.fixture
def engine(start_engine: Callable[..., Engine]) -> Engine:
    """The only engine there is, with 7 running requests."""
    engine = start_engine()
    engine.run_with(7)
    engine.run_with(7, waiting=3)
    return engine


RunDirect = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def direct(runtime: Path) -> RunDirect:
    """Runs ``rblnctl ... --direct`` in a process of its own: exit code, stdout, stderr."""

    async def run(*arguments: str) -> tuple[int, str, str]:
        environment = {name: value for name, value in os.environ.items() if name != "RBLNTOP_ADDRESS"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rblntop.cli.ctl", *arguments, "--direct"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment, "RBLNTOP_RUNTIME_DIR": str(runtime), "TZ": "UTC", "COLUMNS": "120"},
        )
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        return process.returncode or 0, out.decode(), err.decode()

    return run
