"""What is read from a ring, while it is written and when it is damaged."""

from __future__ import annotations

import os
import struct
import subprocess
import sys

import pytest

from rblntopd.engines.ring_file import Problem, RingFileError
from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe import ring_format as fmt
from rblntopd.probe.ring_format import EmptyCause, InFlight, Kind, Limits, Live, Sample

GROUPS = fmt.MAX_GROUPS


def padded(*values):
    return values + (0,) * (GROUPS - len(values))


def sequences(records):
    return [sequence for sequence, _, _ in records.steps()]


def test_steps_are_read_as_they_were_published(make_ring, make_step):
    ring = make_ring()
    published = [make_step(n) for n in range(1, 6)]
    for step in published:
        ring.publish(step)
    with RingReader.open(ring.path) as reader:
        records = reader.read(0)
        assert [step for _, step, _ in records.steps()] == published
        assert (records.first, records.next, records.missed) == (0, 5, 0)


def test_reading_goes_on_where_it_stopped(make_ring, make_step):
    ring = make_ring()
    with RingReader.open(ring.path) as reader:
        assert reader.read(0).rows == []
        for number in range(1, 8):
            ring.publish(make_step(number))
        first = reader.read(0, limit=3)
        assert sequences(first) == [0, 1, 2]
        assert sequences(reader.read(first.next)) == [3, 4, 5, 6]
        assert reader.read(7).rows == []


@pytest.mark.parametrize("published", [15, 16, 17, 31, 32, 33, 100])
def test_what_the_ring_no_longer_holds_is_counted_as_missed(make_ring, make_step, published):
    ring = make_ring(capacity=16)
    for number in range(1, published + 1):
        ring.publish(make_step(number))
    with RingReader.open(ring.path) as reader:
        records = reader.read(0)
    # The slot behind the newest record is being written to: 15 of 16 are whole.
    missed = max(0, published - 15)
    assert records.missed == missed
    assert sequences(records) == list(range(missed, published))
    assert [step.step for _, step, _ in records.steps()] == list(range(missed + 1, published + 1))


def test_a_run_of_empty_steps_has_its_causes(make_ring, make_step):
    ring = make_ring()
    ring.publish(make_step(1))
    ring.publish_empty(make_step(2, kind=Kind.EMPTY, run_length=5), [0, 0, 3, 0, 0, 2], [0, 0, 30, 0, 0, 20])
    with RingReader.open(ring.path) as reader:
        (_, _, none), (_, step, causes) = reader.read(0).steps()
    assert none is None
    assert step.run_length == 5
    assert causes[0][EmptyCause.DEMAND] == 3
    assert causes[1][EmptyCause.COLLAPSE] == 20


def test_a_record_that_is_being_written_is_never_returned(make_ring, make_step):
    ring = make_ring(capacity=16)
    for number in range(1, 21):
        ring.publish(make_step(number))
    # As if the writer had died between the payload and the sequence word of record 20.
    at = fmt.RECORDS_OFFSET + 20 % 16 * fmt.RECORD_SIZE
    with open(ring.path, "r+b") as file:
        file.seek(at + fmt.WORD)
        file.write(b"\xff" * (fmt.RECORD_SIZE - fmt.WORD))
    with RingReader.open(ring.path) as reader:
        assert sequences(reader.read(0)) == list(range(5, 20))


def test_a_record_of_another_sequence_is_missed_and_not_returned(make_ring, make_step):
    ring = make_ring(capacity=16)
    for number in range(1, 11):
        ring.publish(make_step(number))
    with open(ring.path, "r+b") as file:
        file.seek(fmt.RECORDS_OFFSET + 3 * fmt.RECORD_SIZE)
        file.write(struct.pack("<Q", 99))
    with RingReader.open(ring.path) as reader:
        records = reader.read(0)
    assert (records.missed, sequences(records)) == (4, [4, 5, 6, 7, 8, 9])


def test_the_first_record_since_a_moment_is_found(make_ring, make_step):
    ring = make_ring(capacity=64)
    for number in range(1, 101):
        ring.publish(make_step(number, completed_ns=number * 1000))
    with RingReader.open(ring.path) as reader:
        assert reader.first_completed_since(70_500) == 70
        assert reader.first_completed_since(70_000) == 69
        assert reader.first_completed_since(0) == 37
        assert reader.first_completed_since(10**12) == 100


