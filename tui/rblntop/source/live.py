"""Snapshots of a daemon, over gRPC."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from rblntop.client import Backoff, Client, Disconnected, UnreachableError
from rblntop.client.reconnect import keep_streaming
from rblntop.lookback import COLUMNS
from rblntop.model import Event, History, RequestTable, Step
from rblntop.model.from_proto import limits_from_proto, snapshot_from_proto, step_from_proto
from rblntop.model.telemetry_from_proto import event_from_proto, history_from_proto, requests_from_proto
from rblntop.source import ChangeAccepted, LinkLost, SnapshotsArrived, Update
from rblntop_api.v1 import telemetry_pb2

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
            silence_s: How long a silent stream is believed in.
            backoff: Pauses between attempts.
            open_client: Makes the client of an attempt.
        """
        self._connect = connect
        self._interval_s = interval_s
        self._silence_s = silence_s + interval_s
        self._backoff = backoff or Backoff()
        self._open_client = open_client
        self._client: Client | None = None

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

    async def updates(self) -> AsyncGenerator[Update, None]:
        """Snapshots, and the moments at which the daemon went away."""
        stream = keep_streaming(self._attempt, silence_s=self._silence_s, backoff=self._backoff)
        async with aclosing(stream):
            async for message in stream:
                if isinstance(message, Disconnected):
                    yield LinkLost(message.cause)
                else:
                    yield SnapshotsArrived(tuple(snapshot_from_proto(one) for one in message.snapshots))

    async def _attempt(self) -> AsyncGenerator[telemetry_pb2.WatchSnapshotsResponse, None]:
        async with self._open_client(self._connect) as client:
            self._client = client
            async with aclosing(client.watch_snapshots(interval_s=self._interval_s)) as stream:
                async for message in stream:
                    yield message

    def _connected(self) -> Client:
        if self._client is None:
            raise UnreachableError(self.address, "not connected")
        return self._client

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

    async def set_limits(
        self, engine: str, *, max_num_seqs: int | None = None, group_caps: Sequence[tuple[int, int]] = ()
    ) -> ChangeAccepted:
        """Change limits; how they come into force is seen in the snapshots."""
        if self._client is None:
            raise UnreachableError(self.address, "not connected")
        answer = await self._client.set_limits(engine, max_num_seqs=max_num_seqs, group_caps=group_caps)
        change = answer.engines[0]
        return ChangeAccepted(change.generation, limits_from_proto(change.limits), tuple(change.warnings))
