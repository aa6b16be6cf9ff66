"""``rblnctl set``: in a script, with patterns, and for a person at a terminal."""

from __future__ import annotations

import json

import grpc
import pytest

from rblntop_api.v1 import control_pb2, engine_pb2, limits_pb2

ACCEPTED, IN_FORCE, SETTLED = (
    control_pb2.CHANGE_PHASE_ACCEPTED,
    control_pb2.CHANGE_PHASE_IN_FORCE,
    control_pb2.CHANGE_PHASE_SETTLED,
)


@pytest.fixture
def answer_of(limits_of):
    """An answer to a change of max_num_seqs."""

    def answer(seqs, phase, *, in_force=None, settled=None, because="", engines=("demo/0",), change_id=""):
        limits = limits_of(seqs, generation=4)
        if in_force is not None:
            limits.in_force_step = in_force
        if settled is not None:
            limits.settled_step = settled
        if change_id:
            limits.trial.change_id = change_id
            limits.trial.ttl.seconds = 600
        changes = [
            control_pb2.EngineChange(
                engine=engine,
                instance_id=f"instance of {engine}" if len(engines) > 1 else "",
                generation=4,
                phase=phase,
                limits=limits,
                waiting_because=because,
            )
            for engine in engines
        ]
        return control_pb2.SetLimitsResponse(engines=changes, change_id=change_id)

    return answer


# --- one engine, in a script -----------------------------------------------------------------------------


async def test_it_prints_before_and_after_and_from_when(ctl, daemon, answer_of):
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201)
    daemon.answer.engines[0].warnings.append("3 on pp 2 runs 2/1")
    code, out, err = await ctl("set", "--max-num-seqs", "4")
    assert code == 0
    assert out.splitlines() == [
        "demo/0: generation 4 in force from step 1,201, draining",
        "  max_num_seqs  8 -> 4  of 8",
    ]
    assert err == "warning: 3 on pp 2 runs 2/1\n"
    request = daemon.requests[1]
    assert request.wait_for == IN_FORCE
    # Not asked for: no trial, no dry run, no condition.
    assert (request.validate_only, request.change_id, request.reason) == (False, "", "")
    assert [name for name in ("ttl", "expected_generation") if request.HasField(name)] == []


async def test_group_caps(ctl, daemon, limits_of):
    made = control_pb2.EngineChange(
        engine="demo/0", generation=5, phase=SETTLED, limits=limits_of(8, (1, 3), generation=5)
    )
    made.limits.in_force_step = 1201
    made.limits.settled_step = 1207
    daemon.answer = control_pb2.SetLimitsResponse(engines=[made])
    code, out, _ = await ctl("set", "demo/0", "--group-cap", "0=1", "--group-cap", "1=3", "--wait", "settled")
    assert code == 0
    assert out.splitlines() == [
        "demo/0: generation 5 in force from step 1,201, settled at step 1,207",
        "  cap of group 0  unset -> 1  of 4",
        "  cap of group 1  unset -> 3  of 4",
    ]


async def test_every_option_is_in_the_request(ctl, daemon, answer_of):
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201, change_id="abc")
    code, _, _ = await ctl(
        *("set", "demo/0", "--max-num-seqs", "none", "--group-cap", "0=2", "--group-cap", "1=NONE"),
        *("--mode", "hold", "--ttl", "10m", "--expect-generation", "0", "--reason", "latency test"),
        *("--change-id", "abc", "--wait", "accepted", "--timeout", "1m", "--yes"),
    )
    assert code == 0
    request = daemon.requests[1]
    assert [(c.group, c.HasField("value"), c.value) for c in request.changes] == [
        (0, False, 0),
        (0, True, 2),
        (1, False, 0),
    ]
    assert request.mode == limits_pb2.LIMIT_MODE_HOLD
    assert (request.ttl.seconds, request.wait_timeout.seconds, request.wait_for) == (600, 60, ACCEPTED)
    assert request.HasField("expected_generation")
    assert (request.expected_generation, request.reason, request.change_id) == (0, "latency test", "abc")


