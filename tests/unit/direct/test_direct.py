"""``rblnctl --direct``: the engine is asked itself, and nothing but its ring tells what it did."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import subprocess
import sys

import pytest

from rblntopd.engines.ring_reader import RingReader
from rblntopd.probe.control_format import Op
from rblntopd.probe.ring_format import Action


def journal(engine):
    with RingReader.open(engine.ring.path) as reader:
        return reader.journal(0)[1]


async def in_steps(engine, command, *running):
    """Run a command; once its change is accepted, make steps with so many running requests."""
    task, before = asyncio.ensure_future(command), engine.limits.generation
    while not task.done() and engine.limits.generation == before:
        await asyncio.wait([task], timeout=0.005)
    for count in running:
        engine.run_with(count)
    return await task


async def test_engines_and_show(direct, engine):
    code, out, _ = await direct("engines")
    assert code == 0
    assert out.splitlines()[1].startswith(f"tiny/0  SERVING  {os.getpid():>6}")

    code, out, _ = await direct("show")
    assert code == 0
    lines = out.splitlines()
    assert any("running" in line and "7 of 8" in line for line in lines)
    assert any(line.startswith("   0     4  ▇▇▇▇▇▇▇▇   4/4") for line in lines)
    assert any(line.startswith(" LIMITS  max_num_seqs 8 of 8   group caps unset of 4") for line in lines)
    # What only a daemon knows is not made up.
    assert any("tokens/s" in line and "--" in line for line in lines)


async def test_show_as_json_is_the_snapshot_of_the_api(direct, engine):
    code, out, _ = await direct("show", "--json")
    assert code == 0
    snapshot = json.loads(out)
    assert (snapshot["running"], snapshot["limits"]["admission"]) == (7, 8)
    assert [group["decodeBatch"] for group in snapshot["groups"]] == [4, 3]


async def test_a_limit_is_set_and_the_journal_says_by_whom(direct, engine):
    code, out, _ = await in_steps(
        engine, direct("set", "--max-num-seqs", "4", "--reason", "daemon is dead"), 7
    )
    assert code == 0
    assert out.splitlines() == [
        "tiny/0: generation 1 in force from step 3, draining",
        "  max_num_seqs  unset -> 4  of 8  (now 7, draining)",
    ]
    (entry,) = journal(engine)
    assert (entry.action, entry.new_max_num_seqs) == (Action.SET, 4)
    assert entry.caller.rstrip(b"\0").decode() == f"uid {os.getuid()} ({getpass.getuser()}), direct"
    assert entry.reason.rstrip(b"\0") == b"daemon is dead"


async def test_group_caps_go_back_to_what_they_were(direct, engine):
    await in_steps(engine, direct("set", "--group-cap", "0=1", "--group-cap", "1=2"), 7)
    assert engine.limits.targets.caps == (1, 2)
    code, out, _ = await in_steps(engine, direct("set", "--group-cap", "0=none", "--json"), 7)
    assert code == 0
    assert engine.limits.targets.caps == (None, 2)
    limits = json.loads(out)["engines"][0]["limits"]
    assert (limits["admission"], limits["admissionFrom"]) == (6, "LIMIT_KIND_GROUP_CAP")


async def test_hold_is_a_mode(direct, engine):
    await in_steps(engine, direct("set", "--group-cap", "0=2", "--mode", "hold"), 7)
    code, out, _ = await direct("show")
    assert code == 0
    assert "caps 2 4 of 4 HOLD" in out


async def test_a_drain_is_followed_until_it_has_settled(direct, engine):
    code, out, err = await in_steps(
        engine, direct("set", "--max-num-seqs", "4", "--wait", "settled"), 7, 6, 4
    )
    assert code == 0
    assert "settled at step" in out
    assert all(line.startswith("draining: ") for line in err.splitlines())


async def test_a_trial_is_kept(direct, engine):
    command = direct("set", "--max-num-seqs", "7", "--ttl", "1h", "--change-id", "abc")
    code, out, _ = await in_steps(engine, command, 7)
    assert code == 0
    assert "keep it: rblnctl confirm abc" in out

    code, out, _ = await direct("show")
    assert "on trial, reverts in 59:5" in out or "on trial, reverts in 1:00:00" in out

    code, _, err = await direct("set", "--max-num-seqs", "6")
    assert code == 1
    assert "change abc is on trial" in err
    assert "Keep it: rblnctl confirm abc   Undo it: rblnctl cancel abc" in err

    code, out, _ = await direct("confirm", "abc", "--extend", "2h")
    assert (code, engine.changes.trial.ttl_ns) == (0, 7200 * 10**9)

    code, out, _ = await direct("confirm", "abc")
    assert code == 0
    assert out.startswith("tiny/0: change abc is kept;")
    assert engine.changes.trial is None
    assert engine.limits.targets.max_num_seqs == 7


async def test_a_trial_is_undone_and_the_next_one_is_told_so(direct, engine):
    await in_steps(engine, direct("set", "--max-num-seqs", "7", "--ttl", "1h"), 7)
    (change_id,) = [engine.changes.trial.change_id]
    assert change_id
    code, _, _ = await direct("cancel", change_id)
    assert code == 0
    assert engine.limits.targets.max_num_seqs is None
    code, _, err = await direct("cancel", change_id)
    assert code == 1
    assert f"change {change_id} was undone" in err
    assert "rblnctl changes tells how it ended." in err


async def test_of_several_engines_those_where_it_is_on_trial_are_meant(direct, start_engine):
    engines = [start_engine(name) for name in ("a/0", "a/1", "b/0")]
    for engine in engines[:2]:
        engine.do(op=Op.SET_LIMITS, max_num_seqs=4, ttl_ms=3_600_000, change_id="abc")
    code, out, _ = await direct("confirm", "abc")
    assert code == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == ["a/0", "a/1"]
    code, _, err = await direct("confirm", "abc")
    assert code == 1
    assert "no engine has a change 'abc' on trial" in err


async def test_a_generation_that_has_moved_refuses(direct, engine):
    engine.do(op=Op.SET_LIMITS, max_num_seqs=4)
    code, _, err = await direct("set", "--max-num-seqs", "6", "--expect-generation", "0")
    assert code == 1
    assert "generation is 1, not 0" in err
    assert engine.limits.targets.max_num_seqs == 4


async def test_a_dry_run_shows_what_would_be(direct, engine):
    code, out, _ = await direct("set", "--group-cap", "1=1", "--ttl", "10m", "--dry-run")
    assert code == 0
    assert out.splitlines() == [
        "tiny/0, now at generation 0, would have:",
        "  cap of group 1  unset -> 1  of 4",
        "  running     7 run, 5 may: 2 finish and are not replaced; none is preempted",
        "  reverts     10 min after it has settled, unless kept",
    ]
    assert engine.limits.generation == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--max-num-seqs", "0"), "max_num_seqs=0: allowed is 2..8"),
        (("--max-num-seqs", "4294967295"), "max_num_seqs=4294967295: allowed is 2..8"),
        (("--group-cap", "0=65535"), "cap of group 0=65535: allowed is 1..4"),
        (("--group-cap", "7=1"), "group=7: allowed is 0..1"),
        (("--max-num-seqs", "4", "--reason", "x" * 129), "at most 128 bytes"),
        (("--max-num-seqs", "4", "--ttl", "1h", "--change-id", "y" * 33), "at most 32 bytes"),
        (("--max-num-seqs", "4", "--ttl", "8d"), "ttl=691200000 ms is not in 1..604800000"),
    ],
)
async def test_what_has_another_meaning_on_the_wire_is_refused(direct, engine, arguments, why):
    code, out, err = await direct("set", *arguments)
    assert (code, out) == (1, "")
    assert why in err
    assert engine.limits.generation == 0


async def test_reset_and_detach(direct, engine):
    engine.do(op=Op.SET_LIMITS, max_num_seqs=4)
    code, _, _ = await direct("reset")
    assert code == 0
    assert engine.limits.targets.max_num_seqs is None
    code, out, _ = await direct("reset", "--detach")
    assert code == 0
    assert "the probe is out" in out
    assert journal(engine)[-1].action == Action.DETACH
    _, out, _ = await direct("engines")
    assert out.splitlines()[-1] == "tiny/0: detached: restart the engine to attach again"


async def test_admission_is_closed_and_opened(direct, engine):
    code, out, _ = await direct("admission", "close", "--for", "30m")
    assert code == 0
    assert out.startswith("tiny/0: admission is closed for 30 min;")
    code, out, _ = await direct("show")
    assert "admission CLOSED, opens in 29:5" in out or "admission CLOSED, opens in 30:00" in out
    assert "● CLOSED" in out
    code, _, _ = await direct("admission", "open")
    assert code == 0
    assert not engine.changes.admission.closed


async def test_changes_are_what_the_engine_remembers(direct, engine):
    await in_steps(engine, direct("set", "--max-num-seqs", "7", "--ttl", "1h", "--change-id", "abc"), 7)
    await direct("cancel", "abc", "--reason", "too slow")
    code, out, _ = await direct("changes", "--json")
    assert code == 0
    changes = json.loads(out)["changes"]
    assert [change["action"] for change in changes] == ["CHANGE_ACTION_CANCEL", "CHANGE_ACTION_TRY"]
    assert changes[0]["reason"] == "too slow"
    assert changes[1]["values"] == [{"kind": "LIMIT_KIND_MAX_NUM_SEQS", "newValue": 7}]
    code, out, _ = await direct("changes", "--limit", "1")
    assert len(out.splitlines()) == 2


# --- what can be in the way ------------------------------------------------------------------------------


async def test_without_an_engine_it_says_where_it_looked(direct, runtime):
    code, _, err = await direct("set", "--max-num-seqs", "4")
    assert code == 1
    assert f"no engine runs in {runtime}" in err
    assert "RBLNTOP_RUNTIME_DIR" in err


async def test_one_of_several_engines_has_to_be_named(direct, start_engine):
    for name in ("a/0", "a/1"):
        start_engine(name).run_with(2)
    code, _, err = await direct("show")
    assert code == 1
    assert "several engines run" in err
    assert "name one of: a/0, a/1" in err
    code, _, err = await direct("set", "a/*", "--max-num-seqs", "4")
    assert code == 1
    assert "--direct takes one engine, not a pattern" in err


async def test_a_dead_engine_is_shown_and_takes_no_change(direct, engine):
    engine.end()
    code, out, _ = await direct("show")
    assert code == 0
    assert "■ GONE" in out
    code, _, err = await direct("set", "--max-num-seqs", "4")
    assert code == 1
    assert "no engine runs" in err


async def test_an_engine_that_only_observes_cannot_be_asked(direct, start_engine):
    start_engine(control=False).run_with(2)
    code, _, err = await direct("reset")
    assert code == 1
    assert "does not answer: the engine has no control socket" in err


async def test_a_file_that_is_no_ring_is_named(direct, runtime):
    (runtime / "engines").mkdir()
    (runtime / "engines" / "x.ring").write_bytes(b"no ring" * 100)
    code, _, err = await direct("show")
    assert code == 1
    assert "skipped" in err
    assert "is not a ring file" in err


def test_it_loads_neither_grpc_nor_a_screen(engine, runtime):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv = ['rblnctl', 'show', '--direct']\n"
            "from rblntop.cli.ctl import main\n"
            "try: main()\n"
            "except SystemExit as end: assert not end.code\n"
            "print(*sys.modules, file=sys.stderr)",
        ],
        env={**os.environ, "RBLNTOP_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert "rblntopd.engines.ring_reader" in loaded
    assert not loaded & {"grpc", "textual", "rblntopd.server", "rblntopd.metrics"}
