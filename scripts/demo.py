#!/usr/bin/env python3
"""The demo behind ``make demo``: a real vLLM engine on this CPU, under load, in the dashboard.

Builds a tiny random model, starts vLLM with vllm-rbln's scheduler (pipeline size 2) under ``rblntopd run``,
sends it a varied and bounded load over loopback, and opens ``rblntop`` on it. Leaving the dashboard stops
everything. Without a terminal it runs for some seconds and prints ``rblntop --once``.

Everything is below one temporary directory and in processes of its own, which end with this one.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import psutil
from demo_load import DemoLoad

REPOSITORY = Path(__file__).resolve().parents[1]
MODEL_NAME = "tiny-llama"
ENGINE_OPTIONS = (
    "--served-model-name", MODEL_NAME, "--pipeline-parallel-size", "2", "--max-num-seqs", "8",
    "--max-model-len", "1024", "--max-num-batched-tokens", "256", "--block-size", "32", "--dtype", "float32",
    "--additional-config", '{"decode_batch_bucket_limit": 2}',
)  # fmt: skip
"""Eight sequences over two groups, decodes padded to 2 or 4."""
STOP_SECONDS = 3.0
"""vLLM waits for open connections, and the load has some: its processes are killed after that."""

TRACKER = "multiprocessing.resource_tracker"
TRACKER_SECONDS = 10.0


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


class Background:
    """Processes that run beside the dashboard, each the head of a process group that ends with it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start ``command``; what it prints goes to :meth:`log`."""
        with open(self.log(name), "wb") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append((name, process))
        return process

    def log(self, name: str) -> Path:
        """Where ``name`` prints to."""
        return self._directory / f"{name}.log"

    def check(self, name: str, process: subprocess.Popen[bytes], wait_s: float) -> None:
        """Wait ``wait_s`` for the process to end, which it should not.

        Raises:
            DemoError: it ended; with the end of what it printed.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(wait_s)
            tail = self.log(name).read_text(errors="replace").splitlines()[-30:]
            raise DemoError("\n".join([*tail, f"demo: the {name} ended with exit code {code}"]))

    def stop(self) -> None:
        """End them all, the last one first: politely, then for certain, workers included."""
        for _, process in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for _, process in reversed(self._running):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            # The group outlives its head as long as a worker does.
            kill_group(process.pid)
            process.wait()


def kill_group(group: int) -> None:
    """Kill a process group; Python's resource trackers last, because they remove its shared memory.

    A tracker does so when the last process that it keeps track for is gone, and ends. Killed beside them it
    would leave a few hundred MB of address space in /dev/shm, for every demo.
    """
    members = [process for process in psutil.process_iter(["cmdline"]) if _group_of(process.pid) == group]
    trackers = [
        process for process in members if any(TRACKER in word for word in process.info["cmdline"] or ())
    ]
    for process in members:
        if process not in trackers:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    psutil.wait_procs(trackers, TRACKER_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def main() -> int:
    """Run the demo; the exit code is the dashboard's."""
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument("--engine-python", required=True, help="python of the engine's environment")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to run without a terminal")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        with private_directory() as directory:
            return run(directory, arguments.engine_python, arguments.seconds)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(directory: Path, engine_python: str, seconds: float) -> int:
    """Start it all, show it, and stop it all."""
    background = Background(directory)
    address = f"unix:{directory / 'rblntopd.sock'}"
    try:
        say("building a tiny model")
        model = directory / "model"
        environment = engine_environment(directory)
        build = [engine_python, "-m", "rblntopd.sim.tiny_model", str(model)]
        if subprocess.run(build, env=environment, capture_output=True).returncode:
            raise DemoError(f"demo: the model could not be built: {' '.join(build)}")

        daemon = background.start("daemon", [tool("rblntopd"), "serve"], environment)
        port = free_port()
        engine_command = [
            tool("rblntopd"), "run", "--name", "demo", "--",
            engine_python, "-m", "rblntopd.sim.serve_on_cpu", str(model),
            "--host", "127.0.0.1", "--port", str(port), *ENGINE_OPTIONS,
        ]  # fmt: skip
        background.check("daemon", daemon, 0.2)
        say(f"starting vLLM on the CPU: about a minute (log: {background.log('engine')})")
        engine = background.start("engine", engine_command, environment)
        while not is_healthy(port):
            background.check("engine", engine, 0.3)

        with DemoLoad(port, MODEL_NAME):
            if sys.stdin.isatty() and sys.stdout.isatty():
                return dashboard(address)
            say(f"no terminal: running for {seconds:.0f} s")
            background.check("engine", engine, seconds)
            return subprocess.run([tool("rblntop"), "--connect", address, "--once"]).returncode
    finally:
        background.stop()


def dashboard(address: str) -> int:
    """Run the dashboard in the foreground; the terminal is as before whatever ends it."""
    settings = termios.tcgetattr(sys.stdin)
    process = subprocess.Popen([tool("rblntop"), "--connect", address])
    try:
        while True:
            # Ctrl-C is a key of the dashboard, and it decides what it means.
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
            process.kill()
            process.wait()
            # Main screen, cursor shown, no mouse reports.
            sys.stdout.write("\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1006l")
            sys.stdout.flush()
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)


def engine_environment(directory: Path) -> dict[str, str]:
    """Of engine and daemon: directories of their own, and nothing that leaves this machine."""
    return os.environ | {
        "RBLNTOP_RUNTIME_DIR": str(directory),
        "RBLNTOP_STATE_DIR": str(directory / "state"),
        "RBLNTOP_PROBE": "control",
        # Besides the probe, which `rblntopd run` adds, the launcher and the model builder.
        "PYTHONPATH": str(REPOSITORY / "daemon"),
        # No plugin of the host: vllm-rbln's own platform needs the NPU's compiler.
        "VLLM_PLUGINS": "",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }


@contextlib.contextmanager
def private_directory() -> Iterator[Path]:
    """A temporary directory, in memory where there is one: rings are kept on a memory file system only."""
    memory = "/dev/shm"
    parent = memory if os.access(memory, os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="rblntop-demo-", dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_healthy(port: int) -> bool:
    """Whether the engine answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def tool(name: str) -> str:
    """A command of this environment."""
    return str(Path(sys.executable).with_name(name))


def say(message: str) -> None:
    """Tell the person who waits."""
    print(f"demo: {message}", file=sys.stderr, flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
