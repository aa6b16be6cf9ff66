"""``rblnctl confirm``, ``cancel``, ``reset``, ``admission`` and ``changes``."""

from __future__ import annotations

import json
import re
import time

import grpc
import pytest

from rblntop_api.v1 import control_pb2, limits_pb2


async def test_confirm_keeps_a_change(ctl, daemon):
    code, out, _ = await ctl("confirm", "abc", "--reason", "faster")
    assert (code, out) == (0, "demo/0: change abc is kept; generation 4, admits up to 8\n")
    assert daemon.requests == [control_pb2.ConfirmChangeRequest(change_id="abc", reason="faster")]


async def test_confirm_can_give_it_more_time(ctl, daemon):
    code, out, _ = await ctl("confirm", "abc", "--extend", "1h30m", "--engine", "demo/0")
    assert code == 0
    assert "demo/0: change abc stays on trial, for another 90 min;" in out
    request = daemon.requests[0]
    assert (request.engine, request.extend.seconds) == ("demo/0", 5400)


async def test_cancel_undoes_a_change(ctl, daemon):
    code, out, _ = await ctl("cancel", "abc")
    assert (code, out) == (0, "demo/0: change abc is undone; generation 4, admits up to 8\n")
    assert daemon.requests == [control_pb2.CancelChangeRequest(change_id="abc")]


@pytest.mark.parametrize(
    ("reason", "metadata", "hint"),
    [
        ("NO_TRIAL", {}, "rblnctl changes tells how it ended."),
        ("WRONG_ID", {"change_id": "xyz"}, "On trial is: xyz"),
        ("WRONG_ID", {}, "rblnctl show names the change on trial."),
        ("TRIAL_PENDING", {}, "Keep it: rblnctl confirm ID   Undo it: rblnctl cancel ID   (rblnctl show"),
        ("AUDIT_LOG_UNWRITABLE", {}, "What makes an engine safer still works: rblnctl cancel"),
        ("ENGINE_SILENT", {}, "rblnctl show tells what it does"),
        ("ELSE", {}, ""),
    ],
)
async def test_a_refusal_says_what_to_do_next(ctl, daemon, refusal_of, reason, metadata, hint):
    daemon.refuse = refusal_of(grpc.StatusCode.FAILED_PRECONDITION, "no", reason, **metadata)
    code, _, err = await ctl("confirm", "abc")
    assert code == 1
    first, *rest = err.splitlines()
    assert first == "Error: no"
    assert "".join(rest).startswith(hint)
    assert bool(rest) == bool(hint)


async def test_a_change_that_was_not_answered_may_have_been_made(daemon):
    from rblntop.cli.next_step import without_daemon
    from rblntop.client import Client, UnreachableError

    daemon.hang = True
    async with Client(daemon.address, change_deadline_s=0.05) as client:
        with pytest.raises(UnreachableError) as caught:
            await client.reset()
    assert "may have been made" in without_daemon(caught.value, direct=True, changing=True)
    assert "--direct" in without_daemon(caught.value, direct=True, changing=False)


async def test_reset(ctl, daemon):
    daemon.changed.warnings.append("admission stays closed")
    code, out, err = await ctl("reset", "demo/0", "--reason", "done")
    assert (code, out) == (0, "demo/0: limits are those of the start; generation 4, admits up to 8\n")
    assert err == "warning: demo/0: admission stays closed\n"
    assert daemon.requests == [control_pb2.ResetLimitsRequest(engine="demo/0", reason="done")]


async def test_reset_and_detach_asks_at_a_terminal_only(ctl, terminal, daemon):
    code, out = await terminal("n\n", "reset", "--detach")
    assert code == 1
    assert "neither watched nor steered" in out[0]
    assert out[-1].endswith("Nothing was changed.")
    assert daemon.requests == []

    code, text, _ = await ctl("reset", "--detach")
    assert code == 0
    assert "and the probe is out" in text
    assert daemon.requests[-1].detach


async def test_a_dry_run_of_a_reset(ctl, daemon):
    code, out, _ = await ctl("reset", "--dry-run")
    assert (code, out.startswith("demo/0: would be reset;")) == (0, True)
    assert daemon.requests[-1].validate_only


async def test_admission_is_closed_for_a_time(ctl, daemon):
    daemon.changed.limits.admission_state.closed = True
    code, out, _ = await ctl("admission", "close", "demo/0", "--for", "30m", "--expect-generation", "3")
    assert (code, out) == (0, "demo/0: admission is closed for 30 min; generation 4, admits none\n")
    request = daemon.requests[0]
    assert (request.engine, request.ttl.seconds, request.expected_generation) == ("demo/0", 1800, 3)


async def test_admission_is_closed_until_it_is_opened(ctl, daemon):
    code, out, _ = await ctl("admission", "close", "--until-opened")
    assert code == 0
    assert "closed until it is opened" in out
    assert daemon.requests[0].until_opened


async def test_closing_at_a_terminal_shows_whom_it_concerns_and_asks(terminal, daemon):
    code, out = await terminal("y\n", "admission", "close", "--for", "30m")
    assert code == 0
    assert out[0] == ("demo/0: 7 running requests finish; 3 waiting ones, and all that come, wait for 30 min")
    assert out[1].startswith("Close? [y/N]: ")
    closing = [r for r in daemon.requests if isinstance(r, control_pb2.CloseAdmissionRequest)]
    assert [request.validate_only for request in closing] == [True, False]


