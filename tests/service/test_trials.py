"""Changes that are undone by themselves unless somebody keeps them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest
from tests.service.conversation import (
    action,
    cancel,
    cap,
    changes,
    confirm,
    duration,
    max_num_seqs,
    refusal,
    reset,
    set_limits,
    set_request,
    told,
)

from rblntop_api.v1 import control_pb2, limits_pb2, telemetry_pb2

LONG_S = 1000
CLIENT = """
import sys, grpc
from rblntop_api.v1 import control_pb2, control_pb2_grpc
control = control_pb2_grpc.ControlStub(grpc.insecure_channel(sys.argv[1]))
control.SetLimits(control_pb2.SetLimitsRequest.FromString(bytes.fromhex(sys.argv[2])))
print("set", flush=True)
sys.stdin.read()
"""


def shown(daemon):
    return daemon.telemetry.GetSnapshot(telemetry_pb2.GetSnapshotRequest()).snapshot.limits


def test_a_trial_is_shown_with_what_it_reverts_to_and_when(engine, daemon, until):
    set_limits(daemon, max_num_seqs(6))
    engine.steps(count=1, running=6)
    answer = set_limits(daemon, max_num_seqs(4), ttl=LONG_S, change_id="night")
    assert answer.change_id == "night"
    limits = answer.engines[0].limits
    assert (limits.trial.change_id, limits.trial.generation, limits.trial.ttl.seconds) == ("night", 2, LONG_S)
    assert not limits.trial.HasField("reverts_at")
    assert [limit.HasField("reverts_to") and limit.reverts_to for limit in limits.limits] == [6, False, False]
    engine.steps(count=1, running=4)
    until(lambda: shown(daemon).trial.HasField("reverts_at"))
    left_s = shown(daemon).trial.reverts_at.ToSeconds() - time.time()
    assert LONG_S - 60 < left_s < LONG_S + 60


def test_a_trial_that_is_kept_stays(engine, daemon):
    change_id = set_limits(daemon, max_num_seqs(4), ttl=LONG_S).change_id
    assert len(change_id) == 8
    (answer,) = confirm(daemon, change_id, reason="fine").engines
    assert (answer.generation, answer.limits.HasField("trial")) == (1, False)
    assert engine.state()["max_num_seqs"] == 4
    assert told(daemon) == [("TRY", "DONE"), ("CONFIRM", "DONE")]
    kept, tried = changes(daemon)
    assert (kept.change_id, tried.change_id, kept.reason) == (change_id, change_id, "fine")


def test_a_trial_that_is_undone_is_gone(engine, daemon):
    change_id = set_limits(daemon, max_num_seqs(4), ttl=LONG_S).change_id
    (answer,) = cancel(daemon, change_id).engines
    assert answer.generation == 2
    assert engine.state()["max_num_seqs"] is None
    assert told(daemon) == [("TRY", "DONE"), ("CANCEL", "DONE")]


def test_a_trial_can_be_given_more_time(engine, daemon):
    change_id = set_limits(daemon, max_num_seqs(4), ttl=500).change_id
    answer = confirm(daemon, change_id, extend=duration(LONG_S))
    assert answer.engines[0].limits.trial.ttl.seconds == LONG_S
    assert [action(change) for change in changes(daemon)] == ["EXTEND", "TRY"]


def test_a_client_that_dies_before_it_keeps_its_change_has_it_undone_and_the_log_says_so(
    engine, daemon, until
):
    request = set_request(max_num_seqs(4), ttl=0.5, reason="a try")
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, f"unix:{daemon.socket}", request.SerializeToString().hex()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert client.stdout.readline() == "set\n"
    client.kill()
    client.communicate()
    until(lambda: engine.state()["max_num_seqs"] is None)
    assert told(daemon) == [("TRY", "DONE"), ("REVERT", "DONE")]
    reverted = changes(daemon)[0]
    assert (reverted.caller.name, reverted.caller.verified) == ("probe", True)
    assert [(value.old_value, value.HasField("new_value")) for value in reverted.values] == [(4, False)]


def test_a_trial_outlives_its_daemon_and_can_be_kept_through_the_next(engine, start_daemon):
    first = start_daemon()
    change_id = set_limits(first, max_num_seqs(4), ttl=LONG_S).change_id
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = start_daemon()
    assert shown(second).trial.change_id == change_id
    confirm(second, change_id)
    assert engine.state() | {"trial": ""} == engine.state()
    assert told(second) == [("TRY", "DONE"), ("CONFIRM", "DONE")]


def test_a_trial_that_reverts_while_no_daemon_runs_is_in_the_log(engine, start_daemon, until):
    first = start_daemon()
    set_limits(first, max_num_seqs(4), ttl=0.2)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    until(lambda: engine.state()["max_num_seqs"] is None)
    assert told(start_daemon()) == [("TRY", "DONE"), ("REVERT", "DONE")]


def test_while_a_change_is_on_trial_a_second_is_refused(engine, daemon):
    set_limits(daemon, max_num_seqs(4), ttl=LONG_S, change_id="first")
    code, text, info = refusal(set_limits, daemon, max_num_seqs(6))
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert text == "engine tiny/0 refused: change first is on trial: keep it or undo it first"
    assert (info.reason, info.metadata["change_id"]) == ("TRIAL_PENDING", "first")
    assert told(daemon) == [("TRY", "DONE"), ("SET", "REFUSED")]
    refused = changes(daemon)[0]
    assert (refused.detail, refused.values[0].old_value, refused.values[0].new_value) == (text, 4, 6)


@pytest.mark.parametrize("settle", [confirm, cancel])
def test_what_is_not_on_trial_cannot_be_kept_or_undone(engine, daemon, settle):
    code, text, info = refusal(settle, daemon, "ghost")
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_TRIAL")
    assert text == "engine tiny/0 refused: no change is on trial"
    set_limits(daemon, max_num_seqs(4), ttl=LONG_S, change_id="real")
    code, text, info = refusal(settle, daemon, "ghost")
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "WRONG_ID")
    assert text == "engine tiny/0 refused: change_id=ghost: the change on trial is real"
    code, text, _ = refusal(settle, daemon, "")
    assert text == "change_id=(empty): allowed is the id of the change on trial"


def test_who_comes_too_late_is_told_how_it_ended(engine, daemon, until):
    change_id = set_limits(daemon, max_num_seqs(4), ttl=0.1).change_id
    until(lambda: engine.state()["max_num_seqs"] is None)
    _, text, _ = refusal(confirm, daemon, change_id)
    assert text.endswith(f"change {change_id} was undone when its time had run out")


def test_a_reset_ends_a_trial(engine, daemon):
    set_limits(daemon, cap(0, 1), ttl=LONG_S)
    (answer,) = reset(daemon).engines
    assert (answer.generation, answer.limits.HasField("trial")) == (2, False)
    assert told(daemon) == [("TRY", "DONE"), ("RESET", "DONE")]
    (nothing,) = reset(daemon).engines
    assert list(nothing.warnings) == ["nothing to reset: the limits are those the engine was started with"]
    assert len(changes(daemon)) == 2


def test_of_two_clients_that_race_exactly_one_wins(engine, daemon):
    for generation in range(5):
        start, results = threading.Barrier(2), []

        def race(value, start=start, results=results, generation=generation):
            start.wait()
            try:
                results.append(
                    set_limits(daemon, max_num_seqs(value), expected_generation=generation).engines[0]
                )
            except grpc.RpcError as error:
                results.append(error)

        clients = [threading.Thread(target=race, args=(value,)) for value in (4, 6)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        (lost,) = [result for result in results if isinstance(result, grpc.RpcError)]
        (won,) = [result for result in results if result is not lost]
        assert won.generation == generation + 1
        assert lost.code() == grpc.StatusCode.ABORTED
        assert f"generation is {generation + 1}, not {generation}" in lost.details()


def test_a_mismatch_tells_the_generation_there_is(engine, daemon):
    set_limits(daemon, max_num_seqs(4))
    code, text, info = refusal(set_limits, daemon, max_num_seqs(6), expected_generation=0)
    assert code == grpc.StatusCode.ABORTED
    assert text == "engine tiny/0 refused: generation is 1, not 0: it has moved"
    assert (info.reason, info.metadata["generation"]) == ("GENERATION_MISMATCH", "1")


def test_a_limit_can_be_taken_back_alone(engine, daemon):
    set_limits(daemon, max_num_seqs(4), cap(0, 1), cap(1, 2))
    (answer,) = set_limits(daemon, max_num_seqs(), cap(1)).engines
    assert [limit.HasField("target") and limit.target for limit in answer.limits.limits] == [False, 1, False]
    assert engine.state()["caps"] == [1, None]


def test_hold_is_asked_for_and_shown(engine, daemon):
    (answer,) = set_limits(daemon, cap(0, 1), cap(1, 1), mode=limits_pb2.LIMIT_MODE_HOLD).engines
    assert answer.limits.mode == limits_pb2.LIMIT_MODE_HOLD
    assert changes(daemon)[0].mode == limits_pb2.LIMIT_MODE_HOLD
    (answer,) = set_limits(daemon, mode=limits_pb2.LIMIT_MODE_DRAIN).engines
    assert answer.limits.mode == limits_pb2.LIMIT_MODE_DRAIN
    _, text, info = refusal(set_limits, daemon, max_num_seqs(4), mode=9)
    assert (text, info.reason) == ("mode=9: allowed is LIMIT_MODE_DRAIN or LIMIT_MODE_HOLD", "INVALID_FIELD")


@pytest.mark.parametrize(
    ("requested", "fields"),
    [
        ([max_num_seqs(4)], {}),
        ([max_num_seqs(7)], {"ttl": LONG_S, "change_id": "c1"}),
        ([cap(0, 1), cap(1, 2)], {}),
        ([cap(0, 1)], {"mode": limits_pb2.LIMIT_MODE_HOLD}),
        ([max_num_seqs()], {"expected_generation": 1}),
    ],
)
def test_validate_only_says_what_the_real_call_says(engine, daemon, requested, fields):
    engine.steps(count=8)
    set_limits(daemon, max_num_seqs(5))
    # Nothing runs any more, so both calls see the same minute.
    validated = set_limits(daemon, *requested, validate_only=True, **fields)
    assert engine.state()["generation"] == 1
    assert len(changes(daemon)) == 1
    real = set_limits(daemon, *requested, **fields)
    for answer in (validated, real):
        answer.engines[0].limits.ClearField("accepted_at")
        answer.engines[0].limits.ClearField("accepted_step")
    assert validated == real
    assert real.engines[0].preview.decode_steps == 8


def test_validate_only_refuses_what_the_real_call_refuses(engine, daemon):
    set_limits(daemon, max_num_seqs(4), ttl=LONG_S)
    for fields in (
        {"expected_generation": 7},
        {"mode": limits_pb2.LIMIT_MODE_HOLD},
        {"ttl": 8 * 86400},
        {"reason": "x" * 200},
        {},
    ):
        validated = refusal(set_limits, daemon, max_num_seqs(6), validate_only=True, **fields)
        assert validated == refusal(set_limits, daemon, max_num_seqs(6), **fields)


def test_a_reset_can_be_validated(engine, daemon):
    set_limits(daemon, max_num_seqs(4))
    (validated,) = reset(daemon, validate_only=True).engines
    (real,) = reset(daemon).engines
    for answer in (validated, real):
        answer.limits.ClearField("accepted_at")
        answer.limits.ClearField("accepted_step")
    assert validated == real


def test_the_preview_says_who_drains_and_that_one_bucket_saves_nothing(engine, daemon):
    engine.steps(count=10, requests=3, padded=4, running=6, finished=0)
    engine.steps(count=1, requests=3, padded=4, running=6, finished=2)
    preview = set_limits(daemon, cap(0, 1), cap(1, 2), validate_only=True).engines[0].preview
    assert (preview.draining, preview.steps_in_smaller_bucket, preview.decode_steps) == (3, 0, 11)
    assert preview.HasField("drain_estimate")
    assert [(group.running, group.cap, group.excess) for group in preview.groups] == [(3, 1, 2), (3, 2, 1)]
    assert preview.decode_pad_ratio_then > preview.decode_pad_ratio_now == 0.25


def test_a_detached_engine_is_shown_and_says_what_to_do(engine, daemon, until):
    set_limits(daemon, max_num_seqs(4))
    reset(daemon, detach=True)
    found = daemon.telemetry.ListEngines(telemetry_pb2.ListEnginesRequest()).engines[0]
    assert found.notice == "detached: restart the engine to attach again"
    assert told(daemon) == [("SET", "DONE"), ("RESET", "DONE"), ("DETACH", "DONE")]
    code, text, info = refusal(set_limits, daemon, max_num_seqs(6))
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CONTROL_UNAVAILABLE")
    assert text.endswith("detached: restart the engine to attach again")


@pytest.mark.parametrize("reason", ["x" * 129, "x" * 3_000_000], ids=["too long", "endless"])
def test_an_endless_reason_is_refused_and_nothing_is_changed(engine, daemon, reason):
    code, text, _ = refusal(set_limits, daemon, max_num_seqs(4), reason=reason)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert text == f"reason=({len(reason)} bytes): allowed is at most 128 bytes of UTF-8"
    assert engine.state()["generation"] == 0


def test_a_reason_cannot_control_a_terminal(engine, daemon):
    set_limits(daemon, max_num_seqs(4), reason="\x1b[2Jnight\nshift\u202e")
    assert changes(daemon)[0].reason == "[2Jnight shift"


def test_the_phase_settled_is_waited_for_and_not_reached_in_time_says_why(engine, daemon):
    engine.steps(count=1)
    engine.spin(per_second=100)
    answer = set_limits(
        daemon, max_num_seqs(4), ttl=LONG_S,
        wait_for=control_pb2.CHANGE_PHASE_SETTLED, wait_timeout=duration(0.3),
    ).engines[0]  # fmt: skip
    assert answer.phase == control_pb2.CHANGE_PHASE_IN_FORCE
    assert answer.waiting_because == "draining: 6 running, target 4"
