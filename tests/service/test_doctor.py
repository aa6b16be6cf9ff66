"""``rblnctl doctor`` beside real daemons, rings and processes that look like vLLM's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from rblntop_api.v1 import telemetry_pb2

HERE = Path(__file__).parent
#: A command line as vLLM's, and a stand-in engine in the same process where it is to have a ring.
FAKE_VLLM = f"""
import json, os, sys
sys.path.insert(0, {str(HERE)!r})
if "--ring" in sys.argv:
    from pathlib import Path
    from stand_in_engine import StandInEngine
    engine = StandInEngine(Path(os.environ["RBLNTOP_RUNTIME_DIR"]), {{"probe_version": "0.0.9"}})
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start_vllm(tmp_path, runtime):
    """Starts what looks like ``vllm serve``, with an environment of its own."""
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    program.write_text(FAKE_VLLM)
    started = []

    def start(*options, python=sys.executable, **environment):
        process = subprocess.Popen(
            [python, str(program), "serve", "tiny", *options],
            env={"PATH": os.environ["PATH"], "RBLNTOP_RUNTIME_DIR": str(runtime), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process.pid

    yield start
    for process in started:
        process.communicate()


@pytest.fixture
def doctor(runtime):
    """Runs it; gives its exit code, and what it says of each subject."""

    def doctor(*options, socket="rblntopd.sock", **environment):
        command = [Path(sys.executable).with_name("rblnctl"), "doctor", "--json", *options]
        done = subprocess.run(
            [*command, "--connect", f"unix:{runtime / socket}"],
            env=os.environ | {"RBLNTOP_RUNTIME_DIR": str(runtime), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout, done.stderr
        findings = json.loads(done.stdout)["findings"]
        return done.returncode, {
            f"{finding['level']} {finding['subject']}: {finding['text']}": finding["command"]
            for finding in findings
        }

    return doctor


def commands(found, text):
    """The commands of the findings that have ``text``."""
    return [command for line, command in found.items() if text in line]


def problems(found):
    return [line for line in found if line.startswith("problem")]


def test_an_engine_that_is_watched_is_well(start_vllm, start_daemon, doctor, runtime):
    pid = start_vllm("--ring")
    daemon = start_daemon()
    code, found = doctor("--pid", str(pid))
    assert (code, problems(found)) == (0, [])
    assert commands(found, f"(pid {pid}, ") == [""]
    version = daemon.telemetry.ListEngines(telemetry_pb2.ListEnginesRequest()).daemon_version
    assert f"ok daemon: unix:{daemon.socket} answers: version {version}, 1 engine" in found
    assert "ok daemon: you are an operator: you may look, and change limits" in found
    assert commands(found, "its probe is 0.0.9") == [""]


def test_a_sim_engine_is_well_without_a_process_of_vllm(start_daemon, doctor, runtime, until):
    sim = subprocess.Popen(
        [sys.executable, "-m", "rblntopd.sim.engine", "--scenario", "balanced"],
        env=os.environ | {"RBLNTOP_RUNTIME_DIR": str(runtime)},
    )
    try:
        until(lambda: list(runtime.glob("engines/[!.]*.ring")))
        daemon = start_daemon()
        until(lambda: daemon.telemetry.ListEngines(telemetry_pb2.ListEnginesRequest()).engines)
        _, found = doctor()
    finally:
        sim.kill()
        sim.wait()
    assert commands(found, f"ok ring: sim-balanced/0 (pid {sim.pid}) records into {runtime}/engines") == [""]


def test_an_environment_without_the_plugin(start_vllm, start_daemon, doctor, tmp_path):
    venv.create(tmp_path / "env", with_pip=False)
    python = str(tmp_path / "env" / "bin" / "python")
    pid = start_vllm(python=python)
    start_daemon()
    code, found = doctor("--pid", str(pid))
    assert code == 1
    (command,) = commands(found, f"the plugin is not installed in {python}")
    assert command.startswith(f"{python} -m pip install --no-deps rblntop")


def test_plugins_that_are_named_without_ours(start_vllm, start_daemon, doctor):
    pid = start_vllm(VLLM_PLUGINS="rbln", RBLNTOP_PROBE="off")
    start_daemon()
    code, found = doctor("--pid", str(pid))
    assert code == 1
    assert commands(found, "VLLM_PLUGINS='rbln' leaves rblntop out") == [
        "export VLLM_PLUGINS=rbln,rblntop   # and restart the engine"
    ]
    assert len(problems(found)) == 2


def test_an_engine_that_records_into_another_directory(start_vllm, start_daemon, doctor, runtime):
    other = runtime.with_name("other")
    other.mkdir(mode=0o700)
    pid = start_vllm("--ring", RBLNTOP_RUNTIME_DIR=str(other))
    start_daemon()
    code, found = doctor("--pid", str(pid))
    assert code == 1
    assert commands(found, f"it records into {other}") == [f"export RBLNTOP_RUNTIME_DIR={other}"]


def test_a_dead_ring_is_no_problem_and_can_be_read(start_engine, start_daemon, doctor, start_vllm):
    engine = start_engine()
    engine.kill()
    pid = start_vllm()  # Something to look at, lest engines of others count.
    start_daemon()
    code, found = doctor("--pid", str(pid))
    assert commands(found, "tiny/0") == [f"rblnctl steps --ring {engine.path}"]
    assert (code, problems(found)) == (0, [])


def test_a_file_that_is_no_ring(daemon, doctor, runtime, start_vllm):
    (runtime / "engines" / "odd.ring").write_bytes(b"\0" * 4096)
    code, found = doctor("--pid", str(start_vllm()))
    assert code == 1
    assert commands(found, "odd.ring cannot be read: is not a ring file")[0].startswith("rm ")


def test_no_daemon_beside_an_engine(engine, doctor, runtime):
    code, found = doctor()
    assert code == 1
    assert commands(found, f"the daemon at unix:{runtime / 'rblntopd.sock'} cannot be used") == [
        f"rblntopd serve --runtime-dir {runtime}"
    ]


def test_through_the_viewers_socket_it_says_so(daemon, doctor, start_vllm):
    code, found = doctor("--pid", str(start_vllm("--ring")), socket="rblntopd-ro.sock")
    assert "note daemon: you are a viewer: you may look, and change nothing" in found
    assert (code, problems(found)) == (0, [])


def test_a_python_is_asked_before_an_engine_starts(daemon, doctor, tmp_path, start_vllm):
    (tmp_path / "path" / "vllm").mkdir(parents=True)
    (tmp_path / "path" / "vllm" / "__init__.py").write_text("raise SystemExit('imported')")
    only = ("--pid", str(start_vllm("--ring")), "--python", sys.executable)
    code, found = doctor(*only, PYTHONPATH=str(tmp_path / "path"))
    assert commands(found, f"is installed in {sys.executable}") == [""]
    assert code == 0
    code, found = doctor(*only)
    assert code == 1
    assert commands(found, "has no vLLM")


def test_a_pid_that_is_not_vllms_is_refused(daemon):
    done = subprocess.run(
        [Path(sys.executable).with_name("rblnctl"), "doctor", "--pid", str(os.getpid())],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"Error: --pid {os.getpid()} is no vLLM process: " in done.stderr


def test_it_never_imports_textual(daemon):
    run = "import sys, rblntop.cli.run as run, rblntop.cli.ctl as ctl\n"
    run += "run.run_command(ctl.rblnctl, ['doctor', '--connect', sys.argv[1]])\n"
    run += "print('psutil' in sys.modules, 'textual' in sys.modules)"
    command = [sys.executable, "-c", run, f"unix:{daemon.socket}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "True False"
