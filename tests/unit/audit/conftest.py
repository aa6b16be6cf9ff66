"""Engines with real rings and journals, in one's own process."""

from __future__ import annotations

import time

import pytest

from rblntopd.engines import engine as engine_module
from rblntopd.engines.engine import Engine
from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe.ring_format import Action, JournalEntry, Live, ProbeState
from rblntopd.probe.ring_writer import RingWriter


class JournalledEngine:
    """A ring that a test writes changes to, and the daemon's view of it."""

    def __init__(self, path, **description):
        self.ring = RingWriter.create(
            path, {"instance_id": path.stem, "model": "tiny"} | description,
            boot_id="0" * 32, start_ticks=1, in_flight_slots=2, capacity=16,
        )  # fmt: skip
        self.ring.set_live(Live.STATE, ProbeState.LIVE)
        self.generation = 0
        self.seen = Engine(RingReader.open(path))

    def change(self, action=Action.SET, caller="uid 7 (ops)", old=0, new=4, **fields):
        self.generation += 1
        entry = JournalEntry(
            time.time_ns(), time.monotonic_ns(), 10, self.generation, 0, old, new, action, 0, 0,
            b"", caller.encode(), b"", (0, 0), (0, 0),
        )  # fmt: skip
        self.ring.write_journal(entry._replace(**fields))


@pytest.fixture
def make_engine(tmp_path, monkeypatch):
    # Engines of one's own process hold locks that one cannot see.
    monkeypatch.setattr(engine_module, "is_locked", lambda _: True)
    made = []

    def make(instance="one", name="tiny/0", **description):
        made.append(JournalledEngine(tmp_path / f"{instance}.ring", name=name, **description))
        return made[-1]

    yield make
    for engine in made:
        engine.seen.close()
        engine.ring.close()
