"""rblnctl in a process of its own, against a daemon on a real socket."""

from __future__ import annotations

import json

import grpc
import pytest

from rblntop_api.v1 import step_pb2, telemetry_pb2


async def test_engines(ctl):
    code, out, _ = await ctl("engines")
    assert code == 0
    assert out.splitlines() == [
        "ENGINE  STATE       PID  PP TP DP    SEQS  MODEL       VLLM       VLLM-RBLN  SINCE",
        "demo/0  SERVING    4242   2  1 0/1      8  tiny-llama  0.30.0     0.12.0     --:--:--",
    ]


async def test_show_is_a_screen(ctl):
    code, out, _ = await ctl("show")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith(
        " rblntop   demo/0  pp 2 tp 1 dp 0/1  tiny-llama  vllm 0.30.0 + vllm-rbln 0.12.0"
    )
    assert any(line.startswith("   1     3  ▇▇▇▇▇▇▒▒   3/4   25 %") for line in lines)
    assert any("max_seq_len" in line and line.endswith("300") for line in lines)
    assert any("max_model_len" in line and line.endswith("512") for line in lines)
    assert any("max_num_batched_tokens" in line and line.endswith("128") for line in lines)
    assert "\x1b" not in out


async def test_show_json_keeps_zeros_and_leaves_out_what_is_not_known(ctl, daemon):
    daemon.snapshot.waiting = 0
    daemon.snapshot.ClearField("oldest_wait_seconds")
    code, out, _ = await ctl("show", "--json")
    snapshot = json.loads(out)
    assert code == 0
    assert snapshot["waiting"] == 0
    assert "oldestWaitSeconds" not in snapshot


async def test_watch_json_has_an_object_a_line_with_the_figures_of_each_group(ctl):
    code, out, _ = await ctl("watch", "--json", "--count", "2")
    assert code == 0
    first, second = (json.loads(line) for line in out.splitlines())
    assert (first["step"], second["step"]) == ("1200", "1201")
    assert [(g["running"], g["decodeBatch"], g["paddedBatch"]) for g in first["groups"]] == [
        (4, 4, 4),
        (3, 3, 4),
    ]
    assert [g["decodePadRatio"] for g in first["windows"][0]["groups"]] == [0.0, 0.25]


async def test_watch_has_a_line_a_snapshot(ctl):
    code, out, _ = await ctl("watch", "--count", "1")
    assert code == 0
    assert out.split() == [
        "22:13:20",
        "demo/0",
        "SERVING",
        "run",
        "7/8",
        "wait",
        "3",
        "72",
        "tok/s",
        "queue",
        "97",
        "%",
        "pad",
        "12",
        "%",
        "kv",
        "58",
        "%",
        "g0",
        "4",
        "[4/4]",
        "g1",
        "3",
        "[3/4]",
    ]


async def test_watch_asks_for_the_interval(ctl, daemon):
    await ctl("watch", "demo/0", "--count", "1", "--interval", "0.1")
    assert daemon.requests[-1].interval.ToTimedelta().total_seconds() == 0.1


async def test_watch_without_an_engine_says_so_once(ctl, daemon):
    daemon.no_engine = True
    code, out, err = await ctl("watch", "--count", "3")
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        "No engine yet. Start one with `rblntopd run -- vllm serve ...`, or install rblntop beside vLLM."
    ]


