"""What a recording holds, and what becomes of it when it is cut, damaged, foreign or hostile."""

from __future__ import annotations

import os
import resource
import struct
import zlib
from collections import deque
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rblntop.recording import frame
from rblntop.recording.errors import RecordingError
from rblntop.recording.frame import BlockKind
from rblntop.recording.player import Player
from rblntop.recording.reader import Recording
from rblntop.recording.recorder import Recorder
from rblntop.recording.writer import FullError, RecordingWriter

from .conftest import OFFSET_NS, SECOND, START_NS, change_at, engine_of, record, snapshot_at, step_at


def sequences(recording: Recording) -> list[int]:
    return [step.sequence for run in recording.steps() for step in run.steps]


def snapshots(recording: Recording) -> list[int]:
    return [
        snapshot.step
        for block in recording.blocks(BlockKind.SNAPSHOTS)
        for snapshot in recording.snapshots_of(block)
    ]


def test_every_step_and_snapshot_comes_back_in_order(recorded):
    with Recording.open(recorded) as recording:
        assert sequences(recording) == list(range(600))
        assert snapshots(recording) == list(range(0, 600, 10))
        assert {(run.missed, run.offset_ns) for run in recording.steps()} == {(0, OFFSET_NS)}
        assert recording.engine() == engine_of()
        assert recording.latest_snapshot() == snapshot_at(59)
        assert recording.notes == []
        assert not recording.growing


def test_a_step_comes_back_whole(recorded):
    with Recording.open(recorded) as recording:
        assert next(iter(recording.steps())).steps[3] == step_at(3)


def test_steps_that_the_engine_no_longer_had_are_a_gap(tmp_path):
    writer = RecordingWriter.create(tmp_path / "gap.rec", 1 << 20)
    recorder = Recorder(writer, START_NS, {})
    recorder.add_steps([step_at(0), step_at(1)], START_NS)
    recorder.add_steps([step_at(9)], START_NS, missed=7)
    recorder.flush(START_NS)
    writer.close()
    with Recording.open(tmp_path / "gap.rec") as recording:
        assert [(run.missed, [step.sequence for step in run.steps]) for run in recording.steps()] == [
            (0, [0, 1]),
            (7, [9]),
        ]


def test_a_restarted_engine_is_another_one_and_no_gap(tmp_path):
    writer = RecordingWriter.create(tmp_path / "two.rec", 1 << 20)
    recorder = Recorder(writer, START_NS, {})
    for instance in ("boot-1", "boot-2"):
        recorder.add_snapshot(snapshot_at(0, instance), START_NS)
        recorder.add_steps([step_at(100)], START_NS)
    recorder.flush(START_NS)
    writer.close()
    with Recording.open(tmp_path / "two.rec") as recording:
        runs = list(recording.steps())
    assert [(run.engine.instance_id, run.missed) for run in runs] == [("boot-1", 0), ("boot-2", 0)]


def test_changes_come_back_once_and_oldest_first(tmp_path):
    writer = RecordingWriter.create(tmp_path / "changes.rec", 1 << 20)
    recorder = Recorder(writer, START_NS, {})
    recorder.add_changes([change_at(4, 3), change_at(2)], START_NS)
    recorder.add_changes([change_at(2)], START_NS)
    writer.close()
    with Recording.open(tmp_path / "changes.rec") as recording:
        assert recording.changes() == [change_at(2), change_at(4, 3)]


def test_a_recording_goes_on_behind_its_end(recorded):
    record(recorded, begin=60, seconds=5, append=True)
    with Recording.open(recorded) as recording:
        assert sequences(recording) == list(range(650))
        assert len([mark for mark in recording.marks() if mark[1] == {"recorder": "test"}]) == 2


def test_appending_cuts_off_what_a_crash_left(recorded):
    with open(recorded, "r+b") as file:
        file.truncate(recorded.stat().st_size - 7)
    record(recorded, begin=60, seconds=5, append=True)
    with Recording.open(recorded) as recording:
        assert recording.notes == []
        assert sequences(recording)[-50:] == list(range(600, 650))


def test_a_file_that_is_there_is_not_overwritten(recorded):
    before = recorded.read_bytes()
    with pytest.raises(RecordingError, match=r"demo\.rec: is there already: --append goes on with it"):
        RecordingWriter.create(recorded, 1 << 20)
    assert recorded.read_bytes() == before


