"""The table of requests in a ring: written by the probe's own code, read whole or not at all."""

from __future__ import annotations

import enum
import time
from types import SimpleNamespace

import pytest

from rblntopd.engines.ring_file import RingFileError
from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe import ring_format as fmt
from rblntopd.probe.request_table import INTERVAL_NS, RequestTable
from rblntopd.probe.ring_format import NO_GROUP, UNKNOWN_MS, RequestState
from rblntopd.probe.rows import Rows


class Status(enum.Enum):
    WAITING = enum.auto()
    WAITING_FOR_REMOTE_KVS = enum.auto()
    PREEMPTED = enum.auto()
    RUNNING = enum.auto()


def request(name, status=Status.WAITING, age_s=2.0, **fields):
    return SimpleNamespace(
        **{
            "request_id": name, "status": status, "arrival_time": time.time() - age_s,
            "num_prompt_tokens": 30, "num_output_tokens": 4, "num_computed_tokens": 33, "num_preemptions": 0,
        }
        | fields
    )  # fmt: skip


class Written:
    """A scheduler's lists, written into a ring."""

    def __init__(self, ring, waits_us=None):
        self.ring, self.reader = ring, RingReader.open(ring.path)
        self.scheduler = SimpleNamespace(running=[], waiting=[], skipped_waiting=[])
        self.rows = Rows(2)
        self.table = RequestTable(self.scheduler, self.rows, waits_us or {})

    def write(self, now_ns=5, held=()):
        self.table.write(self.ring, 7, now_ns, set(held))
        return self.reader.requests()


@pytest.fixture
def written(make_ring):
    return Written(make_ring(), {"a": 1_500_000})


def test_there_is_no_table_before_somebody_asks(written):
    assert written.reader.requests() is None


def test_a_request_is_told_with_its_numbers_and_never_with_its_text(written):
    written.scheduler.running = [request("a", Status.RUNNING, num_preemptions=2, prompt="secret")]
    written.rows.free(written.rows.take({"a": 1}))
    found = written.write()
    (row,) = found.rows
    assert (found.step, found.total, found.mono_ns) == (7, 1, 5)
    assert row.request_id.rstrip(b"\0") == b"a"
    assert (row.prompt_tokens, row.output_tokens, row.computed_tokens) == (30, 4, 33)
    assert (row.preemptions, row.state, row.group, row.wait_ms) == (2, RequestState.RUNNING, 0, 1500)
    assert row.age_ms == pytest.approx(2000, abs=1000)
    assert b"secret" not in written.ring.path.read_bytes()


def test_the_state_says_who_waits_and_why(written):
    scheduler = written.scheduler
    scheduler.running = [request("r", Status.RUNNING), request("h", Status.RUNNING)]
    scheduler.waiting = [request("p", Status.PREEMPTED), request("w")]
    scheduler.skipped_waiting = [request("k", Status.WAITING_FOR_REMOTE_KVS)]
    found = {row.request_id.rstrip(b"\0"): row for row in written.write(held=["h"]).rows}
    assert {name: RequestState(row.state) for name, row in found.items()} == {
        b"r": RequestState.RUNNING,
        b"h": RequestState.HELD,
        b"k": RequestState.REMOTE_KV,
        b"p": RequestState.PREEMPTED,
        b"w": RequestState.WAITING,
    }
    assert found[b"w"].group == NO_GROUP
    assert found[b"w"].wait_ms == found[b"w"].age_ms
    assert found[b"r"].wait_ms == found[b"p"].wait_ms == UNKNOWN_MS


def test_those_that_run_come_first_and_the_rest_is_counted(written):
    written.scheduler.running = [request(f"r{n}", Status.RUNNING) for n in range(3)]
    written.scheduler.waiting = [request(f"w{n}") for n in range(fmt.MAX_REQUESTS)]
    found = written.write()
    assert (found.total, len(found.rows)) == (fmt.MAX_REQUESTS + 3, fmt.MAX_REQUESTS)
    assert [row.request_id.rstrip(b"\0") for row in found.rows[:5]] == [b"r0", b"r1", b"r2", b"w0", b"w1"]


