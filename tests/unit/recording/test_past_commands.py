"""``rblnctl steps`` and ``rblnctl export`` on files: no daemon, and errors that name the file."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from rblntop.cli.ctl import rblnctl
from rblntop.cli.run import run_command
from rblntopd.probe.ring_format import Kind, Step
from rblntopd.probe.ring_writer import RingWriter

from .conftest import record
from .trace_rules import checked


def rbln(capsys, *arguments: str) -> tuple[int, str, str]:
    code = run_command(rblnctl, list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """What a dead engine left behind: 250 steps, of which the ring holds 99."""
    path = tmp_path / "dead.ring"
    description = {"name": "tiny/0", "instance_id": "boot-1", "pid": 42, "pp_size": 2, "group_count": 2}
    writer = RingWriter.create(
        path, description, boot_id=uuid.uuid4().hex, start_ticks=1, in_flight_slots=2, capacity=100
    )
    for number in range(1, 251):
        kind, group = (Kind.EMPTY, -1) if number % 50 == 0 else (Kind.DECODE, number % 2)
        writer.publish(
            Step(
                number, number * 10_000_000, number * 10_000_000 + 9_000_000, 100_000, 3, 7, 2, 500, 0, 7, 0,
                8, 28, 0, 7, 0, 0, 30, 0, 1, 0.5, kind, group, max(group, 0), 0, 2,
            )
        )  # fmt: skip
    writer.close()
    return path


def test_the_steps_of_a_dead_engine_are_read_from_its_ring(ring, capsys):
    code, out, _ = rbln(capsys, "steps", "--ring", str(ring), "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert lines[0] == {"missed": "151"}
    assert [int(line["sequence"]) for line in lines[1:]] == list(range(151, 250))
    assert (lines[1]["kind"], lines[1]["paddedBatch"], lines[1]["running"]) == ("STEP_KIND_DECODE", 8, 28)
    assert lines[-1]["kind"] == "STEP_KIND_EMPTY"
    assert "group" not in lines[-1]


def test_the_steps_of_a_ring_are_listed(ring, capsys):
    code, out, _ = rbln(capsys, "steps", "--ring", str(ring), "--from", "248")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["248", "249", "decode"],
        ["249", "250", "empty"],
    ]


def test_the_steps_of_a_recording_are_listed_up_to_a_count(recorded, capsys):
    code, out, _ = rbln(capsys, "steps", "--recording", str(recorded), "--from", "598", "--json")
    assert code == 0
    assert [int(json.loads(line)["sequence"]) for line in out.splitlines()] == [598, 599]
    _, out, _ = rbln(capsys, "steps", "--recording", str(recorded), "--count", "3")
    assert len(out.splitlines()) == 4


def test_a_damaged_recording_says_so_beside_what_it_holds(recorded, capsys):
    with open(recorded, "r+b") as file:
        file.truncate(recorded.stat().st_size - 5)
    code, out, err = rbln(capsys, "steps", "--recording", str(recorded))
    assert code == 0
    assert len(out.splitlines()) == 601
    assert err.startswith(f"{recorded}: its end is cut off")


@pytest.mark.parametrize("source", ["--recording", "--ring"])
@pytest.mark.parametrize(("content", "why"), [(b"", ""), (b"garbage" * 1000, "is not a r"), (None, "")])
@pytest.mark.parametrize("command", ["steps", "export --format csv -o -"])
def test_what_cannot_be_read_fails_with_one_line_that_names_it(
    tmp_path, capsys, source, content, why, command
):
    path = tmp_path / "odd"
    if content is not None:
        path.write_bytes(content)
    code, _, err = rbln(capsys, *command.split(), source, str(path))
    assert code == 1
    assert err.startswith(f"Error: {path}: ")
    assert why in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["steps", "--ring", "a", "--recording", "b"],
        ["steps", "demo/0", "--ring", "a"],
        ["export", "--format", "csv", "-o", "-", "--ring", "a", "--for", "3s"],
        ["export", "--format", "csv", "-o", "-", "--for", "1h"],
        ["export", "-o", "-"],
    ],
)
def test_what_contradicts_itself_is_a_usage_error(capsys, arguments):
    assert rbln(capsys, *arguments)[0] == 2


def test_a_recording_is_exported_for_perfetto(recorded, tmp_path, capsys):
    out = tmp_path / "trace.json"
    code, _, err = rbln(
        capsys, "export", "--format", "perfetto", "-o", str(out), "--recording", str(recorded)
    )
    assert code == 0
    assert err.startswith(f"600 steps of {recorded} in {out}\n")
    assert len([event for event in checked(out) if event["ph"] == "X"]) == 600


def test_a_ring_is_exported_for_perfetto(ring, tmp_path, capsys):
    out = tmp_path / "trace.json"
    assert rbln(capsys, "export", "--format", "perfetto", "-o", str(out), "--ring", str(ring))[0] == 0
    events = checked(out)
    assert len([event for event in events if event["ph"] == "X"]) == 99
    assert [event["name"] for event in events if event["ph"] == "i"] == ["gap: 151 steps missed"]


def test_a_name_that_ends_in_gz_is_packed(recorded, tmp_path, capsys):
    out = tmp_path / "steps.ndjson.gz"
    rbln(capsys, "export", "--format", "ndjson", "-o", str(out), "--recording", str(recorded))
    with gzip.open(out, "rt") as lines:
        assert len(list(lines)) == 600


def test_an_export_that_fails_leaves_what_was_there(tmp_path, capsys):
    out = tmp_path / "steps.csv"
    out.write_text("before")
    code, _, _ = rbln(
        capsys, "export", "--format", "csv", "-o", str(out), "--recording", str(tmp_path / "none")
    )
    assert code == 1
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["steps.csv"]


@pytest.mark.parametrize("command", ["steps", "export --format perfetto -o -"])
def test_neither_grpc_nor_textual_is_imported_for_a_file(tmp_path, command):
    path = record(tmp_path / "demo.rec", seconds=6)
    program = (
        "import sys; from rblntop.cli.ctl import rblnctl; from rblntop.cli.run import run_command; "
        f"run_command(rblnctl, {[*command.split(), '--recording', str(path)]!r}); "
        "print(sorted({'grpc', 'textual'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