def test_live_words_are_read(make_ring):
    ring = make_ring()
    ring.set_live(Live.STEP, 7)
    ring.set_fault("ValueError: odd")
    with RingReader.open(ring.path) as reader:
        assert reader.live()[Live.STEP] == 7
        assert reader.fault() == "ValueError: odd"


def test_batches_in_flight_are_read_oldest_first(make_ring):
    ring = make_ring()
    batches = [InFlight(9, 100, 5, 5, 8, Kind.DECODE, 1, 1), InFlight(8, 90, 300, 1, 0, Kind.PREFILL, -1, 0)]
    ring.write_in_flight(batches)
    with RingReader.open(ring.path) as reader:
        assert reader.in_flight() == sorted(batches)
        ring.write_in_flight([])
        assert reader.in_flight() == []


def test_samples_and_limits_are_none_before_there_are_any_and_then_the_latest(make_ring):
    ring = make_ring()
    sample = Sample(5, 6, 7, 8, 0, 0, 0, 0, 99, 0.5, 12, 34, 2, padded(4, 3))
    limits = Limits(
        1, 2, 3, 0, 0, 8, 6, 7, 6, 2, 4, 2, 0, 1, 600_000, 99, 0, 8, b"abc".ljust(32, b"\0"),
        padded(2, 3), padded(2, 3), padded(1), padded(4, 4),
    )  # fmt: skip
    with RingReader.open(ring.path) as reader:
        assert (reader.sample(), reader.limits()) == (None, None)
        for generation in (1, 2):
            ring.write_sample(sample._replace(step=generation))
            ring.write_limits(limits._replace(generation=generation))
            assert reader.sample() == sample._replace(step=generation)
            assert reader.limits() == limits._replace(generation=generation)


def test_a_block_that_is_being_rewritten_is_not_returned(make_ring):
    ring = make_ring()
    ring.write_sample(Sample(5, 6, 7, 8, 0, 0, 0, 0, 99, 0.5, 12, 34, 2, padded(4, 3)))
    with open(ring.path, "r+b") as file:
        file.seek(fmt.SAMPLE_OFFSET)
        file.write(struct.pack("<Q", 3))
    with RingReader.open(ring.path) as reader:
        assert reader.sample() is None


def test_a_newer_minor_with_larger_sections_is_read(make_ring, make_step, tmp_path):
    """Appended fields are skipped: sizes come from the header."""
    ring = make_ring(capacity=16)
    for number in range(1, 21):
        ring.publish(make_step(number))
    raw = ring.path.read_bytes()
    header = fmt.Header(*fmt.HEADER_FIXED.unpack_from(raw))
    records = raw[fmt.RECORDS_OFFSET :]
    larger = b"".join(
        records[at : at + fmt.RECORD_SIZE] + b"new field" + bytes(23)
        for at in range(0, len(records), fmt.RECORD_SIZE)
    )
    newer = header._replace(minor=fmt.MINOR + 1, record_size=fmt.RECORD_SIZE + 32)
    path = tmp_path / "newer.ring"
    path.write_bytes(fmt.HEADER_FIXED.pack(*newer) + raw[fmt.HEADER_FIXED.size : fmt.RECORDS_OFFSET] + larger)
    with RingReader.open(path) as reader:
        assert sequences(reader.read(0)) == list(range(5, 20))


