"""Admission is closed for maintenance, and opened again."""

from __future__ import annotations

import time

import grpc
from tests.service.conversation import (
    changes,
    close,
    duration,
    max_num_seqs,
    open_again,
    refusal,
    reset,
    set_limits,
    told,
)

from rblntop_api.v1 import control_pb2, engine_pb2, telemetry_pb2

LONG_S = 1000
SETTLED = control_pb2.CHANGE_PHASE_SETTLED


def snapshot(daemon):
    return daemon.telemetry.GetSnapshot(telemetry_pb2.GetSnapshotRequest()).snapshot


def test_a_closed_engine_says_until_when(engine, daemon):
    engine.steps(count=1)
    (answer,) = close(daemon, ttl=LONG_S, reason="new driver").engines
    assert (answer.generation, answer.preview.draining) == (1, 6)
    state = answer.limits.admission_state
    assert (state.closed, state.available) == (True, True)
    assert LONG_S - 60 < state.closed_until.ToSeconds() - time.time() <= LONG_S
    assert snapshot(daemon).engine.state == engine_pb2.ENGINE_STATE_CLOSED
    open_again(daemon)
    assert snapshot(daemon).engine.state == engine_pb2.ENGINE_STATE_SERVING
    assert told(daemon) == [("CLOSE", "DONE"), ("OPEN", "DONE")]
    assert changes(daemon)[1].reason == "new driver"


def test_closing_needs_an_end(engine, daemon):
    for fields in ({}, {"until_opened": False}):
        code, text, info = refusal(close, daemon, **fields)
        assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
        assert text == "until=(absent): allowed is a ttl, or until_opened=true"
    assert not engine.state()["closed"]


def test_it_opens_by_itself_and_the_log_says_so(engine, daemon, until):
    close(daemon, ttl=0.2)
    until(lambda: not engine.state()["closed"])
    assert told(daemon) == [("CLOSE", "DONE"), ("REOPEN", "DONE")]


def test_it_has_settled_once_nothing_runs(engine, daemon):
    engine.steps(count=1)
    (answer,) = close(
        daemon, until_opened=True, wait_for=SETTLED, wait_timeout=duration(0.2)
    ).engines  # fmt: skip
    assert answer.phase < SETTLED
    engine.steps(count=1, running=2)
    (answer,) = close(daemon, until_opened=True, wait_for=SETTLED, wait_timeout=duration(0)).engines
    engine.steps(count=1, running=0, unfinished=3)
    (answer,) = close(daemon, until_opened=True, wait_for=SETTLED, wait_timeout=duration(20)).engines
    assert (answer.phase, answer.waiting_because) == (SETTLED, "")


def test_closing_can_be_validated(engine, daemon):
    set_limits(daemon, max_num_seqs(4), ttl=LONG_S, change_id="c1")
    (validated,) = close(daemon, until_opened=True, validate_only=True).engines
    assert not engine.state()["closed"]
    (real,) = close(daemon, until_opened=True).engines
    for answer in (validated, real):
        answer.limits.ClearField("accepted_at")
        answer.limits.ClearField("accepted_step")
        answer.limits.trial.ClearField("reverts_at")
    assert validated == real


def test_closing_can_be_bound_to_a_generation(engine, daemon):
    set_limits(daemon, max_num_seqs(4))
    code, _, _ = refusal(close, daemon, until_opened=True, expected_generation=0)
    assert code == grpc.StatusCode.ABORTED
    close(daemon, until_opened=True, expected_generation=1)


def test_opening_what_is_open_says_so_and_is_no_change(engine, daemon):
    (answer,) = open_again(daemon).engines
    assert (list(answer.warnings), changes(daemon)) == (["nothing to open: admission was not closed"], [])


def test_what_somebody_else_paused_is_theirs_to_resume(engine, daemon):
    engine.pause()
    assert snapshot(daemon).engine.state == engine_pb2.ENGINE_STATE_CLOSED
    assert snapshot(daemon).limits.admission_state.paused_by_engine
    code, text, info = refusal(open_again, daemon)
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REFUSED")
    assert "who has to resume it" in text


def test_an_engine_that_is_closed_is_not_detached(engine, daemon):
    close(daemon, until_opened=True)
    code, text, _ = refusal(reset, daemon, detach=True)
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert text == "engine tiny/0 refused: admission is closed: open it first, nobody could later"
    assert told(daemon) == [("CLOSE", "DONE"), ("DETACH", "REFUSED")]
