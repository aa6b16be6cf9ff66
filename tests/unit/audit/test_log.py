"""The audit log follows journals, survives its daemon, and never blocks what makes an engine safer."""

from __future__ import annotations

import asyncio
import errno
import os

import pytest

from rblntopd.audit import lines, log_file
from rblntopd.audit.caller import DAEMON, user
from rblntopd.audit.log import AuditLog
from rblntopd.audit.log_file import AuditLogError, LogFile
from rblntopd.probe.ring_format import JOURNAL_CAPACITY, Action

OPS = user(7, "ops")


@pytest.fixture
def start_log(tmp_path):
    """A daemon's log, as often as a daemon is started."""
    started = []

    def start(*engines):
        for old in started:
            old._files.close()
        started.append(AuditLog(tmp_path / "state", lambda: [engine.seen for engine in engines]))
        return started[-1]

    yield start
    for log in started:
        log._files.close()
        log._writer.shutdown()


async def shown(log, limit=1000, since=""):
    return await log.changes(lambda line: True, limit, since)


def actions(found):
    return [(line["line"], line.get("action")) for line in found]


async def test_what_the_probe_did_is_in_the_log_once(make_engine, start_log):
    engine = make_engine()
    engine.change()
    log = start_log(engine)
    await log.catch_up()
    engine.change(Action.REVERT, caller="probe", old=4, new=0)
    assert actions(await shown(log)) == [("done", "REVERT"), ("done", "SET")]
    assert len(await shown(log)) == 2


async def test_the_next_daemon_goes_on_where_the_last_one_ended(make_engine, start_log):
    engine = make_engine()
    engine.change()
    await start_log(engine).catch_up()
    engine.change(Action.TRY)
    engine.change(Action.REVERT)
    found = await shown(start_log(engine))
    assert [line["journal"] for line in found] == [3, 2, 1]


async def test_it_goes_on_also_where_the_file_was_rotated_in_between(make_engine, start_log, monkeypatch):
    monkeypatch.setattr(LogFile.__init__, "__defaults__", (1000, 8))
    engine, quiet = make_engine(), make_engine("quiet")
    quiet.change()
    log = start_log(engine, quiet)
    for _ in range(6):
        engine.change()
        await log.catch_up()
    assert len(log._files.newest_first()) > 1
    found = await shown(start_log(engine, quiet))
    assert len(found) == 7


async def test_a_journal_that_went_over_leaves_a_line_about_the_gap(make_engine, start_log):
    engine = make_engine()
    engine.change()
    await start_log(engine).catch_up()
    for _ in range(JOURNAL_CAPACITY + 5):
        engine.change()
    found = await shown(start_log(engine))
    (gap,) = [line for line in found if line["line"] == "gap"]
    assert gap["detail"] == "5 changes are missing: the engine's journal no longer had them"
    assert len(found) == 1 + 1 + JOURNAL_CAPACITY


async def test_a_change_has_the_caller_that_was_verified_and_not_what_the_journal_says(
    make_engine, start_log
):
    engine = make_engine()
    log = start_log(engine)
    await log.write(lines.intent(engine.seen, "SET", OPS))
    engine.change(caller=OPS.name)
    engine.change(caller=OPS.name)
    direct, asked = await shown(log)
    assert asked["caller"] == {"name": "uid 7 (ops)", "verified": True, "uid": 7}
    assert direct["caller"] == {"name": "uid 7 (ops)", "verified": False}


async def test_what_the_probe_does_by_itself_cannot_be_claimed_by_anybody(make_engine, start_log):
    engine = make_engine()
    engine.change(Action.REVERT, caller="uid 0 (root)")
    engine.change(Action.SET, caller="probe")
    forged, reverted = await shown(start_log(engine))
    assert reverted["caller"] == {"name": "probe", "verified": True}
    assert forged["caller"] == {"name": "probe", "verified": False}


async def test_texts_of_a_journal_cannot_control_a_terminal(make_engine, start_log):
    engine = make_engine()
    engine.change(reason=b"\x1b]0;evil\x07\xff", caller="a\nb")
    (found,) = await shown(start_log(engine))
    assert (found["reason"], found["caller"]["name"]) == (" ]0;evil \ufffd", "a b")


async def test_an_intent_that_a_dead_daemon_left_is_unknown(make_engine, start_log):
    engine = make_engine()
    await start_log(engine).write(lines.intent(engine.seen, "SET", OPS))
    (found,) = await shown(start_log(engine))
    assert (found["line"], found["caller"]["name"]) == ("unknown", "uid 7 (ops)")
    assert found["detail"].startswith("the daemon ended before the engine had answered")


async def test_an_intent_that_a_dead_daemon_left_is_settled_by_the_journal(make_engine, start_log):
    engine = make_engine()
    await start_log(engine).write(lines.intent(engine.seen, "SET", OPS))
    engine.change(caller=OPS.name)
    (found,) = await shown(start_log(engine))
    assert (found["line"], found["caller"]["verified"]) == ("done", True)


async def test_what_was_called_unknown_and_is_done_after_all_is_told_once(make_engine, start_log):
    engine = make_engine()
    log = start_log(engine)
    intent = lines.intent(engine.seen, "SET", OPS)
    await log.write(intent)
    log.write_soon(lines.outcome(intent, "unknown", "no answer"))
    await log.catch_up()
    engine.change(caller=OPS.name)
    (found,) = await shown(start_log(engine))
    assert (found["line"], found["intent"]) == ("done", intent["id"])


