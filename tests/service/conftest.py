"""Real daemons over real sockets, and engines that are processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from rblntop_api.v1 import control_pb2_grpc, telemetry_pb2_grpc

HERE = Path(__file__).parent
#: A test that waits so long has failed; none waits for a time to pass.
PATIENCE_S = 30.0
#: gRPC would wait a second before it looks for the second time whether the daemon is there.
AT_ONCE = [(f"grpc.{bound}_reconnect_backoff_ms", 20) for bound in ("initial", "min", "max")]


class EngineProcess:
    """A stand-in engine, driven a line at a time."""

    def __init__(self, runtime: Path, **settings: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "stand_in_engine.py"), str(runtime), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        hello = self._answer()
        self.instance_id: str = hello["instance_id"]
        self.path = Path(hello["path"])
        self.pid = self._process.pid

    def __getattr__(self, command: str) -> Callable[..., dict[str, Any]]:
        def tell(**arguments: Any) -> dict[str, Any]:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps([command, arguments]) + "\n")
            self._process.stdin.flush()
            return self._answer()

        return tell

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the stand-in engine has died"
        found: dict[str, Any] = json.loads(line)
        return found

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class DaemonProcess:
    """``rblntopd serve`` as a user starts it."""

    def __init__(self, runtime: Path, *options: str) -> None:
        self.runtime = runtime
        self.socket = runtime / "rblntopd.sock"
        self.log = runtime.parent / "daemon.log"
        self.state = runtime.parent / "state"
        self.config = runtime.parent / "rblntopd.toml"
        self.config.touch()
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "rblntopd.cli", "serve", "--config", str(self.config),
                    "--runtime-dir", str(runtime), "--state-dir", str(self.state), *options,
                ],
                stderr=log,
            )  # fmt: skip
        self.channel = grpc.insecure_channel(f"unix:{self.socket}", options=AT_ONCE)
        self.telemetry = telemetry_pb2_grpc.TelemetryStub(self.channel)
        self.control = control_pb2_grpc.ControlStub(self.channel)

    def ready(self) -> DaemonProcess:
        grpc.channel_ready_future(self.channel).result(timeout=PATIENCE_S)
        return self

    def end(self) -> None:
        self.channel.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Waits for the first true value of a condition."""

    def until(condition: Callable[[], Any]) -> Any:
        end = time.monotonic() + PATIENCE_S
        while not (found := condition()):
            assert time.monotonic() < end, "it did not come"
            time.sleep(0.01)
        return found

    return until


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Path]:
    # Short, because a socket path has at most 107 bytes.
    directory = Path(f"/dev/shm/rblntop-test-{os.getpid()}-{time.monotonic_ns() % 1_000_000_000}")
    directory.mkdir(mode=0o700)
    runtime = directory / "run"
    runtime.mkdir(mode=0o700)
    yield runtime
    subprocess.run(["rm", "-rf", str(directory)], check=True)


@pytest.fixture
def start_engine(runtime: Path) -> Iterator[Callable[..., EngineProcess]]:
    started: list[EngineProcess] = []

    def start(**settings: Any) -> EngineProcess:
        started.append(EngineProcess(runtime, **settings))
        return started[-1]

    yield start
    for engine in started:
        engine.kill()


@pytest.fixture
def start_daemon(runtime: Path) -> Iterator[Callable[..., DaemonProcess]]:
    started: list[DaemonProcess] = []

    def start(*options: str) -> DaemonProcess:
        started.append(DaemonProcess(runtime, *options))
        return started[-1].ready()

    yield start
    for daemon in started:
        daemon.end()
    if started:
        # Shown beside a test that failed.
        print(started[0].log.read_text())


@pytest.fixture
def engine(start_engine: Callable[..., EngineProcess]) -> EngineProcess:
    return start_engine()


@pytest.fixture
def daemon(engine: EngineProcess, start_daemon: Callable[..., DaemonProcess]) -> DaemonProcess:
    """A daemon with one engine."""
    return start_daemon()
