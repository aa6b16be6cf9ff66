"""``rblntopd run``: the engine's command with the probe on its path, and a daemon beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from rblntop_api.v1 import telemetry_pb2, telemetry_pb2_grpc
from rblntopd.server.socket_place import is_served

REPORT = """
import importlib.metadata, json, os, sys
import rblntopd.probe
(found,) = importlib.metadata.entry_points(group="vllm.general_plugins", name="rblntop")
names = ("RBLNTOP_RUNTIME_DIR", "RBLNTOP_ENGINE_NAME", "VLLM_PLUGINS", "PYTHONPATH")
print(json.dumps({
    "pid": os.getpid(), "probe": rblntopd.probe.__file__, "entry_point": found.value,
    **{name: os.environ.get(name) for name in names},
}), flush=True)
"""


@pytest.fixture
def environment(runtime, until):
    yield os.environ | {
        "RBLNTOP_RUNTIME_DIR": str(runtime),
        "RBLNTOP_STATE_DIR": str(runtime.parent / "state"),
    }
    # The daemon beside the command may still be starting, and would make its directory again.
    socket = runtime / "rblntopd.sock"
    if (runtime / "rblntopd.log").exists() and "ending" not in (runtime / "rblntopd.log").read_text():
        pid = until(lambda: is_served(socket) and (runtime / "rblntopd.sock.lock").read_text().strip())
        os.kill(int(pid), signal.SIGTERM)
        until(lambda: not is_served(socket))


def start(environment, *command, **options):
    rblntopd = Path(sys.executable).with_name("rblntopd")
    return subprocess.Popen([rblntopd, "run", *command], env=environment, text=True, **options)


def report(environment, *options):
    with start(environment, *options, "--", sys.executable, "-c", REPORT, stdout=subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return process.pid, json.loads(output)


def test_the_command_has_the_probe_in_front_of_its_path_and_the_same_pid(environment, runtime):
    pid, found = report(environment | {"PYTHONPATH": "/somewhere"}, "--name", "prod")
    assert found["pid"] == pid
    assert found["probe"].startswith(f"{runtime}/probe/")
    assert found["entry_point"] == "rblntopd.probe.plugin:register"
    assert (
        found["PYTHONPATH"]
        == f"{os.path.dirname(os.path.dirname(os.path.dirname(found['probe'])))}:/somewhere"
    )
    assert (found["RBLNTOP_RUNTIME_DIR"], found["RBLNTOP_ENGINE_NAME"]) == (str(runtime), "prod")
    # Naming ours alone would switch every other plugin off, the platform's among them.
    assert found["VLLM_PLUGINS"] is None


@pytest.mark.parametrize(
    ("before", "after"), [("", "rblntop"), ("a", "a,rblntop"), ("rblntop,a", "rblntop,a")]
)
def test_where_plugins_are_named_ours_is_added(environment, before, after):
    assert report(environment | {"VLLM_PLUGINS": before})[1]["VLLM_PLUGINS"] == after


def test_a_daemon_serves_beside_the_command_and_outlives_a_second_one(environment, runtime, until):
    waiting = [sys.executable, "-c", "input()"]
    with start(environment, "--", *waiting, stdin=subprocess.PIPE) as first:
        with grpc.insecure_channel(f"unix:{runtime}/rblntopd.sock") as channel:
            grpc.channel_ready_future(channel).result(timeout=30)
            telemetry = telemetry_pb2_grpc.TelemetryStub(channel)
            telemetry.ListEngines(telemetry_pb2.ListEnginesRequest())
            with start(environment, "--", *waiting, stdin=subprocess.PIPE) as second:
                second.communicate("\n", timeout=60)
            telemetry.ListEngines(telemetry_pb2.ListEnginesRequest())
        log = (runtime / "rblntopd.log").read_text()
        assert log.count(" serves ") == 1
        assert "already serves" not in log
        first.communicate("\n", timeout=60)
    until(lambda: not is_served(runtime / "rblntopd.sock"))


def test_a_command_that_starts_while_the_daemon_of_another_ends_is_watched(environment, runtime, until):
    waiting = [sys.executable, "-c", "input()"]
    log = runtime / "rblntopd.log"
    with start(environment, "--", *waiting, stdin=subprocess.PIPE) as first:
        until(lambda: log.exists() and " serves " in log.read_text())
        first.communicate("\n", timeout=60)
    with start(environment, "--", *waiting, stdin=subprocess.PIPE) as second:
        until(lambda: log.read_text().count(" serves ") == 2)
        assert is_served(runtime / "rblntopd.sock")
        second.communicate("\n", timeout=60)
    until(lambda: not is_served(runtime / "rblntopd.sock"))


def test_the_daemon_imports_nothing_from_the_working_directory(environment, runtime, tmp_path, until):
    (tmp_path / "click.py").write_text("raise SystemExit('imported from the working directory')")
    waiting = [sys.executable, "-c", "input()"]
    with start(environment, "--", *waiting, stdin=subprocess.PIPE, cwd=tmp_path) as command:
        until(lambda: is_served(runtime / "rblntopd.sock"))
        command.communicate("\n", timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_reach_the_command_and_leave_the_daemon(environment, number):
    command = [sys.executable, "-c", "import signal; print('ready', flush=True); signal.pause()"]
    with start(environment, "--", *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(timeout=60) == -number


def test_the_exit_code_is_the_commands(environment):
    with start(environment, "--", sys.executable, "-c", "raise SystemExit(42)") as process:
        assert process.wait(timeout=60) == 42


def test_a_command_that_is_not_there_is_127_and_starts_no_daemon(environment, runtime):
    with start(environment, "--", "no-such-command", "serve", stderr=subprocess.PIPE) as process:
        _, text = process.communicate(timeout=60)
    assert process.returncode == 127
    assert text == "rblntopd run: command not found: no-such-command\n"
    assert not (runtime / "rblntopd.log").exists()


def test_an_option_that_is_not_ours_is_no_command(environment, runtime):
    with start(environment, "--nmae", "x", "--", "true", stderr=subprocess.PIPE) as process:
        _, text = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "No such option '--nmae'" in text
    assert not (runtime / "rblntopd.log").exists()


def test_options_behind_the_command_are_the_commands(environment):
    code = "import sys; print(*sys.argv[1:])"
    command = [sys.executable, "-c", code, "--help", "--name", "x"]
    with start(environment, *command, stdout=subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=60)
    assert output == "--help --name x\n"


def test_a_command_that_is_not_executable_is_126(environment, tmp_path):
    path = tmp_path / "engine"
    path.touch()
    with start(environment, "--", str(path), stderr=subprocess.PIPE) as process:
        _, text = process.communicate(timeout=60)
    assert (process.returncode, text) == (126, f"rblntopd run: {path} is not executable\n")


def test_where_the_runtime_directory_cannot_be_written_the_command_runs_unwatched(tmp_path):
    path = tmp_path / "file"
    path.touch()
    environment = os.environ | {"RBLNTOP_RUNTIME_DIR": str(path / "below")}
    with start(environment, "--", "true", stderr=subprocess.PIPE) as process:
        _, text = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Not a directory" in text
    assert text.endswith(": the engine starts unwatched\n")


def test_a_probe_in_a_directory_that_others_can_write_is_not_loaded(environment, runtime):
    runtime.chmod(0o777)
    with start(environment, "--", "env", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        output, text = process.communicate(timeout=60)
    assert f"{runtime}/probe" not in output
    assert text.endswith(f"chmod go-w {runtime}: the engine starts unwatched\n")


def test_the_exported_probe_can_be_loaded_by_itself(tmp_path):
    command = [sys.executable, "-m", "rblntopd.cli", "probe", "export", str(tmp_path / "probe")]
    for _ in range(2):  # Over one that is there, too.
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"put {tmp_path}/probe in front of the engine's PYTHONPATH\n"
    code = "import rblntopd.probe.plugin as found; print(found.__file__)"
    environment = {"PYTHONPATH": str(tmp_path / "probe")}
    # -S: nothing but the standard library and this directory.
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True
    )
    assert loaded.stdout == f"{tmp_path}/probe/rblntopd/probe/plugin.py\n"
