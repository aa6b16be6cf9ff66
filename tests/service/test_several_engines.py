"""A change of several engines is made on all of them or on none, whoever dies when."""

from __future__ import annotations

import itertools
import threading

import grpc
import pytest
from tests.service.conversation import (
    action,
    cancel,
    cap,
    changes,
    close,
    confirm,
    max_num_seqs,
    open_again,
    refusal,
    reset,
    set_limits,
    told,
)

from rblntop_api.v1 import telemetry_pb2
from rblntopd.probe.control_format import Op

LONG_S = 1000


@pytest.fixture
def ranks(start_engine):
    """Two ranks of a model, and an engine of another."""
    found = [start_engine(name=f"tiny/{rank}") for rank in range(2)]
    start_engine(name="other/0", model="other")
    return found


@pytest.fixture
def daemon(ranks, start_daemon):
    return start_daemon()


def targets(engines):
    return [(engine.state()["max_num_seqs"], engine.state()["trial"]) for engine in engines]


def in_the_background(call, *given, **fields):
    """A call whose daemon may die."""
    errors = []

    def run():
        try:
            call(*given, **fields)
        except grpc.RpcError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


@pytest.mark.parametrize("selector", ["tiny/*", "model:tiny", "tiny/[01]", "tiny/1,tiny/0"])
def test_all_that_are_meant_are_changed_under_one_id(ranks, daemon, selector):
    answer = set_limits(daemon, max_num_seqs(4), engine=selector)
    assert [changed.engine for changed in answer.engines] == ["tiny/0", "tiny/1"]
    assert (answer.change_id, targets(ranks)) == ("", [(4, ""), (4, "")])
    found = changes(daemon)
    assert sorted((change.engine, action(change)) for change in found) == [
        ("tiny/0", "CONFIRM"), ("tiny/0", "TRY"), ("tiny/1", "CONFIRM"), ("tiny/1", "TRY"),
    ]  # fmt: skip
    assert len({change.change_id for change in found}) == 1


def generations(daemon):
    """Of each engine of the model, by instance id."""
    (tick,) = itertools.islice(daemon.telemetry.WatchSnapshots(telemetry_pb2.WatchSnapshotsRequest()), 1)
    return {
        snapshot.engine.instance_id: snapshot.limits.generation
        for snapshot in tick.snapshots
        if snapshot.engine.name.startswith("tiny/")
    }


def test_engines_at_different_generations_are_changed_as_they_were_seen(ranks, daemon):
    set_limits(daemon, max_num_seqs(5), engine="tiny/0")
    seen = generations(daemon)
    assert sorted(seen.values()) == [0, 1]
    set_limits(daemon, max_num_seqs(4), engine="tiny/*", expected_generations=seen)
    assert targets(ranks) == [(4, ""), (4, "")]
    # Of two who saw the same exactly one wins.
    code, _, info = refusal(set_limits, daemon, max_num_seqs(6), engine="tiny/*", expected_generations=seen)
    assert (code, info.reason) == (grpc.StatusCode.ABORTED, "GENERATION_MISMATCH")
    assert targets(ranks) == [(4, ""), (4, "")]


def test_an_engine_that_came_since_or_is_gone_refuses_what_was_meant_for_those_seen(
    ranks, daemon, start_engine
):
    seen = generations(daemon)
    late = start_engine(name="tiny/2")
    code, text, _ = refusal(set_limits, daemon, max_num_seqs(4), engine="tiny/*", expected_generations=seen)
    assert code == grpc.StatusCode.ABORTED
    assert f"not expected: tiny/2 ({late.instance_id})" in text
    seen = generations(daemon)
    late.kill()
    _, text, _ = refusal(set_limits, daemon, max_num_seqs(4), engine="tiny/[01]", expected_generations=seen)
    assert f"expected and not there: {late.instance_id}" in text
    assert targets(ranks) == [(None, ""), (None, "")]


def test_one_generation_for_all_and_one_for_each_exclude_each_other(ranks, daemon):
    code, _, info = refusal(
        set_limits,
        daemon,
        max_num_seqs(4),
        engine="tiny/*",
        expected_generation=0,
        expected_generations=generations(daemon),
    )
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


