"""A daemon in this process: the real services on a real socket, with answers that a test scripts."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from rblntop_api.v1 import (
    control_pb2,
    control_pb2_grpc,
    engine_pb2,
    limits_pb2,
    snapshot_pb2,
    step_pb2,
    telemetry_pb2,
    telemetry_pb2_grpc,
)


def refusal(code: grpc.StatusCode, message: str, reason: str, **metadata: str) -> status_pb2.Status:
    """A status with an ErrorInfo of our domain, as the daemon sends it."""
    info = error_details_pb2.ErrorInfo(domain="rblntop", reason=reason, metadata=metadata)
    detail = any_pb2.Any()
    detail.Pack(info)
    return status_pb2.Status(code=code.value[0], message=message, details=[detail])


def make_snapshot(**changes: object) -> snapshot_pb2.Snapshot:
    """A pp 2 engine at generation 3, as the daemon would send it."""
    message = snapshot_pb2.Snapshot(
        engine=engine_pb2.Engine(
            name="demo/0",
            instance_id="boot-4242-17",
            state=engine_pb2.ENGINE_STATE_SERVING,
            pid=4242,
            model="tiny-llama",
            vllm_version="0.30.0",
            vllm_rbln_version="0.12.0",
            scheduler_class="RBLNScheduler",
            pp_size=2,
            tp_size=1,
            dp_size=1,
            group_count=2,
            batch_queue_depth=2,
            max_num_seqs=8,
            max_num_batched_tokens=128,
            max_model_len=512,
            decode_buckets=[1, 2, 4],
        ),
        step=1200,
        running=7,
        waiting=3,
        oldest_wait_seconds=1.5,
        kv_usage_ratio=0.58,
        max_seq_len=300,
        admission_stop=step_pb2.ADMISSION_STOP_MAX_NUM_SEQS,
        groups=[
            snapshot_pb2.Group(group=0, running=4, decode_batch=4, padded_batch=4),
            snapshot_pb2.Group(group=1, running=3, decode_batch=3, padded_batch=4),
        ],
        limits=make_limits(),
        windows=[
            snapshot_pb2.Window(
                seconds=10,
                covered_seconds=10,
                decode_steps=100,
                decode_pad_ratio=0.125,
                queue_occupancy_ratio=0.97,
                output_tokens_per_second=71.5,
                groups=[
                    snapshot_pb2.GroupWindow(group=0, mean_decode_batch=4.0, decode_pad_ratio=0.0),
                    snapshot_pb2.GroupWindow(group=1, mean_decode_batch=3.0, decode_pad_ratio=0.25),
                ],
            )
        ],
    )
    message.time.FromSeconds(1_700_000_000)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def make_limits(
    seqs: int = 8, caps: tuple[int | None, int | None] = (None, None), generation: int = 3
) -> limits_pb2.Limits:
    """Limits of a pp 2 engine started with max_num_seqs 8."""
    engine, group = limits_pb2.LIMIT_SCOPE_ENGINE, limits_pb2.LIMIT_SCOPE_GROUP
    limits = limits_pb2.Limits(generation=generation, admission=seqs, accepted_step=1200)
    limits.limits.add(
        kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS,
        scope=engine,
        floor=2,
        ceiling=8,
        target=seqs,
        effective=seqs,
        available=True,
    )
    for number, cap in enumerate(caps):
        limits.limits.add(
            kind=limits_pb2.LIMIT_KIND_GROUP_CAP,
            scope=group,
            group=number,
            floor=1,
            ceiling=4,
            target=cap,
            effective=cap or 4,
            available=True,
        )
    return limits


class FakeDaemon(telemetry_pb2_grpc.TelemetryServicer, control_pb2_grpc.ControlServicer):
    """Answers what it was given to answer, and remembers what it was asked."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.address = f"unix:{socket}"
        self.snapshot = make_snapshot()
        self.no_engine = False
        self.after_change: snapshot_pb2.Snapshot | None = None
        self.steps: list[telemetry_pb2.WatchStepsResponse] = []
        self.history = telemetry_pb2.GetHistoryResponse()
        self.events: list[telemetry_pb2.WatchEventsResponse] = []
        self.unfinished = telemetry_pb2.ListRequestsResponse()
        self.answer: control_pb2.SetLimitsResponse = control_pb2.SetLimitsResponse()
        self.preview: control_pb2.SetLimitsResponse | None = None
        """The answer to validate_only; None: as to the real call."""
        self.refuse: status_pb2.Status | None = None
        self.refuse_changes: status_pb2.Status | None = None
        self.hang = False
        self.requests: list[object] = []
        self.metadata: list[dict[str, str]] = []
        """Of each request."""
        self.changed = control_pb2.EngineChange(engine="demo/0", generation=4, limits=make_limits())
        """What the calls answer that confirm, cancel, reset, close and open."""
        self.changes = control_pb2.ListChangesResponse()
        self.stream_ended = asyncio.Event()
        self.ticks = 3
        self.script: list[snapshot_pb2.Snapshot] = []
        """What WatchSnapshots streams; empty: the snapshot, ``ticks`` times."""
        self.hold_stream = False
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        self._server = grpc.aio.server()
        telemetry_pb2_grpc.add_TelemetryServicer_to_server(self, self._server)
        control_pb2_grpc.add_ControlServicer_to_server(self, self._server)
        self._server.add_insecure_port(self.address)
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def _judge(self, request: object, context: grpc.aio.ServicerContext) -> None:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        if self.hang:
            await asyncio.Event().wait()
        if self.refuse is not None:
            await context.abort_with_status(rpc_status.to_status(self.refuse))

    async def ListEngines(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return telemetry_pb2.ListEnginesResponse(engines=[self.snapshot.engine], daemon_version="0.1.0")

    async def GetSnapshot(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return telemetry_pb2.GetSnapshotResponse(snapshot=self.snapshot)

    async def WatchSnapshots(self, request, context):  # noqa: N802
        # The handler itself may be suspended at a yield, where a cancellation does not reach it.
        context.add_done_callback(lambda _: self.stream_ended.set())
        await self._judge(request, context)
        for scripted in self.script:
            yield telemetry_pb2.WatchSnapshotsResponse(snapshots=[scripted])
        for tick in range(0 if self.script else self.ticks):
            snapshot = snapshot_pb2.Snapshot()
            snapshot.CopyFrom(self.snapshot)
            snapshot.step = self.snapshot.step + tick
            yield telemetry_pb2.WatchSnapshotsResponse(snapshots=[] if self.no_engine else [snapshot])
        if self.hold_stream:
            await asyncio.Event().wait()

    async def WatchSteps(self, request, context):  # noqa: N802
        await self._judge(request, context)
        for message in self.steps:
            yield message
        if not request.no_follow:
            await asyncio.Event().wait()

    async def GetHistory(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return self.history

    async def WatchEvents(self, request, context):  # noqa: N802
        await self._judge(request, context)
        for message in self.events:
            yield message
        if not request.no_follow:
            await asyncio.Event().wait()

    async def ListRequests(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return self.unfinished

    async def SetLimits(self, request, context):  # noqa: N802
        await self._judge(request, context)
        if self.refuse_changes is not None:
            await context.abort_with_status(rpc_status.to_status(self.refuse_changes))
        if request.validate_only and self.preview is not None:
            return self.preview
        if self.after_change is not None:
            self.snapshot = self.after_change
        return self.answer

    async def ConfirmChange(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return control_pb2.ConfirmChangeResponse(engines=[self.changed])

    async def CancelChange(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return control_pb2.CancelChangeResponse(engines=[self.changed])

    async def ResetLimits(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return control_pb2.ResetLimitsResponse(engines=[self.changed])

    async def CloseAdmission(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return control_pb2.CloseAdmissionResponse(engines=[self.changed])

    async def OpenAdmission(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return control_pb2.OpenAdmissionResponse(engines=[self.changed])

    async def ListChanges(self, request, context):  # noqa: N802
        await self._judge(request, context)
        return self.changes


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """A running daemon."""
    fake = FakeDaemon(tmp_path / "rblntopd.sock")
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()


@pytest.fixture
async def identities(tmp_path: Path) -> AsyncIterator[list[str]]:
    """The identity socket beside the daemon's; each token is used up by being given out."""
    tokens = [f"token-{number}" for number in range(9, 0, -1)]

    async def give(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = json.dumps({"token": tokens.pop(), "uid": 1000, "user": "ops", "expires_s": 60})
        writer.write(line.encode() + b"\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(give, tmp_path / "rblntopd-id.sock"):
        yield tokens


RunCtl = Callable[..., Awaitable[tuple[int, str, str]]]
RunAtTerminal = Callable[..., Awaitable[tuple[int, list[str]]]]


@pytest.fixture
def snapshot_of() -> Callable[..., snapshot_pb2.Snapshot]:
    """``make_snapshot``."""
    return make_snapshot


@pytest.fixture
def limits_of() -> Callable[..., limits_pb2.Limits]:
    """``make_limits``."""
    return make_limits


@pytest.fixture
def refusal_of() -> Callable[..., status_pb2.Status]:
    """``refusal``."""
    return refusal


@pytest.fixture
def ctl(daemon: FakeDaemon) -> RunCtl:
    """Runs ``rblnctl`` in a process of its own against the daemon: exit code, stdout, stderr."""

    async def run(*arguments: str, address: str | None = None) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rblntop.cli.ctl",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "RBLNTOP_ADDRESS": address or daemon.address, "TZ": "UTC", "COLUMNS": "120"},
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    return run


@pytest.fixture
def terminal(daemon: FakeDaemon) -> RunAtTerminal:
    """Runs ``rblnctl`` at a terminal, where somebody types: exit code, and the lines on the screen."""

    async def run(typed: str, *arguments: str) -> tuple[int, list[str]]:
        ours, theirs = pty.openpty()
        tty.setraw(ours)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rblntop.cli.ctl",
            *arguments,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "RBLNTOP_ADDRESS": daemon.address, "TZ": "UTC", "TERM": "xterm"},
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = await asyncio.to_thread(_read_all, ours)
        os.close(ours)
        return await process.wait(), shown.replace("\r\n", "\n").rstrip("\n").split("\n")

    return run


def _read_all(terminal: int) -> str:
    """Until the last process has left the terminal."""
    shown = b""
    while True:
        try:
            read = os.read(terminal, 4096)
        except OSError:  # EIO: nobody holds the other end any more.
            read = b""
        if not read:
            return shown.decode()
        shown += read
