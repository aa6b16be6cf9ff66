"""How a recording is played: by a time that is told."""

from __future__ import annotations

import pytest

from rblntop.recording.errors import RecordingError
from rblntop.recording.frame import BlockKind
from rblntop.recording.player import Player
from rblntop.recording.reader import Recording
from rblntop.recording.recorder import Recorder
from rblntop.recording.writer import RecordingWriter

from .conftest import SECOND, START_NS, record, snapshot_at


@pytest.fixture
def player(recorded):
    with Recording.open(recorded) as recording:
        yield Player(recording)


def at(player: Player) -> int:
    """Seconds since the recording began."""
    return player.snapshot.step // 10


def test_it_begins_at_the_first_snapshot(player):
    assert at(player) == 0
    playback = player.playback
    assert (playback.position_s, playback.length_s, playback.speed) == (0, 59, 1)
    assert (playback.paused, playback.at_end, playback.growing) == (False, False, False)


def test_a_frame_comes_when_it_is_due(player):
    assert not player.advance(0.6)
    assert player.advance(0.6)
    assert at(player) == 1
    assert player.advance(10)
    assert at(player) == 11


@pytest.mark.parametrize(
    ("faster", "second"), [(0, 10), (1, 20), (2, 40), (-1, 5), (-2, 2), (-9, 2), (99, 59)]
)
def test_speed(player, faster, second):
    player.faster(faster)
    player.advance(10)
    assert at(player) == second


def test_a_pause_stops_it_and_it_goes_on(player):
    player.toggle()
    assert not player.advance(10)
    assert player.playback.paused
    player.toggle()
    player.advance(3)
    assert at(player) == 3


def test_steps_pause_and_stay_within(player):
    player.step(-1)
    assert (at(player), player.paused) == (0, True)
    for _ in range(3):
        player.step(1)
    player.step(-1)
    assert at(player) == 2


def test_seeking_stays_within(player):
    for by, second in ((10, 10), (10, 20), (-10, 10), (60, 59), (-10, 49), (-100, 0)):
        player.seek(by)
        assert at(player) == second


def test_at_the_end_it_stands_and_begins_anew(player):
    player.to_end()
    assert player.playback.at_end
    assert not player.advance(100)
    player.toggle()
    assert (at(player), player.paused) == (0, False)


def test_a_gap_is_told_and_played_in_five_seconds(tmp_path):
    path = record(tmp_path / "gap.rec", seconds=10)
    record(path, begin=3600, seconds=10, append=True)
    with Recording.open(path) as recording:
        player = Player(recording)
        player.advance(9 + 4.9)
        assert (at(player), player.playback.gap_s) == (9, 0)
        player.advance(0.1)
        assert (at(player), player.playback.gap_s) == (3600, 3591)
        player.advance(1)
        assert (at(player), player.playback.gap_s) == (3601, 0)
        player.seek(-10)
        assert at(player) == 9


def test_a_recording_that_is_still_written_is_followed(tmp_path):
    path = tmp_path / "growing.rec"
    writer = RecordingWriter.create(path, 1 << 20)
    recorder = Recorder(writer, START_NS, {})
    recorder.add_snapshot(snapshot_at(0), START_NS)
    recorder.flush(START_NS)
    with Recording.open(path) as recording:
        player = Player(recording)
        player.advance(100)
        assert (player.playback.at_end, player.playback.growing) == (True, True)
        recorder.add_snapshot(snapshot_at(1), START_NS + SECOND)
        recorder.flush(START_NS + SECOND)
        player.refresh()
        player.advance(1)
        assert at(player) == 1
        writer.close()
        assert not player.playback.growing


def test_a_damaged_block_is_left_out(recorded):
    with Recording.open(recorded) as recording:
        first, second, *_ = recording.blocks(BlockKind.SNAPSHOTS)
    raw = bytearray(recorded.read_bytes())
    raw[second.offset + 3] ^= 1
    recorded.write_bytes(raw)
    with Recording.open(recorded) as recording:
        player = Player(recording)
        player.seek(first.items)
        assert at(player) == first.items + second.items
        player.step(-1)
        assert at(player) == first.items - 1


def test_a_recording_without_snapshots_is_refused(tmp_path):
    writer = RecordingWriter.create(tmp_path / "none.rec", 1 << 20)
    Recorder(writer, START_NS, {})
    writer.close()
    with (
        Recording.open(tmp_path / "none.rec") as recording,
        pytest.raises(RecordingError, match=r"none\.rec: holds no snapshot"),
    ):
        Player(recording)


def test_a_clock_that_was_set_back_holds_nothing_up(tmp_path):
    writer = RecordingWriter.create(tmp_path / "back.rec", 1 << 20)
    recorder = Recorder(writer, START_NS, {})
    for second in (100, 101, 3, 4):
        recorder.add_snapshot(snapshot_at(second), START_NS + second * SECOND)
    recorder.flush(START_NS)
    writer.close()
    with Recording.open(tmp_path / "back.rec") as recording:
        player = Player(recording)
        player.advance(2)
        assert at(player) == 4
        assert player.playback.position_s >= 0