def test_it_is_written_once_a_second_at_most(written):
    written.scheduler.running = [request("a", Status.RUNNING)]
    written.write(now_ns=10)
    written.scheduler.running = []
    assert written.write(now_ns=10 + INTERVAL_NS - 1).total == 1
    assert written.write(now_ns=10 + INTERVAL_NS).total == 0


def test_odd_requests_fit_as_well(written):
    written.scheduler.running = [
        request("long" * 100, Status.RUNNING, age_s=-50.0, num_preemptions=10**6),
        request("\ud800é", Status.RUNNING, age_s=1e9),
    ]
    long, odd = written.write().rows
    assert (long.request_id, long.age_ms, long.preemptions) == (b"long" * 16, 0, 0xFFFF)
    assert (odd.request_id.rstrip(b"\0"), odd.age_ms) == ("?é".encode(), UNKNOWN_MS - 1)


def test_a_table_that_is_being_written_is_not_read(written):
    written.write()
    at = fmt.REQUESTS_OFFSET // fmt.WORD
    written.ring._words[at] += 1
    assert written.reader.requests() is None
    written.ring._words[at] += 1
    assert written.reader.requests() is not None


def test_a_table_that_changed_while_it_was_read_is_read_again(written, monkeypatch):
    written.scheduler.running = [request("a", Status.RUNNING)]
    written.write(now_ns=1)
    read, reads = written.reader._read, []

    def disturbed(offset, size, name):
        found = read(offset, size, name)
        reads.append(size)
        if len(reads) == 2:  # Between the rows and the second look at the sequence.
            written.scheduler.running = [request("b", Status.RUNNING)]
            written.table.write(written.ring, 8, 1 + INTERVAL_NS, set())
        return found

    monkeypatch.setattr(written.reader, "_read", disturbed)
    found = written.reader.requests()
    assert (found.step, found.rows[0].request_id.rstrip(b"\0")) == (8, b"b")
    assert len(reads) == 6


def older(ring, path):
    """The same ring as a probe of 1.0 writes it."""
    raw = bytearray(ring.path.read_bytes())
    header = fmt.Header(*fmt.HEADER_FIXED.unpack_from(raw))
    fmt.HEADER_FIXED.pack_into(
        raw, 0, *header._replace(minor=0, requests_offset=0, request_size=0, request_capacity=0)
    )
    path.write_bytes(raw)
    return path


def test_a_ring_of_an_older_minor_has_no_table_and_is_read(make_ring, make_step, tmp_path):
    ring = make_ring()
    ring.publish(make_step(1))
    with RingReader.open(older(ring, tmp_path / "older.ring")) as reader:
        assert not reader.has_requests
        assert reader.requests() is None
        assert len(reader.read(0).rows) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("request_size", 8), ("request_size", 1 << 20), ("request_capacity", 0), ("request_capacity", 1 << 30),
     ("requests_offset", 12), ("requests_offset", 1 << 40)],
)  # fmt: skip
def test_a_header_that_contradicts_itself_is_refused(make_ring, tmp_path, field, value):
    raw = bytearray(make_ring().path.read_bytes())
    header = fmt.Header(*fmt.HEADER_FIXED.unpack_from(raw))
    fmt.HEADER_FIXED.pack_into(raw, 0, *header._replace(**{field: value}))
    path = tmp_path / "damaged.ring"
    path.write_bytes(raw)
    with pytest.raises(RingFileError):
        RingReader.open(path)


def test_more_rows_than_fit_are_not_believed(written):
    written.write()
    fmt.REQUESTS.pack_into(written.ring._map, fmt.REQUESTS_OFFSET, 4, 0, 0, 0, 5, 2**32 - 1)
    assert len(written.reader.requests().rows) == fmt.MAX_REQUESTS
