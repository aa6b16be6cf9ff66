"""docs/scripting.md: its Python is run, and what it hands to grpcurl is what the API takes."""

from __future__ import annotations

import asyncio
import math
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool, json_format, message_factory

from rblntop.cli.ctl import rblnctl
from rblntop_api.v1 import control_pb2, event_pb2, history_pb2, telemetry_pb2

PAGE = (Path(__file__).parents[3] / "docs" / "scripting.md").read_text()
SERVICES = {
    service.full_name: service
    for module in (control_pb2, telemetry_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def shell_calls(program: str) -> list[list[str]]:
    """Calls of one program in the shell examples, as its arguments."""
    found = []
    for block in blocks("sh"):
        lexer = shlex.shlex(block, posix=True, punctuation_chars=";\n")
        lexer.whitespace, lexer.whitespace_split = " \t", True
        call: list[str] = []
        for token in [*lexer, "\n"]:
            if set(token) <= set(";\n"):
                found += [call[1:]] if call[:1] == [program] else []
                call = []
            else:
                call.append(token)
    return found


async def run_example(daemon, code: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", code),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "RBLNTOP_ADDRESS": daemon.address},
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def asked(daemon) -> list[str]:
    return [type(request).__name__ for request in daemon.requests]


@pytest.fixture
def try_keep(daemon, limits_of):
    """A daemon under which the first example's engine makes as many tokens as before."""
    daemon.snapshot.windows[0].seconds = 60
    change = control_pb2.EngineChange(engine="demo/0", generation=4, limits=limits_of(6, generation=4))
    daemon.answer = control_pb2.SetLimitsResponse(change_id="abc", engines=[change])
    return daemon


async def test_try_and_keep(try_keep):
    code, out, err = await run_example(try_keep, blocks("python")[0])
    assert (code, out, err) == (0, "demo/0 generation 4\n", "")
    assert asked(try_keep) == [
        "GetSnapshotRequest",
        "SetLimitsRequest",
        "GetSnapshotRequest",
        "ConfirmChangeRequest",
    ]
    assert try_keep.requests[-1].change_id == "abc"


async def test_try_and_undo(try_keep, snapshot_of):
    slower = snapshot_of()
    slower.windows[0].output_tokens_per_second = 1.0
    try_keep.after_change = slower
    code, _, err = await run_example(try_keep, blocks("python")[0])
    assert (code, err) == (0, "")
    assert asked(try_keep)[-1] == "CancelChangeRequest"


async def test_look_before(daemon, limits_of):
    change = control_pb2.EngineChange(engine="demo/0", limits=limits_of())
    change.preview.draining = 2
    daemon.answer = control_pb2.SetLimitsResponse(engines=[change])
    code, out, err = await run_example(daemon, blocks("python")[1])
    assert (code, out, err) == (0, "would drain 2 of 7\n", "")
    assert daemon.requests[-1].expected_generation == 3


async def test_maintenance(daemon, snapshot_of):
    daemon.script = [snapshot_of(running=2), snapshot_of(running=0)]
    change = daemon.changes.changes.add(engine="demo/0", reason="driver update")
    change.caller.name = "uid 1000 (ops)"
    code, out, err = await run_example(daemon, blocks("python")[2])
    assert (code, err) == (0, "")
    assert out == "1970-01-01 00:00:00 uid 1000 (ops) driver update\n"
    assert asked(daemon) == [
        "CloseAdmissionRequest",
        "WatchSnapshotsRequest",
        "OpenAdmissionRequest",
        "ListChangesRequest",
    ]


async def test_the_last_hour(daemon):
    column = history_pb2.HISTORY_COLUMN_OUTPUT_TOKENS_PER_SECOND
    series = history_pb2.HistorySeries(column=column, values=[math.nan, 7.0])
    daemon.history = telemetry_pb2.GetHistoryResponse(row_count=2, series=[series])
    daemon.events = [telemetry_pb2.WatchEventsResponse(events=[event_pb2.Event(text="stalled")])]
    daemon.unfinished.requests.add(id="a", age_seconds=2.0, prompt_tokens=5)
    code, out, err = await run_example(daemon, blocks("python")[3])
    assert (code, err) == (0, "")
    assert out == "most tokens/s 7.0 in 1 of 2 rows\n1970-01-01 00:00:00 stalled\na 2.0 5\n"
    assert asked(daemon) == ["GetHistoryRequest", "WatchEventsRequest", "ListRequestsRequest"]


def test_every_python_example_is_run_here():
    assert len(blocks("python")) == 4


def grpc_calls() -> list[list[str]]:
    return [call for call in shell_calls("rpc") if "/" in call[-1]]


@pytest.mark.parametrize("call", grpc_calls(), ids=lambda call: call[-1])
def test_a_grpcurl_call_names_a_method_and_its_body_is_a_request(call):
    service, _, method = call[-1].partition("/")
    described = SERVICES[service].methods_by_name[method]
    body = call[call.index("-d") + 1] if "-d" in call else "{}"
    request = message_factory.GetMessageClass(
        descriptor_pool.Default().FindMessageTypeByName(described.input_type.full_name)
    )()
    json_format.Parse(body, request)
    assert call[-2] == "$SOCKET"


def test_the_grpcurl_calls_cover_the_control_service():
    every = {f"rblntop.v1.Control/{name}" for name in SERVICES["rblntop.v1.Control"].methods_by_name}
    assert every <= {call[-1] for call in grpc_calls()}


def test_what_is_described_exists():
    (described,) = [call[-1] for call in shell_calls("rpc") if "describe" in call]
    assert descriptor_pool.Default().FindMessageTypeByName(described) is not None


@pytest.mark.parametrize("call", shell_calls("rblnctl"), ids=" ".join)
def test_an_rblnctl_call_parses(call):
    context = rblnctl.make_context("rblnctl", call)
    name, command, arguments = rblnctl.resolve_command(context, call)
    assert command is not None
    command.make_context(name, arguments, parent=context)


def test_the_page_has_rblnctl_calls():
    assert [call[0] for call in shell_calls("rblnctl")] == ["set", "show", "confirm"]