async def test_admission_is_opened(ctl, daemon):
    code, out, _ = await ctl("admission", "open", "demo/0")
    assert (code, out) == (0, "demo/0: admission is open; generation 4, admits up to 8\n")
    assert daemon.requests == [control_pb2.OpenAdmissionRequest(engine="demo/0")]


async def test_the_daemon_may_be_named_before_the_command(ctl, daemon):
    code, _, _ = await ctl("--connect", daemon.address, "admission", "open", address="unix:/nowhere")
    assert code == 0


async def test_answers_are_json_on_request(ctl):
    for command in (("confirm", "a"), ("cancel", "a"), ("reset",), ("admission", "open")):
        code, out, _ = await ctl(*command, "--json")
        assert code == 0
        assert json.loads(out)["engines"][0]["engine"] == "demo/0"


# --- the audit log ---------------------------------------------------------------------------------------


@pytest.fixture
def log(daemon):
    """Three lines, newest first."""
    changes = daemon.changes.changes
    refused = changes.add(
        engine="prod-70b/0",
        generation=7,
        action=control_pb2.CHANGE_ACTION_SET,
        result=control_pb2.CHANGE_RESULT_REFUSED,
        detail="change k7q2 is on trial",
    )
    refused.caller.name = "operator socket, unverified"
    tried = changes.add(
        engine="prod-70b/0",
        generation=7,
        step=88213,
        action=control_pb2.CHANGE_ACTION_TRY,
        result=control_pb2.CHANGE_RESULT_DONE,
        change_id="k7q2",
        reason="latency test",
        mode=limits_pb2.LIMIT_MODE_HOLD,
    )
    tried.caller.name = "uid 1000 (ops)"
    tried.ttl.seconds = 600
    tried.values.add(kind=limits_pb2.LIMIT_KIND_GROUP_CAP, group=2, new_value=2)
    tried.values.add(kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, old_value=24, new_value=32)
    reverted = changes.add(
        engine="tiny/0",
        generation=12,
        action=control_pb2.CHANGE_ACTION_REVERT,
        result=control_pb2.CHANGE_RESULT_DONE,
    )
    reverted.caller.name = "probe"
    for number, change in enumerate(changes):
        change.time.FromSeconds(1_700_000_000 - number)
    return daemon


async def test_changes_say_when_what_who_and_why(ctl, log):
    code, out, _ = await ctl("changes")
    assert code == 0
    assert [re.split(r" {2,}", line) for line in out.splitlines()] == [
        ["TIME", "ENGINE", "GEN", "WHAT", "LIMITS", "BY", "NOTE"],
        [
            *("2023-11-14 22:13:20", "prod-70b/0", "7", "set"),
            *("operator socket, unverified", "REFUSED: change k7q2 is on trial"),
        ],
        [
            *("2023-11-14 22:13:19", "prod-70b/0", "7", "try"),
            "cap of group 2 unset -> 2, max_num_seqs 24 -> 32, hold, for 10 min",
            *("uid 1000 (ops)", "id k7q2", '"latency test"'),
        ],
        ["2023-11-14 22:13:18", "tiny/0", "12", "time out", "probe"],
    ]
    # Columns stand below each other.
    assert [line[38:46].strip() for line in out.splitlines()] == ["WHAT", "set", "try", "time out"]


async def test_changes_can_be_narrowed(ctl, log):
    await ctl("changes", "prod-70b/0", "--limit", "5", "--since", "1h")
    request = log.requests[-1]
    assert (request.engine, request.limit) == ("prod-70b/0", 5)
    assert abs(time.time() - 3600 - request.since.seconds) < 600


async def test_changes_as_json(ctl, log):
    code, out, _ = await ctl("changes", "--json")
    assert code == 0
    assert [change["generation"] for change in json.loads(out)["changes"]] == ["7", "7", "12"]


async def test_no_change_yet(ctl):
    code, out, _ = await ctl("changes")
    assert (code, out) == (0, "No change yet: every engine runs as it was started.\n")


# --- what show tells -------------------------------------------------------------------------------------


async def test_show_names_what_is_pending_and_the_command_that_ends_it(ctl, daemon):
    snapshot = daemon.snapshot
    snapshot.held = 3
    snapshot.limits.mode = limits_pb2.LIMIT_MODE_HOLD
    for limit in snapshot.limits.limits:
        if limit.HasField("group"):
            limit.target = limit.effective = 2
    snapshot.limits.trial.change_id = "abc"
    snapshot.limits.trial.reverts_at.FromSeconds(1_700_000_000 + 521)
    snapshot.limits.admission_state.closed = True
    snapshot.limits.admission_state.closed_until.FromSeconds(1_700_000_000 + 1692)
    code, out, _ = await ctl("show")
    assert code == 0
    assert "caps 2 2 of 4 HOLD" in out
    for line in (
        "         admission CLOSED, opens in 28:12: rblnctl admission open demo/0",
        "         on trial, reverts in 8:41 unless kept: rblnctl confirm abc",
        "         3 held back in turns",
    ):
        assert line in out.splitlines()