async def test_a_detach_settles_its_intent_only_with_its_second_entry(make_engine, start_log):
    engine = make_engine()
    log = start_log(engine)
    await log.write(lines.intent(engine.seen, "DETACH", OPS))
    engine.change(Action.RESET, caller=OPS.name)
    engine.change(Action.DETACH, caller=OPS.name)
    found = await shown(log)
    assert [(line["action"], line["caller"]["verified"]) for line in found] == [
        ("DETACH", True), ("RESET", True),
    ]  # fmt: skip
    assert not log._standing.open


async def test_a_limit_set_again_is_called_so(make_engine, start_log):
    engine = make_engine()
    log = start_log(engine)
    await log.write(lines.intent(engine.seen, lines.REAPPLY, DAEMON))
    engine.change(caller=DAEMON.name)
    assert actions(await shown(log)) == [("done", "REAPPLY")]


async def test_a_full_disk_refuses_what_must_be_logged_first_and_keeps_the_rest(
    make_engine, start_log, monkeypatch
):
    engine = make_engine()
    log = start_log(engine)
    await log.catch_up()

    def full(file, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(log_file.os, "write", full)
        with pytest.raises(AuditLogError, match="No space left on device"):
            await log.write(lines.intent(engine.seen, "SET", OPS))
        log.write_soon(lines.intent(engine.seen, "RESET", OPS))
        engine.change(Action.RESET, caller=OPS.name)
        # What waits for the disk is shown all the same.
        assert actions(await shown(log)) == [("unknown", "RESET")]
    found = await shown(log)
    assert [(*of[0], of[1]["caller"]["verified"]) for of in zip(actions(found), found, strict=True)] == [
        ("done", "RESET", True)
    ]


async def test_lines_that_a_broken_disk_never_takes_are_bounded_and_counted(
    make_engine, start_log, monkeypatch
):
    monkeypatch.setattr("rblntopd.audit.log.MAX_WAITING", 3)
    engine = make_engine()
    log = start_log(engine)
    log._waiting = type(log._waiting)(maxlen=3)
    for _ in range(5):
        log.write_soon(lines.outcome(lines.intent(engine.seen, "SET", OPS), "refused", "no"))
    found = await shown(log)
    assert sorted(line.get("detail") for line in found) == [
        "2 lines were lost while the log could not be written", "no", "no", "no",
    ]  # fmt: skip


async def test_a_disk_that_hangs_is_not_waited_for(make_engine, start_log, monkeypatch):
    engine = make_engine()
    log = start_log(engine)
    await log.catch_up()
    monkeypatch.setattr("rblntopd.audit.log.WRITE_TIMEOUT_S", 0.05)
    let_go = asyncio.Event()
    loop = asyncio.get_running_loop()
    real = os.fdatasync

    def stuck(file):
        asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result()
        real(file)

    monkeypatch.setattr(log_file.os, "fdatasync", stuck)
    with pytest.raises(AuditLogError, match=r"gave no answer in 0\.05 s"):
        await log.write(lines.intent(engine.seen, "SET", OPS))
    with pytest.raises(AuditLogError, match="has not taken the last line yet"):
        await log.write(lines.intent(engine.seen, "SET", OPS))
    let_go.set()
    await log._late
    await log.write(lines.intent(engine.seen, "SET", OPS))


async def test_a_log_that_another_daemon_has_is_taken_over_when_it_ends(make_engine, start_log, tmp_path):
    other = LogFile(tmp_path / "state")
    other.open()
    engine = make_engine()
    engine.change()
    log = start_log(engine)
    await log.catch_up()
    with pytest.raises(AuditLogError, match="give this one another --state-dir"):
        await log.write(lines.intent(engine.seen, "SET", OPS))
    other.close()
    assert actions(await shown(log)) == [("done", "SET")]


async def test_older_changes_than_asked_for_are_left_out(make_engine, start_log):
    engine = make_engine()
    engine.change(real_ns=1_000_000_000 * 10**9)
    engine.change(real_ns=1_000_000_100 * 10**9)
    log = start_log(engine)
    assert [line["journal"] for line in await shown(log, limit=1)] == [2]
    since = lines.time_text(1_000_000_050 * 10**9)
    assert [line["journal"] for line in await shown(log, since=since)] == [2]


async def test_what_was_just_asked_for_is_no_change_yet(make_engine, start_log):
    engine = make_engine()
    log = start_log(engine)
    await log.catch_up()
    await log.write(lines.intent(engine.seen, "SET", OPS))
    assert await shown(log) == []


@pytest.mark.parametrize(
    "damaged",
    [
        '{"line":"several","change_id":"x","stage":"keep"}',
        '{"line":"several","change_id":"x","stage":"keep","time":"2026-11-21T06:00:00.000000Z","instances":3}',
        '{"line":"intent","id":"x","instance":"one","action":"SET","caller":{"name":"ops"}}',
        '{"line":"intent","id":7,"instance":"one","action":"SET","caller":{"name":"ops"},"time":""}',
        '{"line":"carry","positions":{"one":"many"},"open":[],"several":[]}',
        '{"line":"carry","positions":{},"open":[],"several":[{"change_id":"x","stage":"keep"}]}',
    ],
)
async def test_a_line_that_lacks_what_is_needed_is_passed_over(make_engine, start_log, tmp_path, damaged):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "audit.jsonl").write_text(damaged + "\n")
    engine = make_engine()
    engine.change()
    log = start_log(engine)
    await log.catch_up()
    assert log.several() == []
    assert actions(await shown(log)) == [("done", "SET")]
