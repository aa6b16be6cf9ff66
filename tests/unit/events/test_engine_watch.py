"""What is told of an engine from one look to the next, by a clock of the test's own."""

from __future__ import annotations

import time

import pytest

from rblntopd.engines.engine import Engine
from rblntopd.engines.ring_reader import RingReader
from rblntopd.events.engine_watch import LOST_EVERY_NS, PATIENCE_NS, EngineWatch
from rblntopd.events.event import EventKind, Severity
from rblntopd.metrics.cells import NS
from rblntopd.probe.ring_format import Limits, Live, ProbeState
from rblntopd.probe.ring_writer import RingWriter

WALL_NS = 1_800_000_000 * NS


class Alive(Engine):
    """In its own process an engine's lock cannot be seen."""

    def check_alive(self) -> bool:
        if not self.gone:
            self._live = self.reader.live()
        return not self.gone


@pytest.fixture
def ring(tmp_path):
    ring = RingWriter.create(
        tmp_path / "e.ring",
        {"name": "e/0", "instance_id": "one", "batch_queue_depth": 2, "group_count": 2},
        boot_id="0" * 32,
        start_ticks=1,
        in_flight_slots=2,
        capacity=64,
    )
    ring.set_live(Live.STATE, ProbeState.LIVE)
    yield ring
    ring.close()


@pytest.fixture
def engine(ring):
    engine = Alive(RingReader.open(ring.path))
    yield engine
    engine.close()


class Looks:
    """Looks at one engine, at moments of the test's choice."""

    def __init__(self, engine):
        self.engine, self.watch = engine, EngineWatch()
        self.begin_ns = time.monotonic_ns()
        self.at(0)

    def at(self, seconds, *engines):
        """Events of a look so many seconds after the first."""
        now_ns = self.begin_ns + round(seconds * NS)
        for engine in engines or (self.engine,):
            engine.reader.fileno() >= 0 and engine.refresh()
        return self.watch.look(engines or (self.engine,), now_ns, WALL_NS + round(seconds * NS))

    def kinds(self, seconds):
        return [event.kind for event in self.at(seconds)]


def block(generation, in_force=0, settled=0):
    empty = (0, 0)
    return Limits(
        generation,
        0,
        0,
        in_force,
        settled,
        8,
        6,
        6,
        6,
        2,
        4,
        2,
        0,
        0,
        0,
        0,
        0,
        0,
        b"",
        empty,
        empty,
        empty,
        empty,
    )


def test_a_stall_begins_and_ends_once(ring, engine):
    looks = Looks(engine)
    ring.set_live(Live.SCHEDULE_NS, looks.begin_ns)
    ring.set_live(Live.UNFINISHED, 3)
    ring.set_live(Live.STEP, 1)
    assert looks.kinds(4) == []
    (stalled,) = looks.at(6)
    assert (stalled.kind, stalled.severity, stalled.seconds) == (EventKind.ENGINE_STALLED, Severity.ACT, 6.0)
    assert looks.kinds(30) == []
    ring.set_live(Live.SCHEDULE_NS, looks.begin_ns + 40 * NS)
    (resumed,) = looks.at(40)
    assert (resumed.kind, resumed.seconds) == (EventKind.ENGINE_RESUMED, 40.0)
    assert looks.kinds(41) == []


def test_an_engine_that_dies_while_it_is_stalled_has_died(ring, engine):
    looks = Looks(engine)
    ring.set_live(Live.SCHEDULE_NS, looks.begin_ns)
    ring.set_live(Live.UNFINISHED, 3)
    ring.set_live(Live.STEP, 1)
    assert looks.kinds(6) == [EventKind.ENGINE_STALLED]
    engine.gone = True
    (died,) = looks.at(7)
    assert (died.kind, died.severity) == (EventKind.ENGINE_DIED, Severity.ACT)
    # When it last gave a sign of life, and not when somebody noticed.
    assert died.time_ns == pytest.approx(WALL_NS, abs=NS)
    assert looks.kinds(8) == []


def test_lost_records_are_told_now_and_then_and_none_is_forgotten(engine):
    looks = Looks(engine)
    told = []
    for second in range(40):
        engine.missed += 5
        told += looks.at(second)
    engine.missed += 0
    told += looks.at(60)
    assert {event.kind for event in told} == {EventKind.RECORDS_LOST}
    assert len(told) <= 2 + 40 * NS // LOST_EVERY_NS
    assert sum(event.count for event in told) == 200


def test_a_change_is_in_force_after_the_audit_log_told_of_it(ring, engine):
    looks = Looks(engine)
    ring.write_limits(block(1, in_force=7))
    assert looks.kinds(1) == []
    looks.watch.accepted("one", 1)
    (in_force,) = looks.at(1.1)
    assert (in_force.kind, in_force.generation, in_force.step) == (EventKind.CHANGE_IN_FORCE, 1, 7)
    ring.write_limits(block(1, in_force=7, settled=9))
    (settled,) = looks.at(1.2)
    assert (settled.kind, settled.step) == (EventKind.CHANGE_SETTLED, 9)
    assert looks.kinds(1.3) == []


def test_a_change_is_in_force_even_if_the_audit_log_is_silent(ring, engine):
    looks = Looks(engine)
    ring.write_limits(block(1, in_force=7, settled=7))
    assert looks.kinds(1) == []
    assert looks.kinds(1 + PATIENCE_NS / NS) == [EventKind.CHANGE_IN_FORCE, EventKind.CHANGE_SETTLED]


def test_what_had_settled_before_the_daemon_is_no_news(ring, engine):
    ring.write_limits(block(3, in_force=7, settled=9))
    looks = Looks(engine)
    assert looks.kinds(10) == []


def test_an_orderly_end_is_no_death(ring, engine):
    looks = Looks(engine)
    ring.set_live(Live.STATE, ProbeState.CLOSED)
    engine.check_alive()
    engine.gone = True
    assert looks.kinds(1) == [EventKind.ENGINE_ENDED]


def test_at_the_first_look_engines_came_when_they_were_made(engine):
    watch = EngineWatch()
    now_ns, wall_ns = time.monotonic_ns(), time.time_ns()
    (appeared,) = watch.look([engine], now_ns, wall_ns)
    assert appeared.kind is EventKind.ENGINE_APPEARED
    assert appeared.time_ns == engine.reader.header.real_ns
    assert watch.look([engine], now_ns, wall_ns) == []


def test_an_engine_whose_ring_was_cleaned_away_is_known_by_its_name(engine):
    watch = EngineWatch()
    now_ns, wall_ns = time.monotonic_ns(), time.time_ns()
    watch.look([engine], now_ns, wall_ns)
    watch.look([], now_ns, wall_ns)
    (again,) = watch.look([engine], now_ns, wall_ns)
    assert again.kind is EventKind.ENGINE_RESTARTED
