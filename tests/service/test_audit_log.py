"""The audit log of real daemons: complete, true and in the way of nothing that makes an engine safer."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import grpc
import pytest
from tests.service.conversation import (
    REFUSED,
    UNKNOWN,
    action,
    ask_identity,
    cancel,
    cap,
    changes,
    close,
    max_num_seqs,
    open_again,
    refusal,
    reset,
    set_limits,
    set_request,
    told,
)
from tests.service.test_several_engines import in_the_background

from rblntopd.probe.control_format import Op

LONG_S = 1000
AS_NOBODY = """
import os, socket, sys
connection = socket.socket(socket.AF_UNIX)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with connection:
    connection.connect(sys.argv[1])
    print(connection.makefile().readline(), end="")
"""


def kill(daemon):
    daemon.process.kill()
    daemon.process.wait()


def restart(start_engine, engine, **settings):
    engine.kill()
    return start_engine(**settings)


@pytest.fixture
def full_disk(runtime):
    """A state directory on a disk that can be filled."""
    if os.geteuid() != 0:
        pytest.skip("needs to mount a file system")
    directory = runtime.parent / "full"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(directory)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def fill(directory):
    with open(directory / "filler", "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def test_a_change_is_told_with_all_that_is_known_of_it(engine, daemon):
    engine.steps(count=3)
    token = ask_identity(daemon.socket.with_name("rblntopd-id.sock"))["token"]
    request = set_request(max_num_seqs(6), cap(1, 2), reason="peak load")
    daemon.control.SetLimits(request, metadata=(("rblntop-identity", token),))
    (change,) = changes(daemon)
    assert (change.engine, change.instance_id) == ("tiny/0", engine.instance_id)
    assert (action(change), change.reason, change.generation, change.step) == ("SET", "peak load", 1, 3)
    assert [(value.group, value.HasField("old_value"), value.new_value) for value in change.values] == [
        (0, False, 6), (1, False, 2),
    ]  # fmt: skip
    assert (change.caller.uid, change.caller.verified) == (os.geteuid(), True)
    assert change.caller.name.startswith(f"uid {os.geteuid()} (")


def test_a_call_without_a_token_is_logged_as_what_it_is(engine, daemon):
    set_limits(daemon, max_num_seqs(6))
    caller = changes(daemon)[0].caller
    assert (caller.name, caller.verified) == ("operator socket, unverified", False)
    assert not caller.HasField("uid")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become somebody else")
def test_who_somebody_is_comes_from_the_kernel_and_not_from_them(engine, daemon):
    # Somebody who has been let in by file modes: the service's own way to let operators in.
    path = daemon.socket.with_name("rblntopd-id.sock")
    for directory in (path.parent.parent, path.parent):
        os.chmod(directory, 0o711)
    os.chmod(path, 0o666)
    child = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(path)], capture_output=True, text=True, check=True
    )
    identity = json.loads(child.stdout)
    assert identity["uid"] == 65534
    metadata = (("rblntop-identity", identity["token"]),)
    daemon.control.SetLimits(set_request(max_num_seqs(6)), metadata=metadata)
    assert changes(daemon)[0].caller.uid == 65534


def test_only_the_owner_may_ask_who_he_is(daemon):
    assert stat.S_IMODE(os.stat(daemon.socket.with_name("rblntopd-id.sock")).st_mode) == 0o600


def test_requests_that_are_refused_are_told_with_the_reason(engine, daemon):
    refusal(set_limits, daemon, max_num_seqs(99), reason="typo")
    refusal(cancel, daemon, "ghost")
    cancelled, typo = changes(daemon)
    assert {typo.result, cancelled.result} == {REFUSED}
    assert typo.detail == "changes[0].value (max_num_seqs)=99: allowed is 2..8"
    assert cancelled.detail == "engine tiny/0 refused: no change is on trial"


def test_what_is_validated_only_leaves_no_line(engine, daemon):
    set_limits(daemon, max_num_seqs(4), validate_only=True)
    refusal(set_limits, daemon, max_num_seqs(99), validate_only=True)
    assert changes(daemon) == []


def test_changes_made_directly_at_the_probe_are_told_also_while_no_daemon_ran(engine, start_daemon):
    first = start_daemon()
    engine.do(op=Op.SET_LIMITS, max_num_seqs=6, caller="uid 0 (root), direct")
    assert told(first) == [("SET", "DONE")]
    kill(first)
    engine.do(op=Op.RESET, caller="uid 0 (root), direct")
    second = start_daemon()
    assert told(second) == [("SET", "DONE"), ("RESET", "DONE")]
    assert not changes(second)[0].caller.verified
    kill(second)
    assert len(changes(start_daemon())) == 2


def test_a_ring_that_is_made_again_is_not_told_again(engine, daemon, until):
    set_limits(daemon, max_num_seqs(6))
    assert len(changes(daemon)) == 1
    engine.remake()
    set_limits(daemon, max_num_seqs(4))
    until(lambda: len(changes(daemon)) >= 2)
    assert told(daemon) == [("SET", "DONE")] * 2


def test_a_daemon_that_dies_before_the_engine_did_it_leaves_it_unknown(engine, start_daemon, until):
    first = start_daemon()
    engine.hold(ops=[Op.SET_LIMITS])
    call, _ = in_the_background(set_limits, first, max_num_seqs(4), reason="night")
    until(lambda: engine.holds()["holds"])
    kill(first)
    call.join()
    engine.release(carry_out=False)
    second = start_daemon()
    (change,) = changes(second)
    assert (change.result, change.reason, change.values[0].new_value) == (UNKNOWN, "night", 4)
    assert engine.state()["generation"] == 0


def test_what_the_engine_did_after_its_daemon_died_is_told_with_who_asked(engine, start_daemon, until):
    first = start_daemon()
    token = ask_identity(first.socket.with_name("rblntopd-id.sock"))["token"]
    engine.hold(ops=[Op.SET_LIMITS])
    call, _ = in_the_background(
        first.control.SetLimits, set_request(max_num_seqs(4)), metadata=(("rblntop-identity", token),)
    )
    until(lambda: engine.holds()["holds"])
    kill(first)
    call.join()
    engine.release(carry_out=True)
    until(lambda: engine.state()["generation"] == 1)
    (change,) = changes(start_daemon())
    assert (action(change), change.caller.uid, change.caller.verified) == ("SET", os.geteuid(), True)


def test_a_full_disk_stops_what_could_do_harm_before_it_is_done_and_nothing_else(
    engine, start_daemon, full_disk, until
):
    daemon = start_daemon("--state-dir", str(full_disk))
    set_limits(daemon, max_num_seqs(4), ttl=LONG_S, change_id="c1")
    until(lambda: len(changes(daemon)) == 1)
    fill(full_disk)
    # What is left of the log's last page takes some lines yet, of requests that change nothing.
    until(
        lambda: (
            refusal(close, daemon, until_opened=True, expected_generation=99)[2].reason
            == "AUDIT_LOG_UNWRITABLE"
        )
    )
    code, text, info = refusal(close, daemon, until_opened=True)
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "AUDIT_LOG_UNWRITABLE")
    assert text.startswith(f"nothing was changed: the audit log {full_disk}/audit.jsonl cannot be written")
    assert text.endswith("No space left on device")
    assert not engine.state()["closed"]
    cancel(daemon, "c1")
    refusal(set_limits, daemon, max_num_seqs(6))
    reset(daemon)
    open_again(daemon)
    assert (engine.state()["generation"], engine.state()["max_num_seqs"]) == (2, None)
    (full_disk / "filler").unlink()
    until(lambda: ("CANCEL", "DONE") in told(daemon))
    set_limits(daemon, max_num_seqs(6))
    assert [found for found in told(daemon) if found[1] == "DONE"] == [
        ("TRY", "DONE"), ("CANCEL", "DONE"), ("SET", "DONE"),
    ]  # fmt: skip
    refused = [action(change) for change in changes(daemon) if change.result == REFUSED]
    assert refused[:2] == ["SET", "CLOSE"]


def test_a_state_directory_that_another_daemon_has_stops_changes_and_not_the_daemon(
    engine, daemon, start_daemon, runtime
):
    other = start_daemon("--listen", f"unix:{runtime}/other/rblntopd.sock")
    other.channel.close()
    with grpc.insecure_channel(f"unix:{runtime}/other/rblntopd.sock") as channel:
        grpc.channel_ready_future(channel).result(timeout=30)
        other.control = type(other.control)(channel)
        _, text, info = refusal(set_limits, other, max_num_seqs(4))
    assert info.reason == "AUDIT_LOG_UNWRITABLE"
    assert f"rblntopd with pid {daemon.process.pid} writes it: give this one another --state-dir" in text


def test_a_restart_of_the_engine_is_told_with_the_limits_it_lost(start_engine, start_daemon, until):
    engine = start_engine()
    daemon = start_daemon()
    set_limits(daemon, max_num_seqs(6), cap(1, 2))
    set_limits(daemon, max_num_seqs(4), ttl=LONG_S)
    second = restart(start_engine, engine)
    until(lambda: ("RESTART", "DONE") in told(daemon))
    lost = changes(daemon)[0]
    assert (lost.instance_id, lost.caller.name) == (second.instance_id, "probe")
    assert lost.detail == ("the limits are the engine's own again; were: max_num_seqs=6, cap of group 1=2")
    assert "was restarted: its limits are its own again" in daemon.log.read_text()
    assert second.state()["generation"] == 0
    # The next daemon says it no second time.
    kill(daemon)
    assert [found for found in told(start_daemon()) if found[0] == "RESTART"] == [("RESTART", "DONE")]


def test_a_restart_without_limits_is_no_change(start_engine, start_daemon):
    engine = start_engine()
    daemon = start_daemon()
    set_limits(daemon, max_num_seqs(6))
    reset(daemon)
    restart(start_engine, engine)
    set_limits(daemon, max_num_seqs(4))
    assert [found for found, _ in told(daemon)] == ["SET", "RESET", "SET"]


def test_a_restart_while_no_daemon_ran_is_told(start_engine, start_daemon, until):
    engine = start_engine()
    first = start_daemon()
    set_limits(first, max_num_seqs(6))
    kill(first)
    restart(start_engine, engine)
    daemon = start_daemon()
    until(lambda: told(daemon) == [("SET", "DONE"), ("RESTART", "DONE")])


def test_limits_are_set_again_where_the_operator_has_chosen_that(start_engine, start_daemon, until):
    engine = start_engine()
    daemon = start_daemon("--reapply-limits")
    set_limits(daemon, max_num_seqs(6), cap(1, 2))
    set_limits(daemon, max_num_seqs(4), ttl=LONG_S)
    second = restart(start_engine, engine)
    until(lambda: second.state()["generation"])
    assert (second.state()["max_num_seqs"], second.state()["caps"]) == (6, [None, 2])
    until(lambda: ("REAPPLY", "DONE") in told(daemon))
    applied = changes(daemon)[0]
    assert (applied.caller.name, applied.caller.verified) == ("rblntopd", True)
    assert applied.reason == "as before the restart"


def test_changes_of_engines_that_are_gone_can_be_listed(start_engine, start_daemon):
    engine, other = start_engine(), start_engine(name="other/0", model="other")
    daemon = start_daemon()
    set_limits(daemon, max_num_seqs(6), engine="tiny/0")
    set_limits(daemon, max_num_seqs(4), engine="other/0")
    engine.kill()
    for selector in ("tiny/0", "tiny/*", "model:tiny", engine.instance_id):
        (change,) = changes(daemon, engine=selector)
        assert change.engine == "tiny/0"
    assert [change.engine for change in changes(daemon)] == ["other/0", "tiny/0"]
    assert [change.engine for change in changes(daemon, limit=1)] == ["other/0"]
    assert changes(daemon, engine="nobody") == []
    latest = changes(daemon)[0].time
    assert changes(daemon, since=latest) == []
    assert len(changes(daemon, since=changes(daemon)[1].time)) == 1
    _, text, _ = refusal(changes, daemon, limit=10_001)
    assert text == "limit=10001: allowed is 0..10000"
    assert other.state()["max_num_seqs"] == 4
