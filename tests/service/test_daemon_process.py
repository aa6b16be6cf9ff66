"""The daemon as a process: its socket, its lock, its end, and subscribers that stop reading."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import pytest

from rblntop_api.v1 import telemetry_pb2

SUBSCRIBER = """
import sys, time, grpc
from rblntop_api.v1 import telemetry_pb2, telemetry_pb2_grpc
telemetry = telemetry_pb2_grpc.TelemetryStub(grpc.insecure_channel(sys.argv[1]))
stream = telemetry.WatchSteps(telemetry_pb2.WatchStepsRequest(from_sequence=0))
stream.initial_metadata()
print("subscribed", flush=True)
time.sleep(600)
"""


def serve(*options):
    command = [sys.executable, "-m", "rblntopd.cli", "serve", "--config", os.devnull, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def sequences(daemon):
    request = telemetry_pb2.WatchStepsRequest(from_sequence=0, no_follow=True)
    return [step.sequence for message in daemon.telemetry.WatchSteps(request) for step in message.steps]


@pytest.fixture
def stopped_subscriber():
    """Starts subscribers of steps that are stopped before the first one comes."""
    started = []

    def start(daemon):
        process = subprocess.Popen(
            [sys.executable, "-c", SUBSCRIBER, f"unix:{daemon.socket}"], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "subscribed\n"
        process.send_signal(signal.SIGSTOP)

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_killed_daemon_leaves_the_engine_and_the_next_one_has_the_steps_of_the_gap(engine, start_daemon):
    first = start_daemon()
    engine.steps(count=10)
    assert sequences(first) == list(range(10))
    first.process.kill()
    first.process.wait()
    engine.steps(count=10)
    second = start_daemon()
    assert sequences(second) == list(range(20))
    snapshot = second.telemetry.GetSnapshot(telemetry_pb2.GetSnapshotRequest()).snapshot
    assert (snapshot.next_sequence, snapshot.missed_records) == (20, 0)


def test_a_second_daemon_is_refused_and_the_first_goes_on(engine, daemon, runtime):
    refused = serve("--runtime-dir", str(runtime))
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"rblntopd: another rblntopd (pid {daemon.process.pid}) already serves {daemon.socket}"
    )
    assert len(daemon.telemetry.ListEngines(telemetry_pb2.ListEnginesRequest()).engines) == 1


def test_only_the_owner_may_use_the_socket_whatever_the_umask(start_daemon):
    before = os.umask(0)
    try:
        daemon = start_daemon()
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(daemon.socket).st_mode) == 0o600


def test_a_socket_path_that_is_too_long_is_refused(tmp_path):
    path = tmp_path / ("x" * 120)
    refused = serve("--runtime-dir", str(tmp_path), "--listen", f"unix:{path}")
    assert refused.returncode == 1
    assert f"{path}: a socket path has at most 107 bytes, this one has {len(str(path))}" in refused.stderr


def test_something_else_at_the_socket_path_is_left_alone(runtime):
    (runtime / "rblntopd.sock").write_text("precious")
    refused = serve("--runtime-dir", str(runtime))
    assert refused.returncode == 1
    assert "is there and is not a socket: move it away" in refused.stderr
    assert (runtime / "rblntopd.sock").read_text() == "precious"


def test_an_address_that_is_no_unix_socket_is_refused(runtime):
    refused = serve("--runtime-dir", str(runtime), "--listen", "0.0.0.0:50661")
    assert refused.returncode == 2
    assert "--listen = 0.0.0.0:50661: allowed is unix:/path/of/the/socket" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_daemon_ends_in_order_and_takes_its_socket_along(daemon, number):
    daemon.process.send_signal(number)
    assert daemon.process.wait(timeout=30) == 0
    assert not daemon.socket.exists()


def test_where_a_daemon_hung_is_in_its_log(daemon):
    daemon.process.send_signal(signal.SIGABRT)
    assert daemon.process.wait(timeout=30) == -signal.SIGABRT
    log = daemon.log.read_text()
    assert "Fatal Python error: Aborted" in log
    assert "asyncio/base_events.py" in log


def test_a_stopped_subscriber_hinders_no_other(start_engine, start_daemon, stopped_subscriber):
    engine = start_engine(capacity=20_000)
    daemon = start_daemon()
    stopped_subscriber(daemon)
    engine.steps(count=15_000)
    assert sequences(daemon) == list(range(15_000))


def test_a_stopped_subscriber_is_dropped(start_engine, start_daemon, stopped_subscriber, until):
    engine = start_engine(capacity=20_000)
    daemon = start_daemon("--write-deadline", "0.5")
    stopped_subscriber(daemon)
    engine.steps(count=15_000)
    until(lambda: "dropped a subscriber that took nothing for 0.5 s" in daemon.log.read_text())
    assert sequences(daemon) == list(range(15_000))
    assert "Traceback" not in daemon.log.read_text()


def test_a_stopped_subscriber_does_not_keep_the_daemon_from_ending(
    start_engine, start_daemon, stopped_subscriber
):
    engine = start_engine(capacity=20_000)
    daemon = start_daemon()
    stopped_subscriber(daemon)
    engine.steps(count=15_000)
    assert sequences(daemon) == list(range(15_000))
    daemon.process.terminate()
    assert daemon.process.wait(timeout=30) == 0
