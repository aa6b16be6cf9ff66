"""Engines that come, go, restart, die, and rings that are removed or damaged."""

from __future__ import annotations

import os
import shutil

import pytest

from rblntop_api.v1 import engine_pb2, telemetry_pb2
from rblntopd.probe import ring_format as fmt

SERVING, GONE, UNKNOWN = (
    engine_pb2.ENGINE_STATE_SERVING,
    engine_pb2.ENGINE_STATE_GONE,
    engine_pb2.ENGINE_STATE_UNSPECIFIED,
)


def engines(daemon):
    return list(daemon.telemetry.ListEngines(telemetry_pb2.ListEnginesRequest()).engines)


def snapshot(daemon, engine=""):
    return daemon.telemetry.GetSnapshot(telemetry_pb2.GetSnapshotRequest(engine=engine)).snapshot


def sequences(daemon, engine=""):
    request = telemetry_pb2.WatchStepsRequest(engine=engine, from_sequence=0, no_follow=True)
    return [step.sequence for message in daemon.telemetry.WatchSteps(request) for step in message.steps]


def log_lines(daemon, text):
    return [line for line in daemon.log.read_text().splitlines() if text in line]


def test_an_engine_that_comes_later_is_found(start_daemon, start_engine):
    daemon = start_daemon()
    assert engines(daemon) == []
    start_engine()
    assert [engine.name for engine in engines(daemon)] == ["tiny/0"]


def test_a_killed_engine_is_gone_and_its_last_state_can_be_read(engine, daemon, until):
    engine.steps(count=7)
    engine.kill()
    # Nobody asks for a list: the daemon sees it by itself.
    until(lambda: snapshot(daemon).engine.state == GONE)
    last = snapshot(daemon)
    assert (last.step, last.next_sequence, last.running) == (7, 7, 6)
    assert last.windows[1].decode_steps == 7
    assert sequences(daemon) == list(range(7))


def test_the_stream_of_steps_ends_with_its_engine(engine, daemon):
    stream = daemon.telemetry.WatchSteps(telemetry_pb2.WatchStepsRequest(from_sequence=0))
    engine.steps(count=3)
    engine.kill()
    assert [step.sequence for message in stream for step in message.steps] == [0, 1, 2]


def test_an_engine_that_ends_in_order_is_gone(engine, daemon, until):
    engine.steps(count=1)
    engine.close()
    until(lambda: snapshot(daemon).engine.state == GONE)


def test_a_restarted_engine_counts_its_restarts_and_the_old_one_can_be_read(start_engine, start_daemon):
    first = start_engine()
    daemon = start_daemon()
    first.steps(count=5)
    first.kill()
    second = start_engine()
    second.steps(count=2)
    (found,) = engines(daemon)
    assert (found.instance_id, found.restarts, found.state) == (second.instance_id, 1, SERVING)
    assert snapshot(daemon, "tiny/0").step == 2
    assert snapshot(daemon, first.instance_id).step == 5


def test_two_engines_of_one_name_are_told_apart_by_instance(start_engine, start_daemon):
    one, two = start_engine(), start_engine()
    daemon = start_daemon()
    assert {engine.instance_id for engine in engines(daemon)} == {one.instance_id, two.instance_id}
    assert all(engine.restarts == 0 for engine in engines(daemon))
    assert snapshot(daemon, one.instance_id).engine.pid == one.pid


def test_a_ring_that_was_removed_and_made_again_is_the_same_engine(engine, daemon, until):
    engine.steps(count=5)
    assert snapshot(daemon).next_sequence == 5
    engine.remake()
    engine.steps(count=2)
    until(lambda: snapshot(daemon).next_sequence == 7)
    (found,) = engines(daemon)
    assert (found.restarts, found.state) == (0, SERVING)
    assert snapshot(daemon).missed_records == 0
    assert sequences(daemon) == [5, 6]


def test_of_dead_rings_two_are_kept_for_each_name(start_engine, start_daemon, runtime, until):
    started = [start_engine() for _ in range(4)]
    for engine in started:
        engine.steps(count=1)
        engine.kill()
    living = start_engine()
    other = start_engine(name="other")
    other.kill()
    start_daemon()
    kept = {engine.path for engine in (*started[2:], living, other)}
    until(lambda: set((runtime / "engines").glob("*.ring")) == kept)


def test_of_an_old_engine_only_its_own_files_are_deleted(start_engine, start_daemon, runtime, until):
    started = [start_engine(control_socket="precious") for _ in range(3)]
    precious = runtime / "engines" / "precious"
    precious.touch()
    for engine in started:
        engine.kill()
    start_daemon()
    until(lambda: not started[0].path.with_suffix(".sock").exists())
    assert not started[0].path.exists()
    assert precious.exists()


def test_files_that_are_no_rings_are_skipped_with_one_line_each(engine, start_daemon, runtime):
    directory = runtime / "engines"
    good = engine.path.read_bytes()
    (directory / "garbage.ring").write_bytes(b"garbage" * 1000)
    (directory / "empty.ring").touch()
    (directory / "truncated.ring").write_bytes(good[:400_000])
    (directory / "old.ring").write_bytes(good[:8] + b"\0" + good[9:])
    (directory / "link.ring").symlink_to(engine.path)
    (directory / "directory.ring").mkdir()
    os.mkfifo(directory / "fifo.ring")
    (directory / "text.ring").write_bytes(good[:4096] + b"[1, 2]" + bytes(16378) + good[4096 + 16384 :])
    daemon = start_daemon()
    for _ in range(3):
        assert [found.instance_id for found in engines(daemon)] == [engine.instance_id]
    texts = {
        "garbage": "is not a ring file: it starts with b'garbageg'",
        "empty": "has 0 bytes, a ring's header has",
        "truncated": "has 400000 bytes, its records would end at byte",
        "old": f"ring format 0.{fmt.MINOR}, this side reads 1.x: restart the engine to update its probe",
        "link": "is a symbolic link, which is not followed",
        "directory": "is not a regular file",
        "fifo": "is not a regular file",
        "text": "its description is not a JSON object",
    }
    for name, text in texts.items():
        (line,) = log_lines(daemon, f"{name}.ring:")
        assert text in line


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to give a file away")
def test_a_ring_of_an_untrusted_user_is_skipped(engine, start_daemon, runtime):
    foreign = runtime / "engines" / "foreign.ring"
    shutil.copy(engine.path, foreign)
    os.chown(foreign, 65534, 65534)
    daemon = start_daemon()
    assert [found.instance_id for found in engines(daemon)] == [engine.instance_id]
    (line,) = log_lines(daemon, "foreign.ring:")
    assert "belongs to uid 65534, gid 65534" in line


def test_a_living_engine_of_another_ring_format_is_shown_as_what_it_is(engine, start_daemon):
    engine.overwrite(offset=8, text="0900")
    (found,) = engines(start_daemon())
    assert found.state == UNKNOWN
    assert found.notice == f"ring format 9.{fmt.MINOR}, this side reads 1.x: update rblntop here"


def test_a_ring_that_goes_bad_disturbs_no_other(start_engine, start_daemon, until):
    bad, good = start_engine(name="bad"), start_engine(name="good")
    daemon = start_daemon()
    assert len(engines(daemon)) == 2
    bad.kill()
    os.truncate(bad.path, 1000)
    good.steps(count=3)
    until(lambda: [engine.name for engine in engines(daemon)] == ["good"])
    assert snapshot(daemon).step == 3
    assert len(log_lines(daemon, bad.path.name + ":")) == 1