def test_a_file_is_written_by_one_only_and_readers_know(tmp_path):
    path = tmp_path / "busy.rec"
    writer = RecordingWriter.create(path, 1 << 20)
    with pytest.raises(RecordingError, match="is being written by another process"):
        RecordingWriter.append_to(path, 1 << 20)
    with Recording.open(path) as recording:
        assert recording.growing
        writer.close()
        assert not recording.growing


def test_a_recording_that_is_still_written_is_followed(tmp_path):
    path = tmp_path / "growing.rec"
    writer = RecordingWriter.create(path, 1 << 20)
    recorder = Recorder(writer, START_NS, {})
    with Recording.open(path) as recording:
        assert not recording.refresh()
        recorder.add_steps([step_at(0)], START_NS)
        recorder.flush(START_NS)
        assert recording.refresh()
        assert sequences(recording) == [0]
    writer.close()


def test_half_a_block_that_is_being_written_is_waited_for(recorded, tmp_path):
    whole = recorded.read_bytes()
    path = tmp_path / "half.rec"
    path.write_bytes(whole[:-9])
    with Recording.open(path) as recording:
        before = snapshots(recording)
        path.write_bytes(whole)
        assert recording.refresh()
        assert len(snapshots(recording)) > len(before)
        assert recording.notes == []


def test_the_size_is_bounded_and_what_was_written_is_readable(tmp_path):
    writer = RecordingWriter.create(tmp_path / "small.rec", 2000)
    recorder = Recorder(writer, START_NS, {})
    steps = (step_at(number) for number in range(100_000))
    with pytest.raises(FullError):
        deque((recorder.add_steps([step], START_NS + step.sequence * SECOND) for step in steps), maxlen=0)
    writer.close()
    assert writer.size == (tmp_path / "small.rec").stat().st_size <= 2000
    with Recording.open(tmp_path / "small.rec") as recording:
        assert recording.notes == []
        assert sequences(recording) == list(range(len(sequences(recording))))