def test_a_list_of_engines_of_which_one_is_not_there_changes_none(ranks, daemon):
    listed = f"{ranks[0].instance_id},tiny/7"
    code, text, info = refusal(set_limits, daemon, max_num_seqs(4), engine=listed)
    assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "ENGINE_NOT_FOUND")
    assert "tiny/7" in text
    assert targets(ranks) == [(None, ""), (None, "")]


def test_the_answer_is_that_of_a_change_that_was_kept(ranks, daemon):
    validated = set_limits(daemon, cap(0, 1), engine="tiny/*", validate_only=True)
    real = set_limits(daemon, cap(0, 1), engine="tiny/*")
    for answer in (validated, real):
        for changed in answer.engines:
            changed.limits.ClearField("accepted_at")
    assert validated == real
    assert not real.engines[0].limits.HasField("trial")


def test_a_trial_of_several_is_kept_and_undone_on_all_without_naming_them(ranks, daemon):
    change_id = set_limits(daemon, max_num_seqs(4), engine="tiny/*", ttl=LONG_S).change_id
    assert targets(ranks) == [(4, change_id)] * 2
    assert [changed.engine for changed in confirm(daemon, change_id).engines] == ["tiny/0", "tiny/1"]
    assert targets(ranks) == [(4, "")] * 2
    change_id = set_limits(daemon, max_num_seqs(6), engine="tiny/*", ttl=LONG_S).change_id
    cancel(daemon, change_id)
    assert targets(ranks) == [(4, "")] * 2
    code, text, info = refusal(cancel, daemon, change_id)
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_TRIAL")
    assert text == f"change {change_id} is on trial on no engine"


def test_what_one_engine_refuses_is_made_on_none(ranks, daemon):
    ranks[1].do(op=Op.SET_LIMITS, max_num_seqs=6, ttl_ms=10**6, change_id="mine")
    code, text, info = refusal(set_limits, daemon, max_num_seqs(4), engine="tiny/*")
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TRIAL_PENDING")
    assert text.startswith("engine tiny/1 refused: change mine is on trial")
    assert targets(ranks) == [(None, ""), (6, "mine")]
    assert [(change.engine, change.detail != "") for change in changes(daemon)] == [
        ("tiny/1", True), ("tiny/1", False),
    ]  # fmt: skip


def test_where_one_engine_gives_no_answer_the_others_are_put_back(start_engine, start_daemon):
    good, silent = start_engine(name="tiny/0"), start_engine(name="tiny/1")
    daemon = start_daemon()
    silent.hold(ops=[Op.SET_LIMITS])
    code, text, _ = refusal(set_limits, daemon, max_num_seqs(4), engine="tiny/*")
    assert code == grpc.StatusCode.UNAVAILABLE
    assert text.endswith(", where it would be undone; tiny/0: nothing is changed")
    assert targets([good]) == [(None, "")]


def test_what_an_engine_does_after_all_is_undone(start_engine, start_daemon, until):
    good, slow = start_engine(name="tiny/0"), start_engine(name="tiny/1")
    daemon = start_daemon()
    slow.hold(ops=[Op.SET_LIMITS])
    refusal(set_limits, daemon, max_num_seqs(4), engine="tiny/*", ttl=LONG_S)
    slow.release(carry_out=True)
    until(lambda: slow.state()["generation"] == 2)
    assert targets([good, slow]) == [(None, "")] * 2
    late = [action(change) for change in changes(daemon, engine="tiny/1")]
    assert late == ["CANCEL", "TRY"]


def test_a_generation_that_has_moved_on_one_engine_stops_all(ranks, daemon):
    set_limits(daemon, max_num_seqs(6), engine="tiny/1")
    code, _, info = refusal(set_limits, daemon, max_num_seqs(4), engine="tiny/*", expected_generation=0)
    assert (code, info.metadata["engine"]) == (grpc.StatusCode.ABORTED, "tiny/1")
    assert targets(ranks) == [(None, ""), (6, "")]