async def test_a_trial_says_how_to_keep_and_how_to_undo_it(ctl, daemon, answer_of):
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201, settled=1210, change_id="k7q2")
    code, out, _ = await ctl("set", "--max-num-seqs", "4", "--ttl", "10m")
    assert code == 0
    assert out.splitlines()[-2:] == [
        "  on trial: undone 10 min after it has settled, unless kept",
        "    keep it: rblnctl confirm k7q2    undo it now: rblnctl cancel k7q2",
    ]


async def test_on_an_idle_engine_it_is_done_when_it_is_stored(ctl, daemon, answer_of):
    daemon.snapshot.engine.state = engine_pb2.ENGINE_STATE_IDLE
    daemon.answer = answer_of(4, ACCEPTED)
    code, out, _ = await ctl("set", "--max-num-seqs", "4")
    assert code == 0
    assert out.splitlines()[-1] == (
        "The engine is idle: the change is stored and takes force with the next request."
    )


async def test_on_a_silent_scheduler_it_fails_and_says_so(ctl, daemon, answer_of):
    daemon.snapshot.engine.state = engine_pb2.ENGINE_STATE_STALLED
    daemon.snapshot.age_seconds = 12
    daemon.answer = answer_of(4, ACCEPTED, because="no step came")
    code, _, err = await ctl("set", "--max-num-seqs", "4", "--timeout", "0.1")
    assert code == 1
    assert "The scheduler is silent for 12 s with 7 running and 3 waiting (no step came)." in err
    assert "stored" in err


async def test_json_is_the_answer(ctl, daemon, answer_of):
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201, change_id="abc")
    code, out, _ = await ctl("set", "--max-num-seqs", "4", "--ttl", "10m", "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["changeId"] == "abc"
    assert answer["engines"][0]["limits"]["inForceStep"] == "1201"


async def test_a_pending_trial_names_the_commands_that_end_it(ctl, daemon, refusal_of):
    daemon.refuse = refusal_of(
        grpc.StatusCode.FAILED_PRECONDITION, "change abc is on trial", "TRIAL_PENDING", change_id="abc"
    )
    code, out, err = await ctl("set", "--max-num-seqs", "4")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "Error: change abc is on trial",
        "Keep it: rblnctl confirm abc   Undo it: rblnctl cancel abc",
    ]


async def test_a_generation_that_has_moved_says_where_to_look(ctl, daemon, refusal_of):
    daemon.refuse = refusal_of(grpc.StatusCode.ABORTED, "generation is 5, not 3", "GENERATION_MISMATCH")
    code, _, err = await ctl("set", "--max-num-seqs", "4", "--expect-generation", "3")
    assert code == 1
    assert "rblnctl changes" in err


# --- draining --------------------------------------------------------------------------------------------


def draining_to(settled_step, limits_of, running):
    """The engine under generation 4, while it drains to 4."""

    def snapshot(snapshot_of):
        limits = limits_of(4, generation=4)
        limits.in_force_step = 1201
        if settled_step:
            limits.settled_step = settled_step
        made = snapshot_of(running=running)
        made.limits.CopyFrom(limits)
        made.windows.add(seconds=60, covered_seconds=60, finished=30)
        return made

    return snapshot


async def test_piped_a_drain_is_a_line_for_each_change(ctl, daemon, answer_of, snapshot_of, limits_of):
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201)
    daemon.script = [
        draining_to(None, limits_of, 7)(snapshot_of),
        draining_to(None, limits_of, 7)(snapshot_of),
        draining_to(None, limits_of, 5)(snapshot_of),
        draining_to(1260, limits_of, 4)(snapshot_of),
    ]
    code, out, err = await ctl("set", "--max-num-seqs", "4", "--wait", "settled")
    assert code == 0
    assert err.splitlines() == ["draining: 7 running, 4 may", "draining: 5 running, 4 may"]
    assert out.splitlines()[-1] == "demo/0: settled at step 1,260"


