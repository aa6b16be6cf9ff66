"""A sim engine is an engine like any other: a process that the daemon finds, shows, changes and sees die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from rblntop_api.v1 import control_pb2, engine_pb2, host_pb2, limits_pb2, telemetry_pb2

NAME = "sim-balanced/0"


@pytest.fixture
def sim(runtime):
    process = subprocess.Popen(
        [sys.executable, "-m", "rblntopd.sim.engine", "--scenario", "balanced"],
        env=dict(os.environ, RBLNTOP_RUNTIME_DIR=str(runtime)),
    )
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def show(start_daemon, sim, until):
    """Snapshots of the sim engine, once it has made steps."""
    daemon = start_daemon()

    def show():
        return daemon.telemetry.GetSnapshot(telemetry_pb2.GetSnapshotRequest(engine=NAME)).snapshot

    def found():
        return [
            engine.name for engine in daemon.telemetry.ListEngines(telemetry_pb2.ListEnginesRequest()).engines
        ]

    show.daemon = daemon
    until(lambda: NAME in found() and show().step > 20)
    return show


def test_it_is_shown_as_simulated_and_serving(show, until):
    assert show().engine.simulated
    until(lambda: show().engine.state == engine_pb2.ENGINE_STATE_SERVING and show().running > 0)


def test_stopped_and_continued_it_goes_on(sim, show, until):
    for _ in range(5):
        sim.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, sim.pid, os.WSTOPPED | os.WNOWAIT)
        before = show().step
        # Longer than it waits between two steps: it wakes up late.
        time.sleep(0.05)
        sim.send_signal(signal.SIGCONT)
        until(lambda before=before: sim.poll() is not None or show().step > before + 5)
        assert sim.poll() is None


def test_a_changed_limit_comes_into_force_and_settles(show, until):
    until(lambda: show().running > 4)
    change = control_pb2.LimitChange(kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, value=4)
    answer = show.daemon.control.SetLimits(
        control_pb2.SetLimitsRequest(
            engine=NAME, changes=[change], wait_for=control_pb2.CHANGE_PHASE_IN_FORCE
        )
    )
    (changed,) = answer.engines
    assert (changed.generation, changed.phase) == (1, control_pb2.CHANGE_PHASE_IN_FORCE)
    until(lambda: show().limits.HasField("settled_step") and show().running <= 4)


def test_killed_it_is_gone(show, sim, until):
    sim.kill()
    until(lambda: show().engine.state == engine_pb2.ENGINE_STATE_GONE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_told_to(show, sim, until, number):
    sim.send_signal(number)
    assert sim.wait() == 0
    until(lambda: show().engine.state == engine_pb2.ENGINE_STATE_GONE)


def test_without_a_probe_there_is_nothing_to_see(runtime):
    done = subprocess.run(
        [sys.executable, "-m", "rblntopd.sim.engine"],
        env=dict(os.environ, RBLNTOP_RUNTIME_DIR=str(runtime), RBLNTOP_PROBE="off"),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, "the probe is off: nobody could see this engine\n")


def test_an_unknown_scenario_names_those_there_are(runtime):
    done = subprocess.run(
        [sys.executable, "-m", "rblntopd.sim.engine", "--scenario", "calm"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "balanced" in done.stderr


def test_its_process_is_shown_with_what_it_takes_of_the_host(show, sim, until):
    host = until(lambda: show().HasField("host") and show().host)
    core = host.processes[0]
    assert (core.pid, core.role) == (sim.pid, host_pb2.PROCESS_ROLE_ENGINE_CORE)
    assert core.memory_bytes > 1_000_000
    assert host.memory_total_bytes > host.memory_used_bytes > core.memory_bytes