def test_a_write_that_fails_leaves_whole_blocks(recorded, monkeypatch):
    writer = RecordingWriter.append_to(recorded, 1 << 30)
    write, calls = os.pwrite, []

    def half_then_full(file, data, offset):
        calls.append(offset)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(file, data[: len(data) // 2], offset)

    monkeypatch.setattr(os, "pwrite", half_then_full)
    with pytest.raises(RecordingError, match=r"demo\.rec: No space left on device"):
        Recorder(writer, START_NS, {"recorder": "test"})
    writer.close()
    with Recording.open(recorded) as recording:
        assert recording.notes == []
        assert len(sequences(recording)) == 600


# --- what is no good recording ------------------------------------------------------------------------------


def test_a_cut_end_is_told_and_the_rest_is_there(recorded):
    with Recording.open(recorded) as recording:
        last = list(recording.blocks(BlockKind.SNAPSHOTS))[-1]
    with open(recorded, "r+b") as file:
        file.truncate(recorded.stat().st_size - 7)
    with Recording.open(recorded) as recording:
        assert len(snapshots(recording)) == 60 - last.items
        (note,) = recording.notes
    assert note.startswith(f"{recorded}: its end is cut off: the last ")


def test_a_damaged_block_is_left_out_told_and_a_gap(recorded):
    with Recording.open(recorded) as recording:
        second = list(recording.blocks(BlockKind.STEPS))[1]
    raw = bytearray(recorded.read_bytes())
    raw[second.offset + 10] ^= 1
    recorded.write_bytes(raw)
    with Recording.open(recorded) as recording:
        runs = list(recording.steps())
        assert runs[1].missed == second.items
        assert recording.notes == [
            f"{recorded}: the block at byte {second.offset:,} is left out: its checksum is wrong"
        ]


def test_a_damaged_header_costs_its_block_only(recorded):
    with Recording.open(recorded) as recording:
        second = list(recording.blocks(BlockKind.STEPS))[1]
    raw = bytearray(recorded.read_bytes())
    raw[second.offset - 20] ^= 1
    recorded.write_bytes(raw)
    with Recording.open(recorded) as recording:
        assert len(sequences(recording)) == 600 - second.items
        (note,) = recording.notes
        assert "are damaged (its header is damaged) and left out" in note


def write_block(path: Path, kind: int, packed: bytes, unpacked: int, *, compression: int = 1) -> Path:
    """A recording of one block that says what it likes, with good checksums."""
    head = frame.BLOCK_HEADER.pack(
        frame.MARKER, kind, compression, 1, len(packed), unpacked, zlib.crc32(packed), 0, 0, 0
    )[:-4]
    path.write_bytes(frame.file_header() + head + struct.pack("<I", zlib.crc32(head)) + packed)
    return path


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "is empty: no recording"),
        (b"RBLN", "is cut off: 4 bytes, a recording's header has 16"),
        (b"\x7fELF" + bytes(100), "is not a recording: it starts with b'\\x7fELF"),
        (struct.pack("<8sHHI", frame.MAGIC, 2, 0, 16), "of format 2.0, this side reads 1.x: a newer rblntop"),
        (struct.pack("<8sHHI", frame.MAGIC, 1, 0, 2**31), "it says that it has 2,147,483,648 bytes"),
    ],
)
def test_what_is_no_recording_is_refused_with_name_and_reason(tmp_path, raw, why):
    path = tmp_path / "odd.rec"
    path.write_bytes(raw)
    with pytest.raises(RecordingError) as caught:
        Recording.open(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert why in str(caught.value)


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, why in (
        (tmp_path / "fifo", "is not a regular file"),
        (tmp_path, "is not a regular file"),
        (Path("/dev/zero"), "is not a regular file"),
        (tmp_path / "none", "No such file or directory"),
    ):
        with pytest.raises(RecordingError, match=why):
            Recording.open(path)


def test_a_bomb_is_not_unpacked(tmp_path):
    bomb = zlib.compress(bytes(200_000_000), 9)
    path = write_block(tmp_path / "bomb.rec", BlockKind.SNAPSHOTS, bomb, frame.MAX_UNPACKED)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Recording.open(path) as recording:
        assert snapshots(recording) == []
        assert "does not unpack to the 1,048,576 bytes that it says" in recording.notes[0]
    # In KB. 200 MB would have been made.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_lengths_beyond_reason_are_not_believed(tmp_path):
    path = write_block(tmp_path / "huge.rec", BlockKind.STEPS, b"x", 2**32 - 1)
    with Recording.open(path) as recording:
        assert sequences(recording) == []
        assert recording.notes[0].endswith("bytes are left out")


def test_messages_of_nothing_are_counted_before_they_are_made(tmp_path):
    packed = zlib.compress(bytes(frame.MAX_UNPACKED), 9)
    path = write_block(tmp_path / "many.rec", BlockKind.SNAPSHOTS, packed, frame.MAX_UNPACKED)
    with Recording.open(path) as recording:
        assert snapshots(recording) == []
        assert "more than 4,096 messages" in recording.notes[0]


def test_a_file_of_false_markers_is_given_up(tmp_path):
    path = tmp_path / "false.rec"
    path.write_bytes(frame.file_header() + frame.MARKER * 50_000)
    with pytest.raises(RecordingError, match="is damaged beyond use from byte 16 on"):
        Recording.open(path)


def test_a_block_of_a_newer_version_is_skipped(tmp_path):
    path = write_block(tmp_path / "newer.rec", 77, zlib.compress(b"newer"), 5)
    with Recording.open(path) as recording:
        assert (sequences(recording), recording.notes) == ([], [])


def read_all(path: Path) -> None:
    """Nothing but a RecordingError may come of it."""
    with suppress(RecordingError), Recording.open(path) as recording:
        sequences(recording)
        snapshots(recording)
        recording.changes()
        recording.marks()
        recording.engine()
        assert all(note.startswith(str(path)) for note in recording.notes)
        player = Player(recording)
        for _ in range(20):
            player.advance(10)
            player.seek(-7)
            assert player.playback.position_s >= 0


FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=6))
def test_changed_bytes_do_no_harm(recorded, tmp_path, flips):
    raw = bytearray(recorded.read_bytes())
    for at, bits in flips:
        raw[at % len(raw)] ^= bits
    (tmp_path / "flipped.rec").write_bytes(raw)
    read_all(tmp_path / "flipped.rec")


@FEW
@given(end=st.integers(0, 10**6), tail=st.binary(max_size=64))
def test_a_cut_does_no_harm(recorded, tmp_path, end, tail):
    raw = recorded.read_bytes()
    (tmp_path / "cut.rec").write_bytes(raw[: end % len(raw)] + tail)
    read_all(tmp_path / "cut.rec")


@FEW
@given(kind=st.sampled_from(list(BlockKind)), content=st.binary(min_size=1, max_size=200))
def test_garbage_with_good_checksums_does_no_harm(tmp_path, kind, content):
    read_all(write_block(tmp_path / "garbage.rec", kind, content, len(content), compression=0))
