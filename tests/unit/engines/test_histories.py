"""Histories belong to names: which instance writes one, and what becomes of it when engines come and go."""

from __future__ import annotations

import time

import pytest

from rblntopd.engines.engine import Engine
from rblntopd.engines.histories import MAX_NAMES, Histories
from rblntopd.engines.ring_reader import RingReader
from rblntopd.history.columns import ENGINE_COLUMNS, Column
from rblntopd.metrics.cells import NS
from rblntopd.probe.ring_format import Live


class Alive(Engine):
    """In its own process an engine's lock cannot be seen."""

    def check_alive(self) -> bool:
        if not self.gone:
            self._live = self.reader.live()
        return not self.gone


@pytest.fixture
def make_engine(make_ring, make_step):
    """Engines that made three steps this second."""
    made = []

    def make(instance, name="e/0"):
        ring = make_ring(instance, group_count=2)
        for number in range(1, 4):
            ring.publish(make_step(number, requests=2))
        ring.set_live(Live.SCHEDULE_NS, time.monotonic_ns())
        made.append(Alive(RingReader.open(ring.path)))
        made[-1].name = name
        made[-1].refresh()
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def tokens(histories, name, now_ns, back=30):
    """Tokens of the last seconds, kept or not."""
    history = histories.find(name)
    end, latest = histories.latest(name, now_ns)
    rows = [history.row(second, 1, latest) for second in range(end - back, end)]
    return sum(row.output_tokens for row in rows)


def end(engine):
    engine.gone = True
    engine.refresh()


def test_a_running_engine_is_followed(make_engine):
    histories, engine = Histories(), make_engine("one")
    now_ns = time.monotonic_ns() + 8 * NS
    histories.follow([engine], now_ns)
    assert tokens(histories, "e/0", now_ns) == 6
    assert histories.find("nobody") is None


def test_of_two_living_engines_of_one_name_one_writes(make_engine):
    histories, engines = Histories(), [make_engine("one"), make_engine("two")]
    now_ns = time.monotonic_ns() + 8 * NS
    histories.follow(engines, now_ns)
    assert tokens(histories, "e/0", now_ns) == 6
    end(engines[0])
    histories.follow(engines, now_ns)
    histories.follow(engines, now_ns)
    assert [instance for _, instance in histories.find("e/0").restarts(0, 2**63)] == ["two"]


def test_an_instance_that_is_met_again_writes_on_and_nothing_twice(make_engine):
    histories, engine = Histories(), make_engine("one")
    now_ns = time.monotonic_ns() + 8 * NS
    histories.follow([engine], now_ns)
    written = histories.find("e/0").newest_second
    histories.follow([], now_ns)
    again = Alive(RingReader.open(engine.reader.path))
    again.refresh()
    histories.follow([again], now_ns)
    again.close()
    assert histories.find("e/0").newest_second == written
    assert tokens(histories, "e/0", now_ns) == 6
    assert histories.find("e/0").restarts(0, 2**63) == []


def test_history_outlives_its_engine(make_engine):
    histories, engine = Histories(), make_engine("one")
    now_ns = time.monotonic_ns() + 8 * NS
    end(engine)
    histories.follow([engine], now_ns)
    histories.follow([], now_ns)
    now_ns += 20 * NS
    assert tokens(histories, "e/0", now_ns, back=60) == 6
    history = histories.find("e/0")
    assert ENGINE_COLUMNS[Column.COVERED_SECONDS](history.row(now_ns // NS - 2, 1, {})) == 0


def test_names_that_are_long_gone_make_room(make_engine):
    histories, keeper = Histories(), make_engine("keeper", name="keeper/0")
    now_ns = time.monotonic_ns() + 8 * NS
    histories.follow([keeper], now_ns)
    guest = make_engine("guest")
    for number in range(MAX_NAMES + 5):
        guest.name, guest.instance_id = f"guest/{number}", f"guest-{number}"
        histories.follow([keeper, guest], now_ns)
    assert histories.find("keeper/0") is not None
    assert histories.find("guest/0") is None
    assert histories.find(f"guest/{MAX_NAMES + 4}") is not None
