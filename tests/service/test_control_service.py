"""Limits are changed through a real daemon, on an engine that answers, or does not."""

from __future__ import annotations

import re

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from rblntop_api.v1 import control_pb2, limits_pb2, telemetry_pb2

ACCEPTED, IN_FORCE, SETTLED = (
    control_pb2.CHANGE_PHASE_ACCEPTED,
    control_pb2.CHANGE_PHASE_IN_FORCE,
    control_pb2.CHANGE_PHASE_SETTLED,
)


def max_num_seqs(value, **fields):
    return control_pb2.LimitChange(kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, value=value, **fields)


def cap(group, value, **fields):
    return control_pb2.LimitChange(kind=limits_pb2.LIMIT_KIND_GROUP_CAP, group=group, value=value, **fields)


def change(daemon, *changes, engine="", wait_for=ACCEPTED, timeout_ms=None):
    request = control_pb2.SetLimitsRequest(engine=engine, changes=changes, wait_for=wait_for)
    if timeout_ms is not None:
        request.wait_timeout.CopyFrom(Duration(nanos=timeout_ms * 1_000_000))
    return daemon.control.SetLimits(request).engines[0]


def refusal(daemon, *changes, **request):
    with pytest.raises(grpc.RpcError) as caught:
        change(daemon, *changes, **request)
    info = error_details_pb2.ErrorInfo()
    rpc_status.from_call(caught.value).details[0].Unpack(info)
    return caught.value.code(), caught.value.details(), info


def test_limits_change_together_and_the_answer_shows_them(engine, daemon):
    engine.steps(count=4)
    answer = change(daemon, max_num_seqs(6), cap(0, 2), cap(1, 3))
    assert (answer.generation, answer.phase, answer.waiting_because) == (1, ACCEPTED, "")
    shown = answer.limits
    assert shown.generation == 1
    assert [(limit.kind, limit.target, limit.ceiling) for limit in shown.limits] == [
        (limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, 6, 8),
        (limits_pb2.LIMIT_KIND_GROUP_CAP, 2, 4),
        (limits_pb2.LIMIT_KIND_GROUP_CAP, 3, 4),
    ]
    assert (shown.admission, shown.admission_from) == (5, limits_pb2.LIMIT_KIND_GROUP_CAP)
    assert shown.accepted_step == 4


def test_at_generation_0_nobody_has_set_a_target(engine, daemon):
    found = daemon.telemetry.GetSnapshot(telemetry_pb2.GetSnapshotRequest()).snapshot.limits
    assert found.generation == 0
    assert not any(limit.HasField("target") for limit in found.limits)


def test_warnings_of_the_engine_are_passed_on(engine, daemon):
    assert list(change(daemon, max_num_seqs(7)).warnings) == [
        "max_num_seqs=7 is not a multiple of 2 groups: 4/3 at best"
    ]


def test_in_force_is_told_with_the_step(engine, daemon):
    engine.steps(count=4)
    engine.spin(per_second=100)  # with 6 running, so that 4 cannot settle
    answer = change(daemon, max_num_seqs(4), wait_for=IN_FORCE)
    assert (answer.phase, answer.waiting_because) == (IN_FORCE, "")
    assert answer.limits.in_force_step > answer.limits.accepted_step


def test_settled_is_told_once_what_runs_fits(engine, daemon):
    engine.steps(count=4)
    engine.spin(per_second=100)  # with 6 running
    answer = change(daemon, max_num_seqs(6), wait_for=SETTLED)
    assert (answer.phase, answer.waiting_because) == (SETTLED, "")


def test_a_change_that_still_drains_says_so(engine, daemon):
    engine.steps(count=4)
    engine.spin(per_second=100)
    answer = change(daemon, max_num_seqs(4), wait_for=SETTLED, timeout_ms=500)
    assert (answer.phase, answer.waiting_because) == (IN_FORCE, "draining: 6 running, target 4")


def test_an_idle_engine_accepts_and_is_not_waited_for(engine, daemon):
    engine.steps(count=1, unfinished=0, running=0)
    answer = change(daemon, max_num_seqs(4), wait_for=SETTLED)
    assert (answer.phase, answer.waiting_because) == (ACCEPTED, "engine is idle: in force from its next step")


