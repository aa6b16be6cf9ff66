"""Rings to read, written by the real writer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rblntopd.probe.ring_format import Kind, Live, ProbeState, Step
from rblntopd.probe.ring_writer import RingWriter

BOOT_ID = "0" * 32


@pytest.fixture
def make_ring(tmp_path: Path) -> Iterator[Callable[..., RingWriter]]:
    """Makes rings in ``tmp_path``; in one's own process an engine looks dead, because locks are its own."""
    made: list[RingWriter] = []

    def make(
        file: str = "engine",
        capacity: int = 16,
        in_flight_slots: int = 4,
        directory: str = "",
        **keys: Any,
    ) -> RingWriter:
        ring = RingWriter.create(
            tmp_path / directory / f"{file}.ring",
            {"name": file, "instance_id": file} | keys,
            boot_id=BOOT_ID,
            start_ticks=1,
            in_flight_slots=in_flight_slots,
            capacity=capacity,
        )
        ring.set_live(Live.STATE, ProbeState.LIVE)
        made.append(ring)
        return ring

    yield make
    for ring in made:
        ring.close()


@pytest.fixture
def make_step() -> Callable[..., Step]:
    """Makes a decode step with the number given, and other fields as wanted."""

    def make(number: int, **fields: Any) -> Step:
        now_ns = time.monotonic_ns()
        step = Step(
            step=number, scheduled_ns=now_ns - 1000, completed_ns=now_ns, schedule_ns=100, generation=0,
            tokens=2, waiting=0, max_seq_len=number, queue_wait_us=0, requests=2, prefill_requests=0,
            padded=4, running=2, held=0, ready=2, preempted=0, finished=0, unfinished=2, new_requests=0,
            run_length=1, kv_usage=0.5, kind=Kind.DECODE, group=0, row=0, admission_stop=0, in_flight=1,
        )  # fmt: skip
        return step._replace(**fields)

    return make
