"""What the doctor finds out about processes and interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
import venv

import pytest

from rblntop.doctor.devices import look_at_devices
from rblntop.doctor.engine_python import Identity, ask_python
from rblntop.doctor.place import engine_place, look_at_place
from rblntop.doctor.rings import look_at_rings
from rblntop.doctor.vllm_processes import is_core, is_vllm, pids_everywhere, read_environment, short_title


@pytest.mark.parametrize(
    "command",
    [
        ["/opt/v/bin/python3.11", "/opt/v/bin/vllm", "serve", "model"],
        ["vllm", "serve", "model"],
        ["python", "-m", "vllm.entrypoints.openai.api_server", "--model", "m"],
        ["python3", "-u", "-m", "vllm", "serve"],
        ["python", "-m", "rblntopd.sim.serve_on_cpu", "model"],
        ["VLLM::EngineCore_DP0", ""],
        ["VLLM::Worker_PP1"],
        ["prod::APIServer_0"],
    ],
)
def test_vllm_is_known_by_its_command_or_its_title(command):
    assert is_vllm(command)


@pytest.mark.parametrize(
    "command",
    [
        [],
        [""],
        ["bash", "-c", "vllm serve model"],
        ["vim", "/home/alice/vllm", "serve"],
        ["python", "-m", "vllmish"],
        ["vllm", "bench"],
        ["python", "/opt/v/bin/vllm", "chat", "serve"],
        ["grep", "VLLM::EngineCore"],
        ["rblntopd", "run", "--", "vllm", "serve"],
    ],
)
def test_what_only_looks_like_it_is_not(command):
    assert not is_vllm(command)


@pytest.mark.parametrize(
    ("command", "title"),
    [
        (["/v/bin/python3", "/v/bin/vllm", "serve", "tiny", "--api-key", "x"], "vllm serve tiny"),
        (["vllm", "serve", "--api-key", "x"], "vllm serve"),
        (["/v/bin/python", "-u", "-m", "vllm.entrypoints.openai.api_server", "--api-key", "x"],
         "python -m vllm.entrypoints.openai.api_server"),
        (["VLLM::EngineCore", ""], "VLLM::EngineCore"),
        ([], "vllm"),
    ],
)  # fmt: skip
def test_a_title_has_no_option_for_it_may_be_a_secret(command, title):
    assert short_title(command) == title


def test_the_engine_core_is_the_process_with_the_scheduler():
    assert is_core(["VLLM::EngineCore"])
    assert not is_core(["VLLM::Worker_PP0"])


def test_an_environment_under_a_title_is_read_from_the_process_above():
    # A process without one shows what is left of it below a title: nothing.
    with subprocess.Popen(["/bin/cat"], env={}, stdin=subprocess.PIPE) as titled:
        assert read_environment([titled.pid]) == (None, "its title has been written over it")
        found, why = read_environment([titled.pid, os.getpid()])
        titled.stdin.close()
    assert why == ""
    assert "PATH" in found


def test_an_ended_process_has_no_environment():
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
        assert read_environment([ended.pid]) == (None, "No such file or directory")
        assert pids_everywhere(ended.pid) == {ended.pid}


def test_the_path_of_the_environment_decides_what_is_asked(tmp_path):
    venv.create(tmp_path / "env", with_pip=False)
    python = str(tmp_path / "env" / "bin" / "python")
    assert not ask_python(python, {}).installed
    probe = tmp_path / "probe"
    export = [sys.executable, "-m", "rblntopd.cli", "probe", "export", str(probe)]
    subprocess.run(export, check=True, capture_output=True)
    answer = ask_python(python, {"PYTHONPATH": str(probe)})
    assert (answer.installed, answer.import_error, answer.has_vllm) == (True, "", False)
    assert answer.probe_version


def test_vllm_is_looked_for_and_not_imported(tmp_path):
    package = tmp_path / "vllm"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    answer = ask_python(sys.executable, {"PYTHONPATH": str(tmp_path)})
    assert (answer.error, answer.has_vllm, answer.has_vllm_rbln) == ("", True, False)


def test_a_probe_that_cannot_be_imported_says_why(tmp_path):
    package = tmp_path / "rblntopd" / "probe"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from nowhere import anything")
    (package.parent / "__init__.py").touch()
    answer = ask_python(sys.executable, {"PYTHONPATH": str(tmp_path)})
    assert answer.import_error == "ModuleNotFoundError: No module named 'nowhere'"


@pytest.mark.parametrize(
    ("python", "error"),
    [
        ("/no/such/python", "No such file or directory"),
        ("/bin/false", "exit code 1: it printed nothing"),
        ("/bin/echo", "exit code 0: it printed nothing"),
    ],
)
def test_what_is_no_python_says_so(python, error):
    assert ask_python(python, {}).error == error


def test_another_users_program_is_not_run_with_our_rights(monkeypatch, tmp_path):
    ran = tmp_path / "ran"
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert ask_python(str(program), {}, Identity(1001, 1001)).error == (
        "it is another user's program, which is not run"
    )
    assert not ran.exists()


def test_root_asks_an_engines_python_with_the_rights_of_its_user(monkeypatch):
    asked = {}

    def run(command, **options):
        asked.update(options)
        return subprocess.CompletedProcess(command, 0, b'{"installed": true}', b"")

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("subprocess.run", run)
    assert ask_python("/opt/v/bin/python", {"PYTHONPATH": "/p"}, Identity(1001, 1002)).installed
    assert (asked["user"], asked["group"], asked["extra_groups"]) == (1001, 1002, [])
    assert asked["env"] == {"PYTHONPATH": "/p"}


def test_which_runtime_directory_it_is_and_why(tmp_path):
    place = look_at_place({"RBLNTOP_RUNTIME_DIR": str(tmp_path)})
    assert (place.path, place.chosen_by, place.uid) == (tmp_path, "$RBLNTOP_RUNTIME_DIR", os.getuid())
    assert place.can_list
    missing = look_at_place({"XDG_RUNTIME_DIR": str(tmp_path)})
    if not str(missing.path).startswith("/run/rblntop"):  # A host with the service has that first.
        assert (missing.path, missing.exists) == (tmp_path / "rblntop", False)
        assert missing.chosen_by.startswith("below $XDG_RUNTIME_DIR")


def test_the_runtime_directory_of_another_users_engine_follows_from_its_environment(tmp_path):
    uid = os.geteuid() + 4321
    groups = frozenset({uid})
    assert engine_place({"RBLNTOP_RUNTIME_DIR": "/srv/run"}, uid, groups) == tmp_path.__class__("/srv/run")


def test_a_driver_that_does_not_listen_is_said(tmp_path):
    (tmp_path / "rbln0").touch()
    found = look_at_devices(tmp_path, ("127.0.0.1", 1))
    assert found.nodes == ((str(tmp_path / "rbln0"), True),)
    assert found.driver_error == "Connection refused"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_ring_of_another_user_is_named_as_such(tmp_path):
    (tmp_path / "engines").mkdir()
    path = tmp_path / "engines" / "boot-1-1.ring"
    path.touch()
    os.chown(path, 54321, 54321)
    found, (bad,) = look_at_rings(tmp_path)
    assert (found, bad.path, bad.foreign_owner) == ([], path, "uid 54321")