def test_a_change_on_a_stuck_engine_is_accepted_and_says_what_it_waits_for(engine, daemon):
    engine.steps(count=1)
    answer = change(daemon, max_num_seqs(4), wait_for=IN_FORCE, timeout_ms=100)
    assert answer.phase == ACCEPTED
    assert re.fullmatch(r"no step has run under it yet|scheduler silent for \d+ s", answer.waiting_because)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([], "changes=(empty): allowed is at least one change"),
        ([max_num_seqs(9)], "changes[0].value (max_num_seqs)=9: allowed is 2..8"),
        ([max_num_seqs(1)], "changes[0].value (max_num_seqs)=1: allowed is 2..8"),
        ([max_num_seqs(0)], "changes[0].value (max_num_seqs)=0: allowed is 2..8"),
        ([max_num_seqs(4), cap(1, 5)], "changes[1].value (group_cap of group 1)=5: allowed is 1..4"),
        ([cap(0, 0)], "changes[0].value (group_cap of group 0)=0: allowed is 1..4"),
        ([cap(2, 1)], "changes[0].group=2: allowed is 0..1"),
        ([cap(None, 1)], "changes[0].group=(absent): allowed is 0..1"),
        (
            [max_num_seqs(4, group=0)],
            "changes[0].group=0: allowed is no group: max_num_seqs is of the engine",
        ),
        (
            [max_num_seqs(4, scope=limits_pb2.LIMIT_SCOPE_GROUP)],
            "changes[0].scope=LIMIT_SCOPE_GROUP: allowed is LIMIT_SCOPE_ENGINE: "
            "this engine has one scheduler",
        ),
        (
            [cap(0, 1, scope=limits_pb2.LIMIT_SCOPE_ENGINE)],
            "changes[0].scope=LIMIT_SCOPE_ENGINE: allowed is LIMIT_SCOPE_GROUP for a group cap",
        ),
        ([max_num_seqs(4), max_num_seqs(6)], "changes[1]=max_num_seqs: allowed is one change of each limit"),
        ([cap(0, 1), cap(0, 2)], "changes[1]=group_cap of group 0: allowed is one change of each limit"),
        (
            [control_pb2.LimitChange(value=4)],
            "changes[0].kind=0: allowed is LIMIT_KIND_MAX_NUM_SEQS or LIMIT_KIND_GROUP_CAP",
        ),
    ],
)
def test_an_invalid_change_is_refused_and_changes_nothing(engine, daemon, changes, text):
    code, details, info = refusal(daemon, *changes)
    assert (code, details, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, text, "INVALID_FIELD")
    assert change(daemon, max_num_seqs(8)).generation == 1


def test_an_unknown_engine_is_refused(engine, daemon):
    code, details, _ = refusal(daemon, max_num_seqs(4), engine="huge/0")
    assert code == grpc.StatusCode.NOT_FOUND
    assert details == "there is no engine 'huge/0', there are: tiny/0"


def test_a_limit_without_a_control_is_refused_with_the_reason(start_engine, start_daemon):
    start_engine(controls={"group_cap": {"available": False, "reason": "the scheduler runs ahead"}})
    code, details, info = refusal(start_daemon(), cap(0, 1))
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert details == "group_cap of engine tiny/0 cannot be changed: the scheduler runs ahead"
    assert info.reason == "CONTROL_UNAVAILABLE"


def test_an_engine_that_takes_no_questions_is_refused(start_engine, start_daemon):
    start_engine(control_socket=None)
    _, details, _ = refusal(start_daemon(), max_num_seqs(4))
    assert details == "max_num_seqs of engine tiny/0 cannot be changed: the engine has no control socket"


def test_a_refusal_of_the_engine_is_passed_on(start_engine, start_daemon):
    start_engine(answers="refuses")
    code, details, info = refusal(start_daemon(), max_num_seqs(4))
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert details == "engine tiny/0 refused: max_num_seqs cannot be changed here: an odd scheduler"
    assert info.reason == "CONTROL_UNAVAILABLE"


def test_a_dead_engine_is_named(engine, daemon):
    engine.kill()
    code, details, info = refusal(daemon, max_num_seqs(4))
    assert code == grpc.StatusCode.UNAVAILABLE
    assert details == f"engine tiny/0 ({engine.instance_id}) is gone"
    assert info.reason == "ENGINE_GONE"


def test_an_engine_that_dies_between_the_question_and_the_answer_is_named(start_engine, start_daemon):
    engine = start_engine(answers="dies")
    code, details, info = refusal(start_daemon(), max_num_seqs(4))
    assert code == grpc.StatusCode.UNAVAILABLE
    assert details == f"engine tiny/0 ({engine.instance_id}) is gone"
    assert info.reason == "ENGINE_GONE"


def test_an_engine_behind_whose_socket_nobody_listens_is_named(start_engine, start_daemon):
    start_engine(answers="nothing listens")
    code, details, info = refusal(start_daemon(), max_num_seqs(4))
    assert code == grpc.StatusCode.UNAVAILABLE
    assert details == "engine tiny/0 does not answer: its control socket: No such file or directory"
    assert info.reason == "ENGINE_SILENT"


def test_an_engine_that_gives_no_answer_is_named(start_engine, start_daemon):
    start_engine(answers="silent")
    code, details, info = refusal(start_daemon(), max_num_seqs(4))
    assert code == grpc.StatusCode.UNAVAILABLE
    assert details == (
        "engine tiny/0 does not answer: gave no answer in 5 s: "
        "the change may still come, look at the generation"
    )
    assert info.reason == "ENGINE_SILENT"


@pytest.mark.parametrize("name", ["x" * 20_000, "é" * 9_000, "\n" * 3_000])
def test_an_error_about_an_endless_name_comes_through(daemon, name):
    code, details, info = refusal(daemon, max_num_seqs(4), engine=name)
    assert code == grpc.StatusCode.NOT_FOUND
    assert details.startswith("there is no engine '")
    assert info.reason == "ENGINE_NOT_FOUND"