async def test_steps(ctl, daemon):
    decode = step_pb2.Step(
        sequence=3,
        step=4,
        kind=step_pb2.STEP_KIND_DECODE,
        group=1,
        scheduled_ns=0,
        completed_ns=4_500_000,
        requests=3,
        tokens=3,
        padded_batch=4,
        max_seq_len=300,
        running=7,
        waiting=2,
        kv_usage_ratio=0.5,
        generation=1,
        count=1,
    )
    empty = step_pb2.Step(sequence=4, step=5, kind=step_pb2.STEP_KIND_EMPTY, count=7)
    empty.causes.add(cause=step_pb2.EMPTY_CAUSE_DEMAND, steps=7)
    daemon.steps = [telemetry_pb2.WatchStepsResponse(missed=3, steps=[decode, empty])]
    code, out, _ = await ctl("steps", "--no-follow")
    assert code == 0
    assert out.splitlines()[1:] == [
        "gap 3 steps that the recorder no longer holds",
        "       3         4  decode       1    3/4        3  4.5 ms          300      7      2   50 %    1",
        "       4         5  empty                   x 7          0 s  7 few reqs",
    ]
    assert daemon.requests[-1].from_sequence == 0

    code, out, _ = await ctl("steps", "--no-follow", "--json")
    missed, first, _ = (json.loads(line) for line in out.splitlines())
    assert missed == {"missed": "3"}
    assert first["paddedBatch"] == 4


async def test_a_refusal_exits_1_with_the_words_of_the_daemon(ctl, daemon, refusal_of):
    daemon.refuse = refusal_of(grpc.StatusCode.NOT_FOUND, "no engine x; there is demo/0", "ENGINE_NOT_FOUND")
    code, out, err = await ctl("show", "x")
    assert (code, out, err) == (1, "", "Error: no engine x; there is demo/0\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("set",),
        ("set", "--group-cap", "zero=1"),
        ("set", "--group-cap", "0=1", "--group-cap", "0=2"),
        ("set", "--group-cap", "0=٣"),
        ("set", "--max-num-seqs", "-1"),
        ("set", "--max-num-seqs", "4", "--max-num-seqs", "8"),
        ("set", "--max-num-seqs", "4294967296"),
        ("set", "--max-num-seqs", "4", "--ttl", "600"),
        ("set", "--max-num-seqs", "4", "--ttl", "0s"),
        ("set", "--max-num-seqs", "4", "--change-id", "abc"),
        ("set", "--max-num-seqs", "4", "--expect-generation", "-1"),
        ("set", "--max-num-seqs", "4", "--direct", "--connect", "unix:/x"),
        ("confirm",),
        ("cancel",),
        ("admission", "close"),
        ("admission", "close", "--for", "30m", "--until-opened"),
        ("changes", "--since", "yesterday"),
        ("show", "a", "--engine", "b"),
        ("watch", "--interval", "0"),
        ("watch", "--interval", "nan"),
        ("set", "--max-num-seqs", "4", "--timeout", "nan"),
        ("steps", "--from", "18446744073709551616"),
        ("show", "--connect", "nonsense"),
        ("nonsense",),
    ],
    ids=" ".join,
)
async def test_usage_exits_2_without_asking_the_daemon(ctl, daemon, arguments):
    code, out, err = await ctl(*arguments)
    assert code == 2
    assert out == ""
    assert "Error:" in err
    assert daemon.requests == []


@pytest.mark.parametrize(
    "command",
    [
        ("engines",),
        ("show",),
        ("watch",),
        ("steps",),
        ("set", "--max-num-seqs", "4"),
        ("confirm", "abc"),
        ("cancel", "abc"),
        ("reset",),
        ("admission", "close", "--for", "30m"),
        ("admission", "open"),
        ("changes",),
    ],
    ids=" ".join,
)
async def test_no_daemon_exits_3_and_says_how_to_start_one(ctl, tmp_path, command):
    code, _, err = await ctl(*command, address=f"unix:{tmp_path}/none.sock")
    assert code == 3
    assert f"no daemon answers at unix:{tmp_path}/none.sock: No such file or directory\n" in err
    assert "rblntopd serve" in err
    assert ("--direct" in err) is (command[0] not in ("watch", "steps"))


async def test_a_stream_that_breaks_exits_3(ctl, daemon):
    daemon.ticks, daemon.hold_stream = 1, True
    import asyncio

    running = asyncio.create_task(ctl("watch"))
    while not daemon.requests:
        await asyncio.wait([running], timeout=0.01)
    await daemon.stop()
    code, _, _ = await running
    assert code == 3
