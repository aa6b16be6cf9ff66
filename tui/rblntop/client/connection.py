"""One connection to a daemon: every call of the API, with a deadline and our errors."""

from __future__ import annotations

import datetime
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc.aio
from google.protobuf import duration_pb2

from rblntop.client.address import Address, find_address
from rblntop.client.channel import open_channel
from rblntop.client.status import error_from_rpc
from rblntop_api.v1 import (
    control_pb2,
    control_pb2_grpc,
    limits_pb2,
    snapshot_pb2,
    telemetry_pb2,
    telemetry_pb2_grpc,
)

DEADLINE_S = 5.0
MAX_NUM_SEQS = limits_pb2.LIMIT_KIND_MAX_NUM_SEQS
GROUP_CAP = limits_pb2.LIMIT_KIND_GROUP_CAP
WINDOW_SECONDS = (1, 10, 60)
STRIP_CELLS = 120

Answer = TypeVar("Answer")


class Client:
    """Calls a daemon. Answers are the messages of ``rblntop_api.v1``.

    Every method raises ``UnreachableError`` when no daemon answers and ``RefusedError`` (for an unknown
    engine its subclass ``EngineNotFoundError``) when it says no.
    """

    def __init__(self, address: Address | str | None = None, *, deadline_s: float = DEADLINE_S):
        """Find the daemon; the connection is made with the first call.

        Args:
            address: Where it listens. Default: ``$RBLNTOP_ADDRESS``, else the first local socket.
            deadline_s: How long a unary call may take.
        """
        self.address = address if isinstance(address, Address) else find_address(address)
        self._deadline_s = deadline_s
        self._channel = open_channel(self.address)
        self._telemetry = telemetry_pb2_grpc.TelemetryStub(self._channel)  # type: ignore[no-untyped-call]
        self._control = control_pb2_grpc.ControlStub(self._channel)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; open streams end."""
        await self._channel.close()

    async def list_engines(self) -> telemetry_pb2.ListEnginesResponse:
        """The engines that the daemon knows, and its version."""
        return await self._call(self._telemetry.ListEngines, telemetry_pb2.ListEnginesRequest())

    async def get_snapshot(
        self,
        engine: str = "",
        *,
        window_seconds: Sequence[int] = WINDOW_SECONDS,
        strip_cells: int = STRIP_CELLS,
    ) -> snapshot_pb2.Snapshot:
        """One engine now. An empty name means the only engine there is."""
        request = telemetry_pb2.GetSnapshotRequest(
            engine=engine, window_seconds=window_seconds, strip_cells=strip_cells
        )
        answer: telemetry_pb2.GetSnapshotResponse = await self._call(self._telemetry.GetSnapshot, request)
        return answer.snapshot

    def watch_snapshots(
        self,
        engine: str = "",
        *,
        interval_s: float = 1.0,
        window_seconds: Sequence[int] = WINDOW_SECONDS,
        strip_cells: int = STRIP_CELLS,
    ) -> AsyncGenerator[telemetry_pb2.WatchSnapshotsResponse, None]:
        """Snapshots of one engine, or of all, every ``interval_s``. Close it with ``aclosing``."""
        request = telemetry_pb2.WatchSnapshotsRequest(
            engine=engine,
            interval=_duration(interval_s),
            window_seconds=window_seconds,
            strip_cells=strip_cells,
        )
        return self._stream(self._telemetry.WatchSnapshots, request)

    def watch_steps(
        self, engine: str = "", *, from_sequence: int | None = None, follow: bool = True
    ) -> AsyncGenerator[telemetry_pb2.WatchStepsResponse, None]:
        """Every step in order, from a sequence number or from now on. Close it with ``aclosing``."""
        request = telemetry_pb2.WatchStepsRequest(
            engine=engine, from_sequence=from_sequence, no_follow=not follow
        )
        return self._stream(self._telemetry.WatchSteps, request)

    async def set_limits(
        self,
        engine: str = "",
        *,
        max_num_seqs: int | None = None,
        group_caps: Sequence[tuple[int, int]] = (),
        wait_for: control_pb2.ChangePhase = control_pb2.CHANGE_PHASE_ACCEPTED,
        wait_timeout_s: float = DEADLINE_S,
    ) -> control_pb2.SetLimitsResponse:
        """Change limits together or not at all.

        Args:
            engine: Name or instance id; empty for the only engine there is.
            max_num_seqs: New bound of the running list.
            group_caps: ``(group, largest decode batch)`` pairs.
            wait_for: How far the change must have come before the answer.
            wait_timeout_s: How long to wait for that; the answer tells the phase that was reached.
        """
        changes = []
        if max_num_seqs is not None:
            changes.append(control_pb2.LimitChange(kind=MAX_NUM_SEQS, value=max_num_seqs))
        for group, value in group_caps:
            changes.append(
                control_pb2.LimitChange(
                    kind=GROUP_CAP, scope=limits_pb2.LIMIT_SCOPE_GROUP, group=group, value=value
                )
            )
        request = control_pb2.SetLimitsRequest(
            engine=engine, changes=changes, wait_for=wait_for, wait_timeout=_duration(wait_timeout_s)
        )
        return await self._call(
            self._control.SetLimits, request, deadline_s=self._deadline_s + wait_timeout_s
        )

    async def _call(
        self, method: Callable[..., Awaitable[Answer]], request: object, *, deadline_s: float | None = None
    ) -> Answer:
        try:
            return await method(request, timeout=deadline_s or self._deadline_s)
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error, self.address) from None

    async def _stream(self, method: Callable[..., Any], request: object) -> AsyncGenerator[Any, None]:
        call = method(request)
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error, self.address) from None
        finally:
            # Also when the reader just stops: an abandoned call lives on in the daemon.
            call.cancel()


def _duration(seconds: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromTimedelta(datetime.timedelta(seconds=seconds))
    return duration
