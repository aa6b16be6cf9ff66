"""One connection to a daemon: every call of the API, with a deadline and our errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc.aio

from rblntop.client.address import Address, find_address
from rblntop.client.channel import open_channel
from rblntop.client.identity import ask_identity, metadata
from rblntop.client.requests import (
    GroupCaps,
    Mode,
    WaitFor,
    close_admission_request,
    duration,
    list_changes_request,
    set_limits_request,
)
from rblntop.client.status import error_from_rpc
from rblntop.client.telemetry_requests import (
    RequestOrder,
    RequestStateName,
    Severity,
    get_history_request,
    list_requests_request,
    watch_events_request,
)
from rblntop.client.unset import LimitTarget
from rblntop_api.v1 import (
    control_pb2,
    control_pb2_grpc,
    snapshot_pb2,
    telemetry_pb2,
    telemetry_pb2_grpc,
)

DEADLINE_S = 5.0
CHANGE_DEADLINE_S = 25.0
"""The daemon gives an engine 5 s to answer, and asks each of several three times at most; the log's disk has
its time, too. Who gives up before the daemon does never hears which engine is silent, and what was done."""
WINDOW_SECONDS = (1, 10, 60)
STRIP_CELLS = 120

Answer = TypeVar("Answer")


class Client:
    """Calls a daemon. Answers are the messages of ``rblntop_api.v1``.

    Every method raises ``UnreachableError`` when no daemon answers and ``RefusedError`` (for an unknown
    engine its subclass ``EngineNotFoundError``) when it says no.
    """

    def __init__(
        self,
        address: Address | str | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        change_deadline_s: float = CHANGE_DEADLINE_S,
    ):
        """Find the daemon; the connection is made with the first call.

        Args:
            address: Where it listens. Default: ``$RBLNTOP_ADDRESS``, else the first local socket.
            deadline_s: How long a call that only looks may take.
            change_deadline_s: How long one may take that changes something, without what it is to wait for.
        """
        self.address = address if isinstance(address, Address) else find_address(address)
        self._deadline_s = deadline_s
        self._change_deadline_s = change_deadline_s
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
            interval=duration(interval_s),
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

    async def get_history(
        self,
        engine: str = "",
        *,
        columns: Iterable[str] = (),
        last_s: float | None = None,
        since_time_s: float | None = None,
        until_time_s: float | None = None,
        interval_s: float | None = None,
        max_points: int | None = None,
    ) -> telemetry_pb2.GetHistoryResponse:
        """Figures of the past of one engine, as series with NaN where nothing was measured.

        History belongs to the engine's name: it goes on over restarts, which the answer marks.

        Args:
            engine: A name or an instance id; empty for the only engine there is.
            columns: Names as in ``HISTORY_COLUMNS`` (or ``model.HistoryColumn``); none: all.
            last_s: The last so many seconds. Default: an hour.
            since_time_s: Unix time to begin with, in the place of ``last_s``.
            until_time_s: Unix time to end with. Default: now.
            interval_s: Length of a row in whole seconds. Default: the shortest for all of the time.
            max_points: At most so many rows: the daemon chooses the interval.

        Raises:
            ValueError: there is no such column, or two arguments say the same thing differently.
        """
        request = get_history_request(
            engine,
            columns=columns,
            last_s=last_s,
            since_time_s=since_time_s,
            until_time_s=until_time_s,
            interval_s=interval_s,
            max_points=max_points,
        )
        return await self._call(self._telemetry.GetHistory, request)

    def watch_events(
        self,
        engine: str = "",
        *,
        since_time_s: float | None = None,
        after_id: int | None = None,
        follow: bool = True,
        min_severity: Severity = "info",
    ) -> AsyncGenerator[telemetry_pb2.WatchEventsResponse, None]:
        """What happened, oldest first, and then what happens. Close it with ``aclosing``.

        Args:
            engine: As in :meth:`set_limits`; empty for all engines, and the daemon itself.
            since_time_s: Unix time after which it happened. Default: from now on.
            after_id: Everything after the event of this id: a reader resumes with the last one it saw.
            follow: Wait for more; else the stream ends with the newest.
            min_severity: Only what is at least so severe.

        Raises:
            ValueError: two arguments say the same thing differently.
        """
        request = watch_events_request(
            engine, since_time_s=since_time_s, after_id=after_id, follow=follow, min_severity=min_severity
        )
        return self._stream(self._telemetry.WatchEvents, request)

    async def list_requests(
        self,
        engine: str = "",
        *,
        limit: int = 0,
        order: RequestOrder = "age",
        states: Iterable[RequestStateName] = (),
        group: int | None = None,
    ) -> telemetry_pb2.ListRequestsResponse:
        """Unfinished requests of one engine: ids and numbers, never prompts.

        Args:
            engine: A name or an instance id; empty for the only engine there is.
            limit: At most so many, 1..1,000; 0: the daemon's default of 100.
            order: What comes first: the oldest, who waits longest, the longest prompt or output, group 0.
            states: Only requests in these states; none: all.
            group: Only of this group.
        """
        request = list_requests_request(engine, limit=limit, order=order, states=states, group=group)
        return await self._call(self._telemetry.ListRequests, request)

    async def set_limits(
        self,
        engine: str = "",
        *,
        max_num_seqs: LimitTarget | None = None,
        group_caps: GroupCaps = (),
        mode: Mode | None = None,
        ttl_s: float | None = None,
        validate_only: bool = False,
        expected_generation: int | Mapping[str, int] | None = None,
        reason: str = "",
        change_id: str = "",
        wait_for: WaitFor = "accepted",
        wait_timeout_s: float = DEADLINE_S,
    ) -> control_pb2.SetLimitsResponse:
        """Change limits together or not at all; what is not named stays.

        Args:
            engine: A name, an instance id, a glob over names (``prod-70b/*``), ``model:NAME`` for all ranks
                of a model, or several of these with commas between; empty for the only engine there is. Of
                several engines all are changed, or none.
            max_num_seqs: New bound of the running list; ``UNSET``: what the engine was started with.
            group_caps: Largest decode batch by group, as a mapping or as pairs; ``UNSET`` takes a cap away.
            mode: Let running requests beyond lowered caps finish (``"drain"``), or hold them back in turns.
            ttl_s: Makes it a trial: undone by itself so long after it has settled, unless it is confirmed.
            validate_only: Get the same verdict, with a preview of what would happen, and change nothing.
            expected_generation: Refuse with ABORTED unless the limits are still at this generation. As a
                mapping by instance id: unless exactly these engines are meant, each at its own.
            reason: For the audit log.
            change_id: Name of the trial; by default the daemon makes one. It is in the answer.
            wait_for: How far the change must have come before the answer.
            wait_timeout_s: How long to wait for that; the answer tells the phase that was reached.

        Raises:
            ValueError: a number does not fit into its field.
        """
        request = set_limits_request(
            engine,
            max_num_seqs=max_num_seqs,
            group_caps=group_caps,
            mode=mode,
            ttl_s=ttl_s,
            validate_only=validate_only,
            expected_generation=expected_generation,
            reason=reason,
            change_id=change_id,
            wait_for=wait_for,
            wait_timeout_s=wait_timeout_s,
        )
        return await self._change(self._control.SetLimits, request, wait_s=wait_timeout_s)

    async def confirm(
        self, change_id: str, *, engine: str = "", reason: str = ""
    ) -> control_pb2.ConfirmChangeResponse:
        """Keep the change on trial. An empty engine means every one where it is on trial."""
        request = control_pb2.ConfirmChangeRequest(engine=engine, change_id=change_id, reason=reason)
        return await self._change(self._control.ConfirmChange, request)

    async def extend(
        self, change_id: str, ttl_s: float, *, engine: str = "", reason: str = ""
    ) -> control_pb2.ConfirmChangeResponse:
        """Leave the change on trial, and give it ``ttl_s`` from now on."""
        request = control_pb2.ConfirmChangeRequest(
            engine=engine, change_id=change_id, extend=duration(ttl_s), reason=reason
        )
        return await self._change(self._control.ConfirmChange, request)

    async def cancel(
        self, change_id: str, *, engine: str = "", reason: str = ""
    ) -> control_pb2.CancelChangeResponse:
        """Undo the change on trial. An empty engine means every one where it is on trial."""
        request = control_pb2.CancelChangeRequest(engine=engine, change_id=change_id, reason=reason)
        return await self._change(self._control.CancelChange, request)

    async def reset(
        self, engine: str = "", *, detach: bool = False, validate_only: bool = False, reason: str = ""
    ) -> control_pb2.ResetLimitsResponse:
        """Put all limits back to what the engine was started with; a trial ends with it.

        Args:
            engine: As in :meth:`set_limits`.
            detach: Give the scheduler its own methods back, too: the engine is watched no longer.
            validate_only: Get the verdict and change nothing.
            reason: For the audit log.
        """
        request = control_pb2.ResetLimitsRequest(
            engine=engine, detach=detach, validate_only=validate_only, reason=reason
        )
        return await self._change(self._control.ResetLimits, request)

    async def close_admission(
        self,
        engine: str = "",
        *,
        ttl_s: float | None = None,
        until_opened: bool = False,
        validate_only: bool = False,
        expected_generation: int | None = None,
        reason: str = "",
    ) -> control_pb2.CloseAdmissionResponse:
        """Admit no waiting request any more, for ``ttl_s`` or until somebody opens it; running ones finish.

        Raises:
            ValueError: neither ``ttl_s`` nor ``until_opened`` was given, or both.
        """
        request = close_admission_request(
            engine,
            ttl_s=ttl_s,
            until_opened=until_opened,
            validate_only=validate_only,
            expected_generation=expected_generation,
            reason=reason,
        )
        return await self._change(self._control.CloseAdmission, request)

    async def open_admission(
        self, engine: str = "", *, reason: str = ""
    ) -> control_pb2.OpenAdmissionResponse:
        """Admit waiting requests again."""
        request = control_pb2.OpenAdmissionRequest(engine=engine, reason=reason)
        return await self._change(self._control.OpenAdmission, request)

    async def list_changes(
        self, engine: str = "", *, limit: int = 0, since_s: float | None = None
    ) -> control_pb2.ListChangesResponse:
        """Read the audit log, newest first.

        Args:
            engine: As in :meth:`set_limits`; empty for all engines, those that are gone included.
            limit: At most so many; 0: the daemon's default of 100.
            since_s: Only those of the last so many seconds.
        """
        request = list_changes_request(engine, limit=limit, since_s=since_s)
        return await self._call(self._control.ListChanges, request)

    async def _change(
        self, method: Callable[..., Awaitable[Answer]], request: object, *, wait_s: float = 0.0
    ) -> Answer:
        """A call that the audit log tells of: with a fresh token, which a restarted daemon knows, too."""
        identity = await asyncio.to_thread(ask_identity, self.address)
        return await self._call(
            method, request, deadline_s=self._change_deadline_s + wait_s, metadata=metadata(identity)
        )

    async def _call(
        self,
        method: Callable[..., Awaitable[Answer]],
        request: object,
        *,
        deadline_s: float | None = None,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        try:
            return await method(request, timeout=deadline_s or self._deadline_s, metadata=metadata)
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
