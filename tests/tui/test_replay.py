"""A recording on the screen: the same dashboard, moved through time by keys. Time passes when told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from rblntop.app.replay_app import ReplayApp
from rblntop.app.widgets.change_panel import ChangePanel
from rblntop.cli.main import rblntop
from rblntop.cli.run import run_command
from rblntop.recording.reader import Recording
from rblntop.recording.recorder import Recorder
from rblntop.recording.writer import RecordingWriter
from rblntop.source.recorded import RecordedSource
from rblntop_api.v1 import engine_pb2, snapshot_pb2

SECOND = 1_000_000_000
START_NS = 1_760_000_000 * SECOND
"""2025-10-09 08:53:20 UTC."""


class VirtualTime:
    """A clock and a sleep that belong together."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._due_s = 0.0
        self._asleep = asyncio.Event()
        self._wake: asyncio.Future[None] | None = None

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self._due_s = self.now_s + seconds
        self._wake = asyncio.get_running_loop().create_future()
        self._asleep.set()
        await self._wake

    async def go_by(self, seconds: float) -> None:
        """Let time pass; all that was due has been done."""
        end_s = self.now_s + seconds + 1e-6
        await self._asleep.wait()
        while self._due_s <= end_s:
            self.now_s = self._due_s
            self._asleep.clear()
            assert self._wake is not None
            self._wake.set_result(None)
            await self._asleep.wait()


def snapshot(second: int) -> snapshot_pb2.Snapshot:
    """One in which as many requests wait as seconds have gone by."""
    found = snapshot_pb2.Snapshot(
        engine=engine_pb2.Engine(
            name="prod-70b/0", instance_id="boot-1", state=engine_pb2.ENGINE_STATE_SERVING, pp_size=2,
            group_count=2, batch_queue_depth=2, max_num_seqs=8, decode_buckets=[4],
        ),
        step=second * 10, running=7, waiting=second,
    )  # fmt: skip
    for group in range(2):
        found.groups.add(group=group, running=4 - group, decode_batch=4 - group, padded_batch=4)
    found.limits.limits.add(kind=1, scope=1, floor=2, ceiling=8, effective=8, available=True)
    found.time.FromNanoseconds(START_NS + second * SECOND)
    return found


def write(path: Path, seconds: range) -> RecordingWriter:
    writer = RecordingWriter.append_to(path, 1 << 30)
    recorder = Recorder(writer, START_NS, {})
    for second in seconds:
        recorder.add_snapshot(snapshot(second), START_NS + second * SECOND)
    recorder.flush(START_NS)
    return writer


@pytest.fixture
def minute(tmp_path: Path) -> Path:
    """A recording of a minute."""
    write(tmp_path / "minute.rec", range(60)).close()
    return tmp_path / "minute.rec"


Replay = Callable[..., AbstractAsyncContextManager[tuple[ReplayApp, Pilot, VirtualTime]]]


@pytest.fixture
def replay() -> Replay:
    """Opens a recording in the dashboard."""

    @asynccontextmanager
    async def open_replay(
        path: Path, size: tuple[int, int] = (120, 36)
    ) -> AsyncIterator[tuple[ReplayApp, Pilot, VirtualTime]]:
        time = VirtualTime()
        with Recording.open(path) as recording:
            app = ReplayApp(RecordedSource(recording, now_s=time.monotonic_s, sleep=time.sleep), clock=time)
            async with app.run_test(size=size) as pilot:
                await time.go_by(0)
                await pilot.pause()
                yield app, pilot, time

    return open_replay


async def test_it_plays_as_time_goes_by(replay, minute, text):
    async with replay(minute) as (app, pilot, time):
        assert "▶ REPLAY 1x  2025-10-09 08:53:20" in text(app)
        assert "prod-70b/0" in text(app)
        await time.go_by(12)
        await pilot.pause()
        assert "08:53:32" in text(app)
        assert app.scene.snapshot.waiting == 12
        assert "12 s of 59 s" in text(app)


@pytest.mark.parametrize("key", ["space", "p"])
async def test_a_pause_holds_it_and_nothing_becomes_stale(replay, minute, text, key):
    async with replay(minute) as (app, pilot, time):
        await time.go_by(5)
        await pilot.press(key)
        await time.go_by(30)
        app.redraw()
        await pilot.pause()
        assert "■ REPLAY paused" in text(app)
        assert "08:53:25" in text(app)
        assert "STALE" not in text(app)
        await pilot.press(key)
        await time.go_by(1.2)
        assert app.scene.snapshot.waiting == 6


async def test_one_snapshot_on_and_back(replay, minute, text):
    async with replay(minute) as (app, pilot, time):
        await pilot.press("full_stop", "full_stop", "comma")
        await time.go_by(5)
        assert app.scene.snapshot.waiting == 1
        assert "■ REPLAY paused" in text(app)