async def test_a_drain_that_takes_too_long_fails_and_the_change_stays(ctl, daemon, answer_of):
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201)
    daemon.ticks, daemon.hold_stream = 0, True
    code, _, err = await ctl("set", "--max-num-seqs", "4", "--wait", "settled", "--timeout", "0.1")
    assert code == 1
    assert "In force, not settled yet: 7 requests run and 4 may." in err


async def test_a_drain_on_a_silent_scheduler_says_that_it_is_silent(ctl, daemon, answer_of):
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201)
    daemon.ticks, daemon.hold_stream = 0, True
    daemon.snapshot.age_seconds = 12
    code, _, err = await ctl("set", "--max-num-seqs", "4", "--wait", "settled", "--timeout", "0.1")
    assert code == 1
    assert "7 requests run and 4 may, and the scheduler is silent for 12 s." in err


async def test_a_later_change_ends_the_wait(ctl, daemon, answer_of, snapshot_of, limits_of):
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201)
    later = snapshot_of()
    later.limits.CopyFrom(limits_of(6, generation=5))
    daemon.script = [later]
    daemon.hold_stream = True
    code, _, err = await ctl("set", "--max-num-seqs", "4", "--wait", "settled")
    assert code == 1
    assert "Another change came after it, generation 5" in err


# --- several engines -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["demo/*", "model:tiny-llama"])
async def test_several_engines_are_a_table(ctl, daemon, answer_of, pattern):
    engines = ("demo/0", "demo/1")
    daemon.preview = answer_of(4, ACCEPTED, engines=engines)
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201, engines=engines, change_id="k7q2")
    code, out, _ = await ctl("set", pattern, "--max-num-seqs", "4", "--ttl", "10m")
    assert code == 0
    assert out.splitlines() == [
        "ENGINE   GEN  ADMITS  CHANGE",
        "demo/0     4       4  in force from step 1,201, draining",
        "demo/1     4       4  in force from step 1,201, draining",
        "On trial. Keep it: rblnctl confirm k7q2   Undo it: rblnctl cancel k7q2",
    ]
    asked = [request for request in daemon.requests if isinstance(request, control_pb2.SetLimitsRequest)]
    assert [(request.engine, request.validate_only) for request in asked] == [
        (pattern, True),
        (pattern, False),
    ]


async def test_of_several_engines_one_that_is_late_fails_the_command(ctl, daemon, answer_of):
    engines = ("demo/0", "demo/1")
    daemon.preview = answer_of(4, ACCEPTED, engines=engines)
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201, engines=engines)
    daemon.answer.engines[1].phase = ACCEPTED
    daemon.answer.engines[1].limits.ClearField("in_force_step")
    daemon.answer.engines[1].waiting_because = "scheduler silent for 12 s"
    code, out, err = await ctl("set", "demo/*", "--max-num-seqs", "4")
    assert code == 1
    assert "demo/1     4       4  accepted at step 1,200, not yet in force (scheduler silent for 12 s)" in out
    assert err.startswith("demo/1: The scheduler is silent")


# --- previews --------------------------------------------------------------------------------------------


@pytest.fixture
def previewed(daemon, answer_of):
    """The daemon knows what would happen."""
    daemon.preview = answer_of(4, ACCEPTED)
    change = daemon.preview.engines[0]
    change.warnings.append("odd")
    preview = change.preview
    preview.draining, preview.decode_pad_ratio_now, preview.decode_pad_ratio_then = 3, 0.19, 0.0
    preview.drain_estimate.seconds = 12
    preview.steps_in_smaller_bucket, preview.decode_steps = 312, 1320
    preview.groups.add(
        group=0,
        running=4,
        cap=2,
        excess=2,
        mean_decode_batch_now=4.0,
        mean_decode_batch_then=2.0,
        decode_pad_ratio_now=0.0,
        decode_pad_ratio_then=0.0,
    )
    daemon.answer = answer_of(4, IN_FORCE, in_force=1201)
    return daemon


