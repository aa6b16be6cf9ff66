"""The client for scripts without an event loop: the methods of ``Client``, which wait for their answer."""

# The stubs that grpc generates are untyped; each method says what its answer is.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc

from rblntop.client.address import Address, find_address
from rblntop.client.channel import open_blocking_channel
from rblntop.client.connection import CHANGE_DEADLINE_S, DEADLINE_S, STRIP_CELLS, WINDOW_SECONDS
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

Answer = TypeVar("Answer")


class SyncClient:
    """Calls a daemon, as ``Client`` does, and blocks. May be used by several threads at once.

    with SyncClient() as client:
        print(client.get_snapshot("prod-70b/0").running)
    """

    def __init__(
        self,
        address: Address | str | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        change_deadline_s: float = CHANGE_DEADLINE_S,
    ):
        """Find the daemon; the connection is made with the first call. As ``Client``."""
        self.address = address if isinstance(address, Address) else find_address(address)
        self._deadline_s = deadline_s
        self._change_deadline_s = change_deadline_s
        self._channel = open_blocking_channel(self.address)
        self._telemetry = telemetry_pb2_grpc.TelemetryStub(self._channel)  # type: ignore[no-untyped-call]
        self._control = control_pb2_grpc.ControlStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> SyncClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; open streams end."""
        self._channel.close()

    def list_engines(self) -> telemetry_pb2.ListEnginesResponse:
        """The engines that the daemon knows, and its version."""
        return self._call(self._telemetry.ListEngines, telemetry_pb2.ListEnginesRequest())

    def get_snapshot(
        self,
        engine: str = "",
        *,
        window_seconds: Sequence[int] = WINDOW_SECONDS,
        strip_cells: int = STRIP_CELLS,
    ) -> snapshot_pb2.Snapshot:
        """One engine now. As ``Client.get_snapshot``."""
        request = telemetry_pb2.GetSnapshotRequest(
            engine=engine, window_seconds=window_seconds, strip_cells=strip_cells
        )
        answer: telemetry_pb2.GetSnapshotResponse = self._call(self._telemetry.GetSnapshot, request)
        return answer.snapshot

    def watch_snapshots(
        self,
        engine: str = "",
        *,
        interval_s: float = 1.0,
        window_seconds: Sequence[int] = WINDOW_SECONDS,
        strip_cells: int = STRIP_CELLS,
    ) -> Generator[telemetry_pb2.WatchSnapshotsResponse, None, None]:
        """Snapshots of one engine, or of all, every ``interval_s``. Close it with ``closing``."""
        request = telemetry_pb2.WatchSnapshotsRequest(
            engine=engine,
            interval=duration(interval_s),
            window_seconds=window_seconds,
            strip_cells=strip_cells,
        )
        return self._stream(self._telemetry.WatchSnapshots, request)

    def watch_steps(
        self, engine: str = "", *, from_sequence: int | None = None, follow: bool = True
    ) -> Generator[telemetry_pb2.WatchStepsResponse, None, None]:
        """Every step in order. As ``Client.watch_steps``. Close it with ``closing``."""
        request = telemetry_pb2.WatchStepsRequest(
            engine=engine, from_sequence=from_sequence, no_follow=not follow
        )
        return self._stream(self._telemetry.WatchSteps, request)

    def get_history(
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
        """Figures of the past of one engine. As ``Client.get_history``."""
        request = get_history_request(
            engine,
            columns=columns,
            last_s=last_s,
            since_time_s=since_time_s,
            until_time_s=until_time_s,
            interval_s=interval_s,
            max_points=max_points,
        )
        return self._call(self._telemetry.GetHistory, request)

    def watch_events(
        self,
        engine: str = "",
        *,
        since_time_s: float | None = None,
        after_id: int | None = None,
        follow: bool = True,
        min_severity: Severity = "info",
    ) -> Generator[telemetry_pb2.WatchEventsResponse, None, None]:
        """What happened, and what happens. As ``Client.watch_events``. Close it with ``closing``."""
        request = watch_events_request(
            engine, since_time_s=since_time_s, after_id=after_id, follow=follow, min_severity=min_severity
        )
        return self._stream(self._telemetry.WatchEvents, request)

    def list_requests(
        self,
        engine: str = "",
        *,
        limit: int = 0,
        order: RequestOrder = "age",
        states: Iterable[RequestStateName] = (),
        group: int | None = None,
    ) -> telemetry_pb2.ListRequestsResponse:
        """Unfinished requests of one engine. As ``Client.list_requests``."""
        request = list_requests_request(engine, limit=limit, order=order, states=states, group=group)
        return self._call(self._telemetry.ListRequests, request)

    def set_limits(
        self,
        engine: str = "",
        *,
        max_num_seqs: LimitTarget | None = None,
        group_caps: GroupCaps = (),
        mode: Mode | None = None,
        ttl_s: float | None = None,
        validate_only: bool = False,
        expected_generation: int | None = None,
        reason: str = "",
        change_id: str = "",
        wait_for: WaitFor = "accepted",
        wait_timeout_s: float = DEADLINE_S,
    ) -> control_pb2.SetLimitsResponse:
        """Change limits together or not at all. As ``Client.set_limits``."""
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
        return self._change(self._control.SetLimits, request, wait_s=wait_timeout_s)

    def confirm(
        self, change_id: str, *, engine: str = "", reason: str = ""
    ) -> control_pb2.ConfirmChangeResponse:
        """Keep the change on trial. An empty engine means every one where it is on trial."""
        request = control_pb2.ConfirmChangeRequest(engine=engine, change_id=change_id, reason=reason)
        return self._change(self._control.ConfirmChange, request)

    def extend(
        self, change_id: str, ttl_s: float, *, engine: str = "", reason: str = ""
    ) -> control_pb2.ConfirmChangeResponse:
        """Leave the change on trial, and give it ``ttl_s`` from now on."""
        request = control_pb2.ConfirmChangeRequest(
            engine=engine, change_id=change_id, extend=duration(ttl_s), reason=reason
        )
        return self._change(self._control.ConfirmChange, request)

    def cancel(
        self, change_id: str, *, engine: str = "", reason: str = ""
    ) -> control_pb2.CancelChangeResponse:
        """Undo the change on trial. An empty engine means every one where it is on trial."""
        request = control_pb2.CancelChangeRequest(engine=engine, change_id=change_id, reason=reason)
        return self._change(self._control.CancelChange, request)

    def reset(
        self, engine: str = "", *, detach: bool = False, validate_only: bool = False, reason: str = ""
    ) -> control_pb2.ResetLimitsResponse:
        """Put all limits back to what the engine was started with. As ``Client.reset``."""
        request = control_pb2.ResetLimitsRequest(
            engine=engine, detach=detach, validate_only=validate_only, reason=reason
        )
        return self._change(self._control.ResetLimits, request)

    def close_admission(
        self,
        engine: str = "",
        *,
        ttl_s: float | None = None,
        until_opened: bool = False,
        validate_only: bool = False,
        expected_generation: int | None = None,
        reason: str = "",
    ) -> control_pb2.CloseAdmissionResponse:
        """Admit no waiting request any more. As ``Client.close_admission``."""
        request = close_admission_request(
            engine,
            ttl_s=ttl_s,
            until_opened=until_opened,
            validate_only=validate_only,
            expected_generation=expected_generation,
            reason=reason,
        )
        return self._change(self._control.CloseAdmission, request)

    def open_admission(self, engine: str = "", *, reason: str = "") -> control_pb2.OpenAdmissionResponse:
        """Admit waiting requests again."""
        request = control_pb2.OpenAdmissionRequest(engine=engine, reason=reason)
        return self._change(self._control.OpenAdmission, request)

    def list_changes(
        self, engine: str = "", *, limit: int = 0, since_s: float | None = None
    ) -> control_pb2.ListChangesResponse:
        """Read the audit log, newest first. As ``Client.list_changes``."""
        request = list_changes_request(engine, limit=limit, since_s=since_s)
        return self._call(self._control.ListChanges, request)

    def _change(self, method: Callable[..., Answer], request: object, *, wait_s: float = 0.0) -> Answer:
        return self._call(
            method,
            request,
            deadline_s=self._change_deadline_s + wait_s,
            metadata=metadata(ask_identity(self.address)),
        )

    def _call(
        self,
        method: Callable[..., Answer],
        request: object,
        *,
        deadline_s: float | None = None,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        try:
            return method(request, timeout=deadline_s or self._deadline_s, metadata=metadata)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self.address) from None

    def _stream(self, method: Callable[..., Any], request: object) -> Generator[Any, None, None]:
        call = method(request)
        try:
            yield from call
        except grpc.RpcError as error:
            raise error_from_rpc(error, self.address) from None
        finally:
            # Also when the reader just stops: an abandoned call lives on in the daemon.
            call.cancel()