@pytest.mark.parametrize(
    ("keys", "second"),
    [
        (("right",), 10),
        (("right_square_bracket", "right", "left"), 10),
        (("end",), 59),
        (("end", "left_square_bracket"), 49),
        (("end", "home"), 0),
    ],
)
async def test_keys_go_through_time(replay, minute, keys, second):
    async with replay(minute) as (app, pilot, _):
        await pilot.press(*keys)
        assert app.scene.snapshot.waiting == second


async def test_faster_and_slower(replay, minute, text):
    async with replay(minute) as (app, pilot, time):
        await pilot.press("plus", "plus")
        await time.go_by(5)
        await pilot.pause()
        assert "REPLAY 4x" in text(app)
        assert app.scene.snapshot.waiting == 20
        await pilot.press("minus", "minus", "minus")
        await time.go_by(4)
        assert app.scene.snapshot.waiting == 22


async def test_at_the_end_it_stands(replay, minute, text):
    async with replay(minute) as (app, pilot, time):
        await pilot.press("end")
        await time.go_by(10)
        assert "■ REPLAY end" in text(app)


@pytest.mark.parametrize("key", ["M", "G"])
async def test_what_changes_an_engine_is_refused_with_the_reason(replay, minute, text, key):
    async with replay(minute) as (app, pilot, _):
        await pilot.press(key)
        assert "Read-only: this is a recording: what it shows has happened." in text(app)
        assert not app.query_one(ChangePanel).display


async def test_a_file_that_is_still_written_plays_up_to_its_end_and_follows(replay, tmp_path, text):
    path = tmp_path / "growing.rec"
    write(path, range(3)).close()
    writer = write(path, range(3, 5))
    async with replay(path) as (app, pilot, time):
        await time.go_by(6)
        await pilot.pause()
        assert app.scene.snapshot.waiting == 4
        assert "▶ REPLAY follows" in text(app)
        writer.close()
        write(path, range(5, 7)).close()
        await time.go_by(4)
        await pilot.pause()
        assert app.scene.snapshot.waiting == 6
        assert "■ REPLAY end" in text(app)


async def test_a_gap_is_told(replay, tmp_path, text):
    path = tmp_path / "gap.rec"
    write(path, range(3)).close()
    write(path, range(603, 606)).close()
    async with replay(path) as (app, pilot, time):
        await time.go_by(7)
        await pilot.pause()
        assert app.scene.snapshot.waiting == 603
        assert "gap of 10 min before this" in text(app)


async def test_a_file_that_became_shorter_ends_it_with_the_reason(replay, minute):
    async with replay(minute) as (app, pilot, time):
        os.truncate(minute, 100)
        time.now_s += 2
        time._wake.set_result(None)
        await pilot.pause()
    assert app.return_value == 1
    assert app.refusal.startswith(f"{minute}: became shorter while it was read")


async def test_help_has_the_keys_of_the_replay_first(replay, minute, text):
    async with replay(minute) as (app, pilot, _):
        await pilot.press("question_mark")
        await pilot.pause()
        assert "REPLAY" in text(app)
        assert "10 s on, 10 s back" in text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_last_line_has_the_keys_and_where_we_are(replay, minute, text, size):
    async with replay(minute, size=size) as (app, _, _):
        last = text(app).splitlines()[-1]
        assert "[space] pause" in last
        assert "0 s of 59 s" in last
        assert "group cap" not in last


def test_once_prints_the_last_snapshot(minute, capsys):
    assert run_command(rblntop, ["--once", "--replay", str(minute)]) == 0
    out = capsys.readouterr().out
    assert "REPLAY" in out.splitlines()[0]
    assert "2025-10-09 08:54:19" in out
    assert run_command(rblntop, ["--json", "--replay", str(minute)]) == 0
    assert '"waiting": 59' in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 100])
@pytest.mark.parametrize("options", [[], ["--once"], ["--json"]])
def test_what_is_no_recording_fails_with_one_line(tmp_path, capsys, monkeypatch, content, options):
    path = tmp_path / "odd.rec"
    if content is not None:
        path.write_bytes(content)
    for stream in ("sys.stdin", "sys.stdout"):
        monkeypatch.setattr(f"{stream}.isatty", lambda: True)
    assert run_command(rblntop, ["--replay", str(path), *options]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"Error: {path}: ")
    assert len(err.splitlines()) == 1


def test_a_recording_and_a_daemon_at_once_is_a_usage_error(minute):
    assert run_command(rblntop, ["--replay", str(minute), "--connect", "unix:/x"]) == 2
