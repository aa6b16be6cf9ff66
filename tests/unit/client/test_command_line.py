"""How the commands behave as processes: what they import, and how they end."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import signal
import subprocess
import sys

import pytest

from rblntop.cli.ctl import rblnctl
from rblntop.cli.exit_codes import USAGE
from rblntop.cli.main import rblntop
from rblntop.cli.run import run_command

PROBE = """
import sys
sys.argv = ["command", *{arguments!r}]
import rblntop.cli.{command} as module
try:
    module.main()
except SystemExit:
    pass
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def modules_after(command: str, arguments: list[str]) -> set[str]:
    """What a command has imported by the time it ends."""
    probe = PROBE.format(command=command, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("command", ["ctl", "main"])
def test_help_imports_neither_grpc_nor_textual(command):
    loaded = modules_after(command, ["--help"])
    assert not loaded & {"textual", "rich", "grpc", "google.protobuf", "asyncio"}


@pytest.mark.parametrize(("command", "name"), [("ctl", "rblnctl"), ("main", "rblntop")])
def test_version(command, name):
    done = subprocess.run(
        [sys.executable, "-m", f"rblntop.cli.{command}", "--version"], capture_output=True, text=True
    )
    assert done.stdout == f"{name}, version {importlib.metadata.version('rblntop')}\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("command", "arguments"), [("ctl", ["show"]), ("main", ["--once"]), ("main", ["--json"])]
)
async def test_printing_a_screen_never_imports_textual(daemon, command, arguments):
    loaded = await asyncio.to_thread(modules_after, command, [*arguments, "--connect", daemon.address])
    assert "grpc" in loaded
    assert "textual" not in loaded


async def test_the_dashboard_needs_a_terminal():
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "rblntop.cli.main"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "--once" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment"), [(["--connect", "foo"], {}), ([], {"RBLNTOP_ADDRESS": "foo"})]
)
def test_the_dashboard_does_not_start_on_what_is_no_address(monkeypatch, capsys, arguments, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr("rblntop.app.app.RblntopApp.run", lambda _: 0)
    assert run_command(rblntop, arguments) == USAGE
    assert (
        "'foo' is no address: use unix:/path/to/rblntopd.sock or tls://host:port" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["watch", "--interval", "nan"], "'nan' is not a number of seconds"),
        (["set", "--timeout", "nan"], "'nan' is no length of time, such as 90s"),
    ],
)
def test_a_time_that_is_no_number_is_refused(capsys, arguments, why):
    assert run_command(rblnctl, arguments) == USAGE
    assert why in capsys.readouterr().err


async def start_watch(daemon) -> asyncio.subprocess.Process:
    daemon.ticks, daemon.hold_stream = 3, True
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rblntop.cli.ctl",
        "watch",
        "--json",
        env={**os.environ, "RBLNTOP_ADDRESS": daemon.address, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_ctrl_c_ends_quietly(daemon):
    process = await start_watch(daemon)
    await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"")


async def test_a_broken_pipe_ends_quietly(daemon):
    daemon.ticks = 5000
    shell = f"{sys.executable} -m rblntop.cli.ctl watch --json | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        shell,
        env={**os.environ, "RBLNTOP_ADDRESS": daemon.address},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (out, err) == (b"0\n", b"")


@pytest.mark.parametrize("command", ["show", "watch --count 1", "engines --json"])
async def test_output_that_cannot_be_written_fails_with_one_line(daemon, command):
    code, err = await run_in_shell(daemon, f"{command} >/dev/full")
    assert (code, err) == (1, b"Error: No space left on device\n")


async def test_a_closed_output_is_no_failure(daemon):
    assert await run_in_shell(daemon, "show >&-") == (0, b"")


async def run_in_shell(daemon, command: str) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        f"{sys.executable} -m rblntop.cli.ctl {command}",
        env={**os.environ, "RBLNTOP_ADDRESS": daemon.address},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    return process.returncode, err


def test_every_command_is_where_the_list_says():
    context = rblnctl.make_context("rblnctl", ["show"])
    for name in rblnctl.list_commands(context):
        command = rblnctl.get_command(context, name)
        assert command is not None
        assert (command.name, bool(command.help)) == (name, True)


def test_help_imports_no_command():
    loaded = modules_after("ctl", ["--help"])
    assert "rblntop.cli.set_limits" not in loaded
