"""A daemon with a configuration: what it takes from it, and again on SIGHUP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def rblntopd(*words, **environ):
    command = [sys.executable, "-m", "rblntopd.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | environ)


def test_check_config_prints_every_value_with_where_it_came_from(tmp_path):
    path = tmp_path / "rblntopd.toml"
    path.write_text("write_deadline_s = 3\n")
    found = rblntopd(
        "--log-level", "debug", "check-config", "--config", str(path), "--state-dir", "/s",
        RBLNTOPD_REAPPLY_LIMITS="yes",
    )  # fmt: skip
    assert found.returncode == 0
    lines = found.stdout.splitlines()
    assert f"write_deadline_s = 3  # {path}" in lines
    assert 'state_dir = "/s"  # --state-dir' in lines
    assert "reapply_limits = true  # $RBLNTOPD_REAPPLY_LIMITS" in lines
    assert 'log_level = "debug"  # --log-level' in lines


def test_a_configuration_that_is_not_allowed_is_refused_with_2(tmp_path, runtime):
    path = tmp_path / "rblntopd.toml"
    path.write_text("write_deadline = 3\n")
    for command in ("serve", "check-config"):
        found = rblntopd(command, "--config", str(path), "--runtime-dir", str(runtime))
        assert (found.returncode, found.stdout) == (2, "")
        assert found.stderr == (
            f"rblntopd: {path}: there is no key write_deadline: did you mean write_deadline_s?\n"
        )
    assert not list(runtime.glob("*.sock"))


def test_sighup_brings_a_changed_file_into_force_and_names_what_takes_a_restart(daemon, until):
    daemon.config.write_text('write_deadline_s = 3\nlog_level = "warning"\ntcp.roles = {a = "viewer"}\n')
    daemon.process.send_signal(signal.SIGHUP)
    until(
        lambda: f"reloaded {daemon.config}: write_deadline_s, log_level, tcp.roles" in daemon.log.read_text()
    )
    daemon.config.write_text('listen = "unix:/elsewhere.sock"\n')
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: "a restart is needed to bring into force: listen" in daemon.log.read_text())
    assert daemon.process.poll() is None


def test_a_reload_of_what_is_not_allowed_changes_nothing_and_is_logged(daemon, until):
    daemon.config.write_text("write_deadline_s = 0\n")
    daemon.process.send_signal(signal.SIGHUP)
    problem = f"not reloaded: {daemon.config}: write_deadline_s = 0: allowed is a number in 0.1..3600"
    until(lambda: problem in daemon.log.read_text())
    assert daemon.process.poll() is None