PREVIEW = [
    "demo/0, now at generation 3, would have:",
    "  max_num_seqs  8 -> 4  of 8",
    "  running     7 run, 4 may: 3 finish and are not replaced, in about 12 s; none is preempted",
    "  padding     19 % -> 0 %, by the last minute; 312 of 1,320 decode steps in a smaller bucket",
    "  group 0     4 run, cap 2, 2 in excess drain; decode batch 4.0 -> 2.0, padding 0 % -> 0 %",
    "  reverts     10 min after it has settled, unless kept",
    "  warning     odd",
]


async def test_a_dry_run_shows_what_would_happen_and_changes_nothing(ctl, previewed):
    code, out, _ = await ctl("set", "--max-num-seqs", "4", "--ttl", "10m", "--dry-run")
    assert code == 0
    assert out.splitlines() == PREVIEW
    assert all(request.validate_only for request in previewed.requests if hasattr(request, "validate_only"))


async def test_a_dry_run_as_json_is_the_verdict(ctl, previewed):
    code, out, _ = await ctl("set", "--max-num-seqs", "4", "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["engines"][0]["preview"]["draining"] == 3


async def test_at_a_terminal_it_shows_the_preview_and_asks(terminal, previewed):
    code, out = await terminal("y\n", "set", "--max-num-seqs", "4", "--ttl", "10m")
    assert code == 0
    assert out[: len(PREVIEW)] == PREVIEW
    assert out[len(PREVIEW)].startswith("Make this change? [y/N]: ")
    made = previewed.requests[-1]
    assert not made.validate_only
    # What was shown is what is done: a change in between refuses it.
    assert dict(made.expected_generations) == {"boot-4242-17": 3}


async def test_at_a_terminal_no_changes_nothing(terminal, previewed):
    code, out = await terminal("\n", "set", "--max-num-seqs", "4")
    assert code == 1
    assert out[-1] == "Make this change? [y/N]: Nothing was changed."
    assert previewed.requests[-1].validate_only


@pytest.mark.parametrize("option", ["--yes", "--json"])
async def test_at_a_terminal_with_yes_or_json_it_does_not_ask(terminal, previewed, option):
    code, out = await terminal("", "set", "--max-num-seqs", "4", option)
    assert code == 0
    assert not any("Make this change?" in line for line in out)
    request = previewed.requests[-1]
    assert (request.HasField("expected_generation"), len(request.expected_generations)) == (False, 0)


async def test_at_a_terminal_a_drain_is_one_line_with_an_estimate(
    terminal, previewed, snapshot_of, limits_of
):
    previewed.script = [
        draining_to(None, limits_of, 7)(snapshot_of),
        draining_to(None, limits_of, 5)(snapshot_of),
        draining_to(1260, limits_of, 4)(snapshot_of),
    ]
    code, out = await terminal("", "set", "--max-num-seqs", "4", "--yes", "--wait", "settled")
    assert code == 0
    text = "\n".join(out)
    assert "\rdraining: 7 running, 4 may, about 6.0 s\x1b[K\rdraining: 5 running, 4 may, about 2.0 s" in text
    assert out[-1].endswith("demo/0: settled at step 1,260")


# --- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("changes[0].value (max_num_seqs)=16: allowed is 2..8", "max_num_seqs cannot be 16: allowed is 2..8"),
        (
            "changes[1].value (group_cap of group 0)=9: allowed is 1..4",
            "group_cap of group 0 cannot be 9: allowed is 1..4",
        ),
        ("changes[0].group=7: allowed is 0..1", "group cannot be 7: allowed is 0..1"),
        ("engine demo/0 refused: changes[0] is odd", "engine demo/0 refused: changes[0] is odd"),
    ],
)
async def test_a_refused_value_is_named_as_it_was_typed(ctl, daemon, refusal_of, message, shown):
    daemon.refuse_changes = refusal_of(grpc.StatusCode.INVALID_ARGUMENT, message, "INVALID_FIELD")
    code, out, err = await ctl("set", "--max-num-seqs", "16")
    assert (code, out, err) == (1, "", f"Error: {shown}\n")
