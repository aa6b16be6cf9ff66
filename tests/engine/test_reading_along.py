"""The daemon's ring reader beside a real scheduler: nothing lost, nothing twice, whenever it reads."""

from __future__ import annotations

import random
import threading

import pytest
from engine_harness.comparison import first_difference
from engine_harness.engine_in_process import drive
from engine_harness.request_load import random_load
from engine_harness.ring_file import RingFile

from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe.ring_format import Step
from rblntopd.probe.ring_writer import RingWriter

SMALL_RING = 256


class Follower:
    """A reader that goes on from where it was."""

    def __init__(self, path) -> None:
        self.path = path
        self.next = 0
        self.missed = 0
        self.steps: list[Step] = []
        self._reader = RingReader.open(path)

    def read(self) -> None:
        while True:
            found = self._reader.read(self.next)
            self.missed += found.missed
            self.steps += [step for _, step, _ in found.steps()]
            self.next = found.next
            if not found.rows:
                return

    def restart(self) -> None:
        """As a daemon does that was killed: another reader, from the same sequence number."""
        self._reader.close()
        self._reader = RingReader.open(self.path)


@pytest.fixture
def small_ring(monkeypatch):
    monkeypatch.setitem(RingWriter.create.__func__.__kwdefaults__, "capacity", SMALL_RING)


def test_a_reader_that_stalls_and_restarts_misses_nothing_the_ring_still_holds(
    start_engine, runtime_dir, small_ring
):
    engine = start_engine(pp=4, blocks=80)
    follower = Follower(RingFile.only_one_in(runtime_dir).path)
    chance = random.Random(1)
    pause = [0]

    def sometimes() -> None:
        pause[0] -= 1
        if pause[0] <= 0:
            if chance.random() < 0.2:
                follower.restart()
            follower.read()
            pause[0] = chance.randint(1, SMALL_RING // 3)

    drive(engine, random_load(seed=41, requests=100), after_step=sometimes)
    engine.scheduler._rblntop.close()
    follower.read()
    assert follower.missed == 0
    assert len(follower.steps) > 4 * SMALL_RING
    assert first_difference(follower.steps, engine.observer.completed) == ""


def test_a_reader_that_comes_late_reads_from_the_first_record(start_engine, runtime_dir):
    engine = start_engine(pp=2)
    drive(engine, random_load(seed=42, requests=60))
    engine.scheduler._rblntop.close()
    late = Follower(RingFile.only_one_in(runtime_dir).path)
    late.read()
    assert late.missed == 0
    assert first_difference(late.steps, engine.observer.completed) == ""


def test_a_reader_that_stalls_for_longer_than_the_ring_is_told_how_much_it_missed(
    start_engine, runtime_dir, small_ring
):
    engine = start_engine(pp=2)
    ring = RingFile.only_one_in(runtime_dir)
    everything: list[Step] = []
    drive(engine, random_load(seed=43, requests=60), after_step=lambda: everything.extend(ring.new_steps()))
    late = Follower(ring.path)
    late.read()
    assert late.missed == late.next - len(late.steps) > 0
    assert late.steps == everything[late.missed : late.next]


def test_a_reader_in_another_thread_never_sees_a_torn_record(start_engine, runtime_dir, small_ring):
    engine = start_engine(pp=2)
    ring = RingFile.only_one_in(runtime_dir)
    follower = Follower(ring.path)
    over = threading.Event()

    def follow() -> None:
        while not over.is_set():
            follower.read()

    thread = threading.Thread(target=follow)
    thread.start()
    everything: list[Step] = []
    try:
        drive(engine, random_load(seed=44, requests=60), lambda: everything.extend(ring.new_steps()))
    finally:
        over.set()
        thread.join()
    engine.scheduler._rblntop.close()
    everything += ring.new_steps()
    follower.read()
    assert follower.next == len(everything)
    if not follower.missed:
        assert follower.steps == everything
    assert set(follower.steps) <= set(everything)
