"""Engines in processes of their own: computed on the CPU, forked, spawned, served, and unwatched."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from engine_harness.control_client import ControlClient
from engine_harness.llm_run import LONGEST, PP
from engine_harness.ring_file import RingFile

from rblntopd.probe.control_format import Status
from rblntopd.probe.ring_format import Kind, Step
from rblntopd.sim.serve_on_cpu import prepare_environment

HANG_S = 400
"""Far beyond what anything here takes: only a hang gets there."""


def run_llm(model: Path, mode: str, **environ: str) -> dict[str, Any]:
    """Run ``engine_harness.llm_run`` to its end; what it found."""
    environment = dict(os.environ)
    prepare_environment(environment, PP)
    done = subprocess.run(
        [sys.executable, "-m", "engine_harness.llm_run", str(model), mode],
        env=environment | environ,
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_thousand_steps_on_the_cpu_are_exact(tiny_model, runtime_dir):
    found = run_llm(tiny_model, "observed", VLLM_ENABLE_V1_MULTIPROCESSING="0")
    assert found["complete"]
    assert found["steps"] >= 1000
    assert {"PREFILL", "DECODE"} <= set(found["kinds"])
    assert found["fault"] == ""
    assert found["difference"] == ""
    assert found["longest_prefill"] == max(LONGEST)
    assert found["longest"] == max(LONGEST) + 20 - 1
    description = found["description"]
    assert (description["vllm_version"], description["vllm_rbln_version"]) == ("0.30.0", "0.12.0")
    assert description["decode_buckets"] == [1, 2, 4]
    assert description["max_model_len"] == 1024


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_only_the_process_with_the_scheduler_has_a_ring(tiny_model, runtime_dir, method):
    found = run_llm(tiny_model, "simulated", VLLM_WORKER_MULTIPROC_METHOD=method)
    assert found["complete"]
    assert found["faults"] == [""]
    (pid,) = found["ring_pids"]
    assert pid != found["pid"]


def test_a_probe_that_is_off_leaves_nothing(tiny_model, runtime_dir):
    found = run_llm(tiny_model, "simulated", RBLNTOP_PROBE="off", VLLM_WORKER_MULTIPROC_METHOD="fork")
    assert found["complete"]
    assert found["ring_pids"] == []
    assert not list(runtime_dir.iterdir())


class Server:
    """``vllm serve`` on the CPU."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        with contextlib.closing(connection):
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == http.HTTPStatus.OK, text
            return json.loads(text) if text else None

    def complete(self, prompt_tokens: int, output_tokens: int) -> int:
        """The number of tokens that a prompt of so many bytes got."""
        body = {
            "model": "tiny",
            "prompt": "x" * prompt_tokens,
            "max_tokens": output_tokens,
            "ignore_eos": True,
        }
        tokens: int = self.request("POST", "/v1/completions", body)["usage"]["completion_tokens"]
        return tokens

    def wait_until_healthy(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                return self.request("GET", "/health")
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(0.2)
                pytest.fail(f"exit code {code}\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def server(tiny_model: Path, runtime_dir: Path, tmp_path: Path) -> Iterator[Server]:
    with serving(tiny_model, tmp_path) as started:
        yield started


@contextlib.contextmanager
def serving(model: Path, tmp_path: Path, *options: str) -> Iterator[Server]:
    """``vllm serve`` with ``options``, healthy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "rblntopd.sim.serve_on_cpu", str(model), "--served-model-name", "tiny",
        "--host", "127.0.0.1", "--port", str(port), "--pipeline-parallel-size", "2", "--max-num-seqs", "8",
        "--max-model-len", "1024", "--max-num-batched-tokens", "512", "--block-size", "32",
        "--dtype", "float32", *options,
    ]  # fmt: skip
    log = tmp_path / "serve.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    started = Server(process, port, log)
    try:
        started.wait_until_healthy()
        yield started
    finally:
        started.stop()


def test_a_served_engine_is_recorded_and_steered_from_outside(server: Server, runtime_dir: Path):
    ring = RingFile.only_one_in(runtime_dir)
    assert ring.header.pid != server.process.pid

    with ThreadPoolExecutor(len(LONGEST)) as users:
        assert list(users.map(server.complete, LONGEST, [20] * 3)) == [20] * 3
    steps = _batches(ring)
    assert max(step.max_seq_len for step in steps if step.kind == Kind.PREFILL) == 300
    assert max(step.max_seq_len for step in steps) == 300 + 20 - 1

    control = ControlClient(ring.path)
    answer = control.set_limits(max_num_seqs=4)
    control.close()
    assert (answer.status, answer.generation) == (Status.OK, 1)
    with ThreadPoolExecutor(10) as users:
        assert list(users.map(server.complete, [40] * 10, [60] * 10)) == [60] * 10
    steps = _batches(ring)
    assert {step.generation for step in steps} == {1}
    assert max(step.running for step in steps) == 4
    assert max(step.requests for step in steps) == 2

    # vLLM kills its EngineCore right after SIGTERM, so the ring may not get to say CLOSED: its lock tells.
    assert not ring.writer_is_gone
    server.stop()
    assert ring.writer_is_gone
    assert RingFile(ring.path).new_steps()


def test_each_rank_behind_several_api_servers_is_one_engine(tiny_model, runtime_dir, tmp_path):
    options = ("--simulated-npu", "--data-parallel-size", "2", "--api-server-count", "2")
    with serving(tiny_model, tmp_path, *options) as server:
        rings = [RingFile(path) for path in sorted(runtime_dir.glob("engines/*.ring"))]
        assert sorted(ring.description["name"] for ring in rings) == ["tiny/0", "tiny/1"]
        with ThreadPoolExecutor(8) as users:
            assert list(users.map(server.complete, [40] * 8, [30] * 8)) == [30] * 8
        # Every request ran in one of them; the ranks share out the load as they like.
        finished, give_up = 0, time.monotonic() + HANG_S
        while finished < 8 and time.monotonic() < give_up:
            finished += sum(step.finished for ring in rings for step in ring.new_steps())
        assert finished == 8
        assert [ring.fault for ring in rings] == ["", ""]


def _batches(ring: RingFile) -> list[Step]:
    """The batches since the last call, all of them: an idle engine ends with an empty step that says so."""
    steps = ring.new_steps()
    give_up = time.monotonic() + HANG_S
    while not (steps and steps[-1].kind == Kind.EMPTY and not steps[-1].unfinished):
        assert time.monotonic() < give_up, "the engine does not come to rest"
        steps += ring.new_steps()
    return [step for step in steps if step.kind != Kind.EMPTY]
