"""``rblnctl record`` with a real daemon: what it keeps while engine and daemon come and go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rblntop.cli.ctl import rblnctl
from rblntop.cli.run import run_command
from rblntop.recording.frame import BlockKind
from rblntop.recording.reader import Recording
from rblntop_api.v1 import control_pb2, event_pb2, limits_pb2

WITH_ROOM = """
import os, resource, sys
room = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
os.execv(sys.argv[2], sys.argv[2:])
"""

Record = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def record(tmp_path: Path, runtime: Path) -> Iterator[Record]:
    """Starts a recorder; ``room`` bytes is as long as its file may get."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str, room: int | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rblntop.cli.ctl", "record", "-o", f"{tmp_path}/engine.rec"]
        command += options
        if room is not None:
            # No preexec_fn: with gRPC's threads in this process no Python may run between fork and exec.
            command = [sys.executable, "-c", WITH_ROOM, str(room), *command]
        process = subprocess.Popen(
            command,
            env={**os.environ, "RBLNTOP_ADDRESS": f"unix:{runtime}/rblntopd.sock"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def begun(process: subprocess.Popen[str]) -> str:
    """What it says when it records; from then on a signal ends it in good order."""
    line = next_line(process)
    assert line.startswith("recording "), line + process.communicate(timeout=30)[1]
    return line


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


def stopped(process: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def sequences(path: Path) -> list[int]:
    with Recording.open(path) as recording:
        return [step.sequence for run in recording.steps() for step in run.steps]


def read(path: Path, of: Callable[[Recording], Any]) -> Any:
    with Recording.open(path) as recording:
        return of(recording)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_every_step_since_it_began_is_in_the_file(engine, daemon, record, tmp_path, until, number):
    engine.steps(count=50)
    process = record("--json")
    assert begun(process) == f"recording tiny/0 into {tmp_path}/engine.rec\n"
    engine.steps(count=300)
    until(lambda: sequences(tmp_path / "engine.rec"))
    code, out, err = stopped(process, number)
    assert code == 0
    assert "300 steps" in err
    assert json.loads(out)["steps"] == 300
    assert sequences(tmp_path / "engine.rec") == list(range(50, 350))

    def check(recording: Recording) -> None:
        assert recording.notes == []
        assert recording.engine().instance_id == engine.instance_id
        assert recording.latest_snapshot().step >= 50
        run = next(iter(recording.steps()))
        # The wall clock of a step that has just run.
        wall_ns = run.steps[0].completed_ns + run.offset_ns
        assert abs(wall_ns - os.stat(engine.path).st_mtime_ns) < 600e9

    read(tmp_path / "engine.rec", check)


def test_it_ends_by_itself(engine, daemon, record, tmp_path):
    process = record("--for", "500ms")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err.splitlines()[-1].startswith(f"{tmp_path}/engine.rec: 0 steps, ")


def test_no_step_is_lost_while_the_daemon_is_away(engine, start_daemon, record, tmp_path):
    daemon = start_daemon()
    process = record()
    begun(process)
    engine.steps(count=20)
    daemon.end()
    assert "the daemon is away" in next_line(process)
    engine.steps(count=30)
    start_daemon()
    begun(process)
    engine.steps(count=10)
    # A snapshot after the daemon came back has the engine's last step: so have the steps, or will have.
    path = tmp_path / "engine.rec"
    assert stopped(process)[0] == 0
    assert sequences(path) == list(range(len(sequences(path))))
    assert [mark["mark"] for _, mark in read(path, lambda r: r.marks()) if "mark" in mark] == ["lost", "back"]


def test_steps_that_the_ring_no_longer_holds_are_a_gap(start_engine, start_daemon, record, tmp_path, until):
    engine = start_engine(capacity=100)
    daemon = start_daemon()
    process = record()
    begun(process)
    engine.steps(count=10)
    path = tmp_path / "engine.rec"
    until(lambda: sequences(path))
    daemon.end()
    assert "the daemon is away" in next_line(process)
    engine.steps(count=500)
    start_daemon()
    until(lambda: len(sequences(path)) > 10)
    assert "missed" in stopped(process)[2]
    runs = read(path, lambda recording: [(run.missed, len(run.steps)) for run in recording.steps()])
    assert runs == [(0, 10), (401, 99)]


def test_an_engine_that_is_restarted_is_recorded_on(start_engine, start_daemon, record, tmp_path, until):
    first = start_engine(instance_id="one")
    start_daemon()
    process = record()
    begun(process)
    first.steps(count=10)
    first.kill()
    second = start_engine(instance_id="two")
    second.steps(count=20)
    path = tmp_path / "engine.rec"

    def by_engine() -> dict[str, int]:
        found: dict[str, int] = {}
        for run in read(path, lambda recording: list(recording.steps())):
            found[run.engine.instance_id] = found.get(run.engine.instance_id, 0) + len(run.steps)
        return found

    until(lambda: "two" in by_engine())
    assert stopped(process)[0] == 0
    assert by_engine() == {"one": 10, "two": 20}


def test_changes_of_limits_are_recorded_with_who_made_them(engine, daemon, record, tmp_path):
    process = record()
    begun(process)
    engine.steps(count=10)
    daemon.control.SetLimits(
        control_pb2.SetLimitsRequest(
            changes=[control_pb2.LimitChange(kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, value=6)],
            reason="a test",
        )
    )
    engine.steps(count=10)
    assert stopped(process)[0] == 0
    (change,) = read(tmp_path / "engine.rec", lambda recording: recording.changes())
    assert (change.reason, change.values[0].new_value, change.engine) == ("a test", 6, "tiny/0")
    happened = read(tmp_path / "engine.rec", lambda recording: recording.events())
    assert [event.kind for event in happened if event.HasField("change")] == [
        event_pb2.EVENT_KIND_LIMITS_CHANGED
    ]
    assert len({event.id for event in happened}) == len(happened)
    out = tmp_path / "trace.json"
    code = run_command(
        rblnctl,
        ["export", "--format", "perfetto", "-o", str(out), "--recording", str(tmp_path / "engine.rec")],
    )
    assert code == 0
    instants = [event["name"] for event in json.loads(out.read_text())["traceEvents"] if event["ph"] == "i"]
    assert sorted(instants) == ["generation 1 in force", "set: max_num_seqs unset -> 6"]


def test_it_goes_on_with_a_file_only_when_told(engine, daemon, record, tmp_path):
    path = tmp_path / "engine.rec"
    for options in ((), ("--append",)):
        process = record("--for", "300ms", *options)
        process.communicate(timeout=30)
        assert process.returncode == 0
    process = record("--for", "300ms")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"{path}: is there already: --append goes on with it" in err
    assert len([mark for _, mark in read(path, lambda r: r.marks()) if "recorder" in mark]) == 2


def test_a_recording_of_another_engine_is_not_gone_on_with(start_engine, start_daemon, record, tmp_path):
    start_engine(name="a"), start_engine(name="b")
    start_daemon()
    record("a", "--for", "300ms").communicate(timeout=30)
    process = record("b", "--append")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "engine.rec: is a recording of a, not of b" in err


def test_it_ends_before_the_file_becomes_too_large(engine, daemon, record, tmp_path):
    process = record("--max-size", "9k")
    begun(process)
    engine.steps(count=4000)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "it ended at --max-size" in err
    assert (tmp_path / "engine.rec").stat().st_size <= 9_000
    assert read(tmp_path / "engine.rec", lambda recording: recording.notes) == []


def test_when_no_more_can_be_written_it_says_so_and_the_file_is_good(engine, daemon, record, tmp_path):
    process = record(room=9_000)
    begun(process)
    engine.steps(count=4000)
    engine.steps(count=4000)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Error: {tmp_path}/engine.rec: File too large" in err
    assert "which can be read" in err
    assert read(tmp_path / "engine.rec", lambda recording: recording.notes) == []


def test_without_a_daemon_nothing_is_made(runtime, record, tmp_path):
    process = record()
    process.communicate(timeout=30)
    assert process.returncode == 3
    assert not (tmp_path / "engine.rec").exists()


def test_the_file_tells_while_it_is_written_what_is_in_it(engine, daemon, record, tmp_path, until):
    process = record()
    begun(process)
    engine.spin(per_second=100)
    path = tmp_path / "engine.rec"
    with Recording.open(path) as recording:
        assert recording.growing
        until(lambda: recording.refresh() and list(recording.blocks(BlockKind.SNAPSHOTS)))
    assert stopped(process)[0] == 0