def test_a_glob_that_matches_nothing_names_what_there_is(daemon):
    code, text, _ = refusal(set_limits, daemon, max_num_seqs(4), engine="prod-*")
    assert code == grpc.StatusCode.NOT_FOUND
    assert text == "no engine matches 'prod-*', there are: other/0, tiny/0, tiny/1"


def test_a_daemon_that_dies_before_all_engines_have_it_leaves_none_with_it(ranks, start_daemon, until):
    first = start_daemon()
    ranks[1].hold(ops=[Op.SET_LIMITS])
    call, errors = in_the_background(set_limits, first, max_num_seqs(4), engine="tiny/*")
    until(lambda: ranks[1].holds()["holds"] and ranks[0].state()["trial"])
    first.process.kill()
    call.join()
    assert errors
    ranks[1].release(carry_out=False)
    second = start_daemon()
    until(lambda: targets(ranks) == [(None, "")] * 2)
    until(lambda: told(second, engine="tiny/0") == [("TRY", "DONE"), ("CANCEL", "DONE")])
    assert told(second, engine="tiny/1") == [("TRY", "UNKNOWN")]
    assert changes(second, engine="tiny/0")[0].caller.name == "rblntopd"


def test_a_daemon_that_dies_after_it_decided_leaves_all_with_it(ranks, start_daemon, until):
    first = start_daemon()
    ranks[1].hold(ops=[Op.CONFIRM])
    call, errors = in_the_background(set_limits, first, max_num_seqs(4), engine="tiny/*")
    until(lambda: ranks[1].holds()["holds"] and ranks[0].state() == ranks[0].state() | {"trial": ""})
    first.process.kill()
    call.join()
    assert errors
    ranks[1].release(carry_out=False)
    second = start_daemon()
    until(lambda: targets(ranks) == [(4, "")] * 2)
    assert told(second, engine="tiny/0") == [("TRY", "DONE"), ("CONFIRM", "DONE")]
    assert ("CONFIRM", "DONE") in told(second, engine="tiny/1")


def test_a_trial_of_several_that_the_user_asked_for_outlives_its_daemon(ranks, start_daemon, until):
    first = start_daemon()
    change_id = set_limits(first, max_num_seqs(4), engine="tiny/*", ttl=LONG_S).change_id
    first.process.kill()
    first.process.wait()
    second = start_daemon()
    assert len(confirm(second, change_id).engines) == 2
    assert targets(ranks) == [(4, "")] * 2


def test_an_id_whose_change_is_still_being_undone_is_not_used_again(start_engine, start_daemon, until):
    good, silent = start_engine(name="tiny/0"), start_engine(name="tiny/1")
    daemon = start_daemon()
    silent.hold(ops=[Op.SET_LIMITS])
    refusal(set_limits, daemon, max_num_seqs(4), engine="tiny/*", ttl=LONG_S, change_id="again")
    for validate_only in (True, False):
        code, text, info = refusal(
            set_limits,
            daemon,
            max_num_seqs(6),
            engine="tiny/0",
            ttl=LONG_S,
            change_id="again",
            validate_only=validate_only,
        )
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REFUSED")
        assert "still being undone on tiny/0, tiny/1: use another id" in text
    silent.release(carry_out=True)
    until(lambda: silent.state()["generation"] == 2)
    assert targets([good, silent]) == [(None, "")] * 2


def test_resets_and_admission_reach_all_engines(ranks, daemon):
    set_limits(daemon, max_num_seqs(4), engine="tiny/*")
    assert len(reset(daemon, engine="tiny/*").engines) == 2
    assert targets(ranks) == [(None, "")] * 2
    assert len(close(daemon, engine="model:tiny", until_opened=True).engines) == 2
    assert [engine.state()["closed"] for engine in ranks] == [True, True]
    assert len(open_again(daemon, engine="tiny/*").engines) == 2
    assert [engine.state()["closed"] for engine in ranks] == [False, False]


def test_admission_is_closed_on_all_or_on_none(start_engine, start_daemon):
    good, silent = start_engine(name="tiny/0"), start_engine(name="tiny/1")
    daemon = start_daemon()
    silent.hold(ops=[Op.CLOSE_ADMISSION])
    refusal(close, daemon, engine="tiny/*", until_opened=True)
    assert not good.state()["closed"]
