"""Where the windows of a snapshot end: everything before must be known."""

from __future__ import annotations

import time

import pytest

from rblntopd.engines import engine as engine_module
from rblntopd.engines.engine import Engine
from rblntopd.engines.ring_reader import RingReader
from rblntopd.metrics.state import EngineState
from rblntopd.probe.ring_format import MAX_GROUPS, InFlight, Kind, Live, Sample
from rblntopd.server.messages import snapshot_message

MS = 1_000_000


@pytest.fixture
def start_ns():
    """A second ago, at the start of a cell."""
    return (time.monotonic_ns() // (100 * MS) - 20) * 100 * MS


@pytest.fixture
def living(monkeypatch):
    """Engines of one's own process hold locks that one cannot see."""
    monkeypatch.setattr(engine_module, "is_locked", lambda _: True)


def sample(mono_ns):
    return Sample(mono_ns, 9, 8, 0, 0, 0, 0, 0, 99, 0.5, 0, 9, 0, (4, 4) + (0,) * (MAX_GROUPS - 2))


@pytest.fixture
def busy_ring(make_ring, make_step, start_ns):
    """Two slots that were full for a second; at its end the probe looked."""
    ring = make_ring(capacity=64, pp_size=2, max_num_seqs=8, decode_buckets=[4])
    for number in range(20):
        begin_ns = start_ns + number // 2 * 100 * MS
        ring.publish(
            make_step(number + 1, scheduled_ns=begin_ns, completed_ns=begin_ns + 100 * MS, group=number % 2)
        )
    seen_ns = start_ns + 1000 * MS
    ring.write_sample(sample(seen_ns + 50 * MS))
    ring.write_in_flight(
        [InFlight(21 + slot, seen_ns, 2, 2, 4, Kind.DECODE, slot, slot) for slot in range(2)]
    )
    ring.set_live(Live.STEP, 22)
    ring.set_live(Live.SCHEDULE_NS, seen_ns)
    ring.set_live(Live.UNFINISHED, 8)
    return ring


def occupancy(engine, now_ns):
    return engine.snapshot(now_ns, 0, [1], 0).windows[0].queue_occupancy_ratio


def test_a_window_ends_where_the_probe_last_looked(living, busy_ring, start_ns):
    with RingReader.open(busy_ring.path) as reader:
        engine = Engine(reader)
        engine.refresh()
        # 200 ms later more has surely run, which nobody has published yet.
        found = engine.snapshot(start_ns + 1250 * MS, 0, [1], 0)
        assert found.windows[0].queue_occupancy_ratio == 1.0
        assert found.windows[0].decode_steps == 18  # Those of the last cell completed at its very end.
        assert found.engine.state is EngineState.SERVING


def test_of_a_probe_that_is_silent_the_batches_in_flight_are_still_there(living, busy_ring, start_ns):
    with RingReader.open(busy_ring.path) as reader:
        engine = Engine(reader)
        engine.refresh()
        assert occupancy(engine, start_ns + 5000 * MS) == 1.0
        busy_ring.write_in_flight([InFlight(22, start_ns + 1000 * MS, 2, 2, 4, Kind.DECODE, 1, 1)])
        engine.refresh()
        assert occupancy(engine, start_ns + 5000 * MS) == 0.5


def test_a_batch_that_completed_after_the_look_is_counted_once(living, busy_ring, make_step, start_ns):
    with RingReader.open(busy_ring.path) as reader:
        engine = Engine(reader)
        busy_ring.publish(
            make_step(21, scheduled_ns=start_ns + 1000 * MS, completed_ns=start_ns + 1080 * MS, group=0)
        )
        engine.refresh()
        found = engine.snapshot(start_ns + 1100 * MS, 0, [1], 0)
        assert found.windows[0].queue_occupancy_ratio == 1.0
        assert [batch.step for batch in found.in_flight] == [21, 22]  # As the probe last saw it.


def test_the_figures_of_an_engine_that_is_gone_end_with_it(busy_ring, start_ns):
    with RingReader.open(busy_ring.path) as reader:
        engine = Engine(reader)
        engine.refresh()
        found = engine.snapshot(start_ns + 60_000 * MS, 0, [1], 0)
        assert found.engine.state is EngineState.GONE
        assert found.windows[0].decode_steps == 20
        assert found.age_seconds == 59


def test_a_daemon_that_meets_an_engine_after_a_pause_counts_the_pause(living, make_ring, make_step):
    now_ns = time.monotonic_ns()
    ring = make_ring(capacity=64)
    for number, ago_s in ((1, 600), (2, 5)):
        at_ns = now_ns - ago_s * 1000 * MS
        ring.publish(make_step(number, scheduled_ns=at_ns, completed_ns=at_ns, requests=30, unfinished=0))
    with RingReader.open(ring.path) as reader:
        engine = Engine(reader)
        engine.refresh()
        minute = engine.snapshot(now_ns, 0, [60], 0).windows[0]
        assert (minute.covered_seconds, minute.output_tokens_per_second) == (60, 30 / 60)


def test_a_daemon_that_meets_an_engine_whose_past_was_overwritten_counts_what_is_left(
    living, make_ring, make_step
):
    now_ns = time.monotonic_ns()
    ring = make_ring(capacity=4)
    for number in range(1, 9):
        at_ns = now_ns - (20 - number) * 1000 * MS
        ring.publish(make_step(number, scheduled_ns=at_ns, completed_ns=at_ns))
    with RingReader.open(ring.path) as reader:
        engine = Engine(reader)
        engine.refresh()
        minute = engine.snapshot(now_ns, 0, [60], 0).windows[0]
        assert minute.decode_steps == 3
        assert 13.9 < minute.covered_seconds <= 14


def test_garbage_in_the_live_block_is_still_a_snapshot(make_ring):
    ring = make_ring()
    for word in (Live.RUNNING, Live.WAITING):
        ring.set_live(word, 2**64 - 1)
    with RingReader.open(ring.path) as reader:
        snapshot_message(Engine(reader).snapshot(0, 0, [1], 1), None)


def test_an_engine_whose_ring_was_closed_is_gone(living, make_ring):
    engine = Engine(RingReader.open(make_ring().path))
    assert engine.check_alive()
    engine.close()
    assert not engine.check_alive()


@pytest.mark.parametrize(("known_s", "cells"), [(0, 0), (3, 3), (7, 5)])
def test_strips_begin_where_the_records_do(living, busy_ring, start_ns, known_s, cells):
    with RingReader.open(busy_ring.path) as reader:
        engine = Engine(reader)
        engine.refresh()
        end_ns = engine.known_to_ns(start_ns + 1100 * MS)
        engine.timeline.covered_from_ns = end_ns - known_s * 1000 * MS
        found = engine.snapshot(start_ns + 1100 * MS, 0, [1], 5)
        assert [len(group.strip) for group in found.groups] == [cells, cells]
        engine.timeline.covered_from_ns = 0
        found = engine.snapshot(start_ns + 1100 * MS, 0, [1], 5)
        assert [group.strip for group in found.groups] == [(), ()]
