"""Schedulers to step by hand, and sim engines under the real probe, in virtual time."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe import clock, scheduler_class
from rblntopd.probe.ring_format import Step
from rblntopd.sim.engine import rbln_scheduler
from rblntopd.sim.engine.config import vllm_config
from rblntopd.sim.engine.rbln_scheduler import RBLNScheduler
from rblntopd.sim.engine.request import Request
from rblntopd.sim.engine.scenarios import SCENARIOS
from rblntopd.sim.engine.scheduler import Scheduler
from rblntopd.sim.engine.sim_engine import SimEngine
from rblntopd.sim.sim_clock import VirtualClock


class Stepped:
    """A scheduler whose batches the test lets return."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.in_flight: list[Any] = []

    def add(self, *lengths: tuple[int, int]) -> None:
        """Requests ``a``, ``b``, ... with (prompt, output) tokens."""
        for prompt, output in lengths:
            name = chr(ord("a") + len(self.scheduler.requests))
            self.scheduler.add_request(Request(name, prompt, output))

    def schedule(self) -> dict[str, int]:
        """Tokens by request of the next batch, which stays in flight."""
        self.in_flight.append(self.scheduler.schedule())
        tokens: dict[str, int] = self.in_flight[-1].num_scheduled_tokens
        return tokens

    def land(self) -> None:
        """The oldest batch in flight returns."""
        output = self.in_flight.pop(0)
        self.scheduler.update_from_output(output, output.sampled_req_ids)

    def step(self) -> dict[str, int]:
        """A batch that returns at once."""
        tokens = self.schedule()
        self.land()
        return tokens


@pytest.fixture
def stepped() -> Callable[..., Stepped]:
    def make(kind: type[Scheduler] = RBLNScheduler, **sizes: Any) -> Stepped:
        return Stepped(kind(vllm_config(**sizes)))

    return make


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="rblntop-test-", dir="/dev/shm"))
    monkeypatch.setenv("RBLNTOP_RUNTIME_DIR", str(directory))
    monkeypatch.delenv("RBLNTOP_PROBE", raising=False)
    yield directory
    shutil.rmtree(directory)


def records(path: Path, first: int = 0) -> list[Step]:
    """Every record of a ring from number ``first`` on; none may have been overwritten."""
    reader = RingReader.open(path)
    found: list[Step] = []
    while (more := reader.read(first)).rows:
        assert more.missed == 0
        found += [step for _, step, _ in more.steps()]
        first = more.next
    reader.close()
    return found


@pytest.fixture
def read_records() -> Callable[..., list[Step]]:
    return records


@pytest.fixture
def start_sim(monkeypatch: pytest.MonkeyPatch, runtime_dir: Path) -> Iterator[Callable[..., SimEngine]]:
    """Starts scenarios in virtual time with the probe on; the names of vLLM are gone again afterwards."""
    # The probe keeps a class for each scheduler class, with the clock of its making.
    monkeypatch.setattr(scheduler_class, "_probed", {})
    monkeypatch.setattr(rbln_scheduler, "DecodeBatchBudget", rbln_scheduler.DecodeBatchBudget)
    monkeypatch.setattr("rblntopd.probe.quiet_thread.start", lambda probe: None)
    virtual = VirtualClock()
    monkeypatch.setattr(clock, "monotonic_ns", virtual.now_ns)
    before = dict(sys.modules)
    started: list[SimEngine] = []

    def start(name: str, **changed: Any) -> SimEngine:
        started.append(SimEngine(dataclasses.replace(SCENARIOS[name], **changed), virtual))
        assert started[-1].probe is not None
        return started[-1]

    yield start
    for engine in started:
        engine.shutdown()
    for name in set(sys.modules) - set(before):
        if name.partition(".")[0] in ("vllm", "vllm_rbln"):
            del sys.modules[name]