def test_a_ring_that_is_truncated_while_it_is_open_gives_an_error(make_ring, make_step):
    ring = make_ring()
    ring.publish(make_step(1))
    copy = ring.path.with_name("copy.ring")
    copy.write_bytes(ring.path.read_bytes())
    with RingReader.open(copy) as reader:
        os.truncate(copy, fmt.HEADER_SIZE)
        with pytest.raises(RingFileError, match=r"its live block ends after 0 of") as caught:
            reader.read(0)
        assert caught.value.problem is Problem.TRUNCATED


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("magic", b"GARBAGE!", "is not a ring file: it starts with b'GARBAGE!'"),
        ("major", 2, f"ring format 2.{fmt.MINOR}, this side reads 1.x: update rblntop here"),
        ("header_size", 1, "corrupt header: header of 1 bytes"),
        ("description_offset", 2**40, "its description would end at byte"),
        ("description_size", 2**31, "corrupt header: description of 2147483648 bytes"),
        ("live_offset", 4097, "corrupt header: live block at byte 4097"),
        ("live_size", 8, "corrupt header: live block of 8 bytes"),
        ("in_flight_entry_size", 0, "corrupt header: in-flight entries of 0 bytes"),
        ("sample_offset", 0, "corrupt header: sample block at byte 0"),
        ("limits_size", 4, "corrupt header: limits block of 4 bytes"),
        ("record_size", 0, "corrupt header: records of 0 bytes"),
        ("record_size", 129, "corrupt header: records of 129 bytes"),
        ("record_capacity", 0, "corrupt header: room for 0 records"),
        ("record_capacity", 17, "its records would end at byte"),
        ("record_capacity", 2**32 - 1, "corrupt header: room for 4294967295 records"),
    ],
)
def test_a_header_that_cannot_be_is_refused(make_ring, tmp_path, field, value, text):
    raw = bytearray(make_ring().path.read_bytes())
    header = fmt.Header(*fmt.HEADER_FIXED.unpack_from(raw))._replace(**{field: value})
    fmt.HEADER_FIXED.pack_into(raw, 0, *header)
    path = tmp_path / "bad.ring"
    path.write_bytes(raw)
    with pytest.raises(RingFileError) as caught:
        RingReader.open(path)
    assert text in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("description", [b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 10_000])
def test_a_description_that_is_no_object_is_refused(make_ring, tmp_path, description):
    raw = bytearray(make_ring().path.read_bytes())
    raw[fmt.DESCRIPTION_OFFSET : fmt.DESCRIPTION_OFFSET + len(description)] = description
    raw[fmt.DESCRIPTION_OFFSET + len(description)] = 0
    path = tmp_path / "bad.ring"
    end = fmt.DESCRIPTION_OFFSET + fmt.DESCRIPTION_SIZE
    raw[fmt.DESCRIPTION_OFFSET + len(description) : end] = bytes(
        end - fmt.DESCRIPTION_OFFSET - len(description)
    )
    path.write_bytes(raw)
    with RingReader.open(path) as reader, pytest.raises(RingFileError, match="its description is not"):
        reader.description()


WRITER = """
import sys
from pathlib import Path
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.ring_format import Sample, MAX_GROUPS
ring = RingWriter.create(
    Path(sys.argv[1]), {}, boot_id="0" * 32, start_ticks=1, in_flight_slots=2, capacity=64
)
print("ready", flush=True)
sys.stdin.readline()
for n in range(1, int(sys.argv[2]) + 1):
    m = n & 0xffff
    ring.publish((n, n, n, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, m, 1, 0.0, 2, 0, 0, 0, 1))
    if n % 8 == 0:
        ring.write_sample(Sample(n, n, n, n, n, n, n, n, n, 0.5, n, n, n, (n,) * MAX_GROUPS))
print("done", flush=True)
sys.stdin.readline()
"""


def test_no_record_is_torn_and_every_one_is_read_or_counted_while_a_process_writes(tmp_path):
    """A ring of 64 under a writer that fills it a thousand times: the reader is overtaken all the time."""
    path, count = tmp_path / "busy.ring", 100_000
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(count)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with writer:
        assert writer.stdout.readline() == "ready\n"
        with RingReader.open(path) as reader:
            writer.stdin.write("go\n")
            writer.stdin.flush()
            sequence = seen = missed = 0
            while sequence < count:
                records = reader.read(sequence)
                assert records.first == sequence + records.missed
                for at, row in enumerate(records.rows):
                    number = records.first + at + 1
                    small = number & 0xFFFF
                    assert row == (
                        number, number, number, number, *[small] * 16, 1, 0.0, 2, 0, 0, 0, 1,
                    )  # fmt: skip
                seen += len(records.rows)
                missed += records.missed
                sequence = records.next
                sample = reader.sample()
                if sample is not None:
                    assert set(sample[:9]) | set(sample[10:12]) | set(sample.group_running) == {sample.step}
            assert seen + missed == count
            assert seen > 0
        writer.stdin.write("end\n")
        writer.stdin.flush()


def test_a_directory_that_goes_away_under_a_ring_is_an_error_of_that_ring(make_ring, monkeypatch):
    path = make_ring().path
    stat = os.stat

    def gone(asked, **options):
        if asked == path.parent:
            raise FileNotFoundError(2, "No such file or directory")
        return stat(asked, **options)

    monkeypatch.setattr("os.stat", gone)
    with pytest.raises(RingFileError, match="No such file or directory"):
        RingReader.open(path)
