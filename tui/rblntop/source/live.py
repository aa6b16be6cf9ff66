"""Snapshots of a daemon, over gRPC."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from rblntop.client import UNSET, Backoff, Client, Disconnected, UnreachableError
from rblntop.client.reconnect import keep_streaming
from rblntop.lookback import COLUMNS
from rblntop.model import Event, History, LimitKind, LoggedChange, RequestTable, Step
from rblntop.model.change_from_proto import change_from_proto, logged_from_proto
from rblntop.model.from_proto import snapshot_from_proto, step_from_proto
from rblntop.model.telemetry_from_proto import event_from_proto, history_from_proto, requests_from_proto
from rblntop.source import LinkLost, SnapshotsArrived, Update
from rblntop.source.changes import (
    AdmissionOrder,
    ChangeAnswer,
    LimitOrder,
    Order,
    ResetOrder,
)
from rblntop_api.v1 import control_pb2, telemetry_pb2

SILENCE_S = 5.0
EVENTS_S = 86400.0
MOST_REQUESTS = 1000


class LiveSource:
    """Follows all engines of a daemon, wherever it listens at each attempt."""

    def __init__(
        self,
        connect: str | None = None,
        *,
        interval_s: float = 1.0,
        silence_s: float = SILENCE_S,
        backoff: Backoff | None = None,
        open_client: Callable[[str | None], Client] = Client,
    ) -> None:
        """Connects with the first update.

        Args:
            connect: Address of the daemon; by default it is looked for anew at each attempt.
            interval_s: Time between snapshots.
            silence_s: How long a silent stream is believed in, beyond the interval.
            backoff: Pauses between attempts.
            open_client: Makes the client of an attempt.
        """
        self._connect = connect
        self._interval_s = interval_s
        self._silence_s = silence_s
        self._backoff = backoff or Backoff()
        self._open_client = open_client
        self._client: Client | None = None
        self._interval_changed = asyncio.Event()

    @property
    def address(self) -> str:
        """The daemon that we are connected to, or were asked for."""
        return str(self._client.address) if self._client else self._connect or ""

    @property
    def readonly_because(self) -> str:
        """The viewers' socket takes no changes."""
        if self._client is not None and self._client.address.readonly:
            return "this is the viewers' socket: connect to rblntopd.sock to change limits"
        return ""

    @property
    def interval_s(self) -> float:
        """Time between snapshots."""
        return self._interval_s

    @interval_s.setter
    def interval_s(self, seconds: float) -> None:
        if seconds != self._interval_s:
            self._interval_s = seconds
            self._interval_changed.set()

    async def updates(self) -> AsyncGenerator[Update, None]:
        """Snapshots, and the moments at which the daemon went away."""
        stream = keep_streaming(
            self._attempt, silence_s=lambda: self._silence_s + self._interval_s, backoff=self._backoff
        )
        async with aclosing(stream):
            async for message in stream:
                if isinstance(message, Disconnected):
                    yield LinkLost(message.cause)
                else:
                    yield SnapshotsArrived(tuple(snapshot_from_proto(one) for one in message.snapshots))

    async def _attempt(self) -> AsyncGenerator[telemetry_pb2.WatchSnapshotsResponse, None]:
        async with self._open_client(self._connect) as client:
            self._client = client
            while True:
                self._interval_changed.clear()
                stream = client.watch_snapshots(interval_s=self._interval_s)
                async with aclosing(_until(stream, self._interval_changed)) as messages:
                    async for message in messages:
                        yield message
                if not self._interval_changed.is_set():
                    return

    async def carry_out(self, order: Order) -> ChangeAnswer:
        """Do it; how it comes into force is seen in the snapshots."""
        client = self._connected()
        answer: (
            control_pb2.SetLimitsResponse
            | control_pb2.ConfirmChangeResponse
            | control_pb2.CancelChangeResponse
            | control_pb2.ResetLimitsResponse
            | control_pb2.CloseAdmissionResponse
            | control_pb2.OpenAdmissionResponse
        )
        if isinstance(order, LimitOrder):
            return await self._set_limits(order, validate_only=False)
        if isinstance(order, AdmissionOrder):
            if order.closes:
                answer = await client.close_admission(
                    order.engine,
                    ttl_s=order.ttl_s,
                    until_opened=order.ttl_s is None,
                    expected_generation=order.expected_generation,
                    reason=order.reason,
                )
            else:
                answer = await client.open_admission(order.engine, reason=order.reason)
        elif isinstance(order, ResetOrder):
            answer = await client.reset(order.engine, reason=order.reason)
        # Without an engine: on every one where it is on trial.
        elif order.extend_s is not None:
            answer = await client.extend(order.change_id, order.extend_s)
        elif order.keep:
            answer = await client.confirm(order.change_id)
        else:
            answer = await client.cancel(order.change_id)
        return ChangeAnswer(tuple(change_from_proto(one) for one in answer.engines))

    async def preview(self, order: LimitOrder) -> ChangeAnswer:
        """The same verdict, with what would happen; changes nothing."""
        return await self._set_limits(order, validate_only=True)

    async def _set_limits(self, order: LimitOrder, *, validate_only: bool) -> ChangeAnswer:
        targets = [(value, UNSET if value.new is None else value.new) for value in order.values]
        seqs = [target for value, target in targets if value.kind is LimitKind.MAX_NUM_SEQS]
        answer = await self._connected().set_limits(
            ",".join(order.engines),
            max_num_seqs=seqs[0] if seqs else None,
            group_caps=[(value.group, target) for value, target in targets if value.group is not None],
            ttl_s=order.ttl_s,
            validate_only=validate_only,
            expected_generation=order.expected_generation,
            reason=order.reason,
        )
        return ChangeAnswer(tuple(change_from_proto(one) for one in answer.engines), answer.change_id)

    async def changes(self, limit: int) -> tuple[LoggedChange, ...]:
        """The audit log of all engines, newest first."""
        answer = await self._connected().list_changes(limit=limit)
        return tuple(logged_from_proto(one) for one in answer.changes)

    async def history(self, engine: str, last_s: float) -> History:
        """The figures of the graphs."""
        columns = [column.value for column in COLUMNS]
        return history_from_proto(await self._connected().get_history(engine, columns=columns, last_s=last_s))

    async def events(self, after_id: int | None) -> AsyncGenerator[Sequence[Event], None]:
        """Those of the last day, or after an event, and then all that come."""
        since_s = time.time() - EVENTS_S if after_id is None else None
        stream = self._connected().watch_events(since_time_s=since_s, after_id=after_id)
        async with aclosing(stream):
            async for message in stream:
                yield [event_from_proto(event) for event in message.events]

    async def requests(self, engine: str) -> RequestTable:
        """As many as the engine writes down."""
        return requests_from_proto(await self._connected().list_requests(engine, limit=MOST_REQUESTS))

    async def steps(self, engine: str) -> AsyncGenerator[Sequence[Step], None]:
        """From now on."""
        async with aclosing(self._connected().watch_steps(engine)) as stream:
            async for message in stream:
                yield [step_from_proto(step) for step in message.steps]

    def _connected(self) -> Client:
        if self._client is None:
            raise UnreachableError(self.address, "not connected")
        return self._client


async def _until(
    stream: AsyncGenerator[telemetry_pb2.WatchSnapshotsResponse, None], end: asyncio.Event
) -> AsyncGenerator[telemetry_pb2.WatchSnapshotsResponse, None]:
    """The messages of a stream until ``end`` is set, however long the next one takes."""
    ended = asyncio.ensure_future(end.wait())
    message: asyncio.Future[telemetry_pb2.WatchSnapshotsResponse] | None = None
    try:
        while True:
            message = asyncio.ensure_future(anext(stream))
            await asyncio.wait((message, ended), return_when=asyncio.FIRST_COMPLETED)
            if not message.done():
                return
            try:
                yield message.result()
            except StopAsyncIteration:
                return
    finally:
        ended.cancel()
        if message is not None and not message.done():
            message.cancel()
            # The stream cannot be closed while it is being read.
            await asyncio.wait((message,))
            if not message.cancelled():
                message.exception()
        await stream.aclose()
