"""Follows an engine through a daemon and gives a recorder all that it says, over restarts of either."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from typing import TypeVar

from rblntop.client.connection import Client
from rblntop.client.errors import ClientError, RefusedError, UnreachableError
from rblntop.client.reconnect import Backoff, Disconnected, keep_streaming
from rblntop.recording.recorder import Recorder
from rblntop_api.v1 import snapshot_pb2, telemetry_pb2

Message = TypeVar("Message")

SILENCE_S = 6.0
STEPS_EVERY_S = 2.0
"""The engine's own recorder holds minutes of them, and asking now and then costs less than following."""
LAST_LOOK_S = 3.0
CHANGES_EVERY_S = 10.0
MOST_CHANGES = 1000
CHANGES_OVERLAP_S = 30.0
"""Clocks differ, and a change is logged a moment after it was made."""


class Capture:
    """One engine, from now on, whatever process bears its name."""

    def __init__(
        self,
        connect: str | None,
        first: snapshot_pb2.Snapshot,
        recorder: Recorder,
        *,
        open_client: Callable[[str | None], Client] = Client,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare to follow.

        Args:
            connect: Address of the daemon; by default it is looked for anew at each attempt.
            first: The engine now; its steps are recorded from here on.
            recorder: Gets everything.
            open_client: Makes the client of an attempt.
            backoff: Pauses between attempts.
        """
        self._connect = connect
        self._recorder = recorder
        self._open_client = open_client
        self._backoff = backoff or Backoff()
        self._engine = self._read_engine = first.engine
        """As the latest snapshot has it, and whose steps are read."""
        self._steps_client: Client | None = None
        self._began_ns = time.time_ns()
        self._next_sequence = first.next_sequence
        self._seen_changes: set[bytes] = set()
        self._newest_event: int | None = None
        self.lost_because = ""
        """Why the daemon is away; empty: it is there."""
        recorder.add_snapshot(first, self._began_ns)

    async def run(self, stop: asyncio.Event) -> None:
        """Record until ``stop`` is set.

        Raises:
            FullError: the file may not become larger.
            RecordingError: it cannot be written.
        """
        work = (self._snapshots(), self._steps(), self._changes(), self._events(), self._flush(), _set(stop))
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await _stopped(tasks)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._last_look(), LAST_LOOK_S)
            self._recorder.flush(time.time_ns())
        finally:
            await _stopped(tasks)
            await self._close_steps_client()

    async def _last_look(self) -> None:
        """What happened since the last one."""
        await self._read_steps()
        await self._ask_changes()
        await self._ask_events()

    async def _snapshots(self) -> None:
        def watch(client: Client) -> AsyncGenerator[telemetry_pb2.WatchSnapshotsResponse, None]:
            # As dashboards ask for them: the daemon makes them once for all.
            return client.watch_snapshots(self._engine.name)

        async for message in self._stream(watch):
            now_ns = time.time_ns()
            if isinstance(message, Disconnected):
                if not self.lost_because:
                    self._recorder.mark(now_ns, "lost", cause=message.cause)
                self.lost_because = message.cause
                continue
            if self.lost_because:
                self.lost_because = ""
                self._recorder.mark(now_ns, "back")
            for snapshot in message.snapshots:
                self._recorder.add_snapshot(snapshot, now_ns)
                if snapshot.engine.instance_id != self._engine.instance_id:
                    self._engine = snapshot.engine

    async def _steps(self) -> None:
        """The steps of one process to its end, then those of the next that bears its name."""
        while True:
            ended = self._engine.instance_id != self._read_engine.instance_id
            if await self._read_steps() and ended:
                self._read_engine, self._next_sequence = self._engine, 0
                continue
            await asyncio.sleep(STEPS_EVERY_S)

    async def _read_steps(self) -> bool:
        """Record the steps up to now; false if the daemon is away."""
        engine = self._read_engine
        try:
            if self._steps_client is None:
                self._steps_client = self._open_client(self._connect)
            client = self._steps_client
            # Local engines share our CLOCK_MONOTONIC; of others it is known as well as their steps are fresh.
            local = client.address.target.startswith("unix:")
            offset_ns = time.time_ns() - time.monotonic_ns() if local else 0
            stream = client.watch_steps(engine.instance_id, from_sequence=self._next_sequence, follow=False)
            async with aclosing(stream):
                async for message in stream:
                    now_ns = time.time_ns()
                    self._next_sequence += message.missed
                    if message.steps:
                        offset_ns = offset_ns or now_ns - message.steps[-1].completed_ns
                        self._next_sequence = message.steps[-1].sequence + 1
                    self._recorder.set_engine(engine, now_ns)
                    self._recorder.add_steps(
                        message.steps, now_ns, missed=message.missed, offset_ns=offset_ns
                    )
        except RefusedError as error:
            if error.code == "INVALID_ARGUMENT":
                # Its recorder was made anew, and is not as far as the old one was.
                self._next_sequence = 0
        except UnreachableError:
            await self._close_steps_client()
            return False
        return True

    async def _close_steps_client(self) -> None:
        if self._steps_client is not None:
            await self._steps_client.close()
            self._steps_client = None

    async def _changes(self) -> None:
        told = True
        while told:
            told = await self._ask_changes()
            await asyncio.sleep(CHANGES_EVERY_S)
        await asyncio.Event().wait()

    async def _ask_changes(self) -> bool:
        """Record the changes that are new; false if this daemon, or this socket, does not tell them."""
        since_s = (time.time_ns() - self._began_ns) / 1e9 + CHANGES_OVERLAP_S
        try:
            async with self._open_client(self._connect) as client:
                answer = await client.list_changes(self._engine.name, limit=MOST_CHANGES, since_s=since_s)
        except RefusedError as error:
            return error.code not in ("UNIMPLEMENTED", "PERMISSION_DENIED")
        except ClientError:
            return True
        fresh = []
        for change in reversed(answer.changes):
            key = change.SerializeToString(deterministic=True)
            if key not in self._seen_changes:
                self._seen_changes.add(key)
                fresh.append(change)
        self._recorder.add_changes(fresh, time.time_ns())
        return True

    async def _events(self) -> None:
        told = True
        while told:
            told = await self._ask_events()
            await asyncio.sleep(CHANGES_EVERY_S)
        await asyncio.Event().wait()

    async def _ask_events(self) -> bool:
        """Record what happened since the last time; false if this daemon does not tell."""
        since_s = self._began_ns / 1e9 if self._newest_event is None else None
        try:
            async with self._open_client(self._connect) as client:
                stream = client.watch_events(
                    self._engine.name, since_time_s=since_s, after_id=self._newest_event, follow=False
                )
                async with aclosing(stream):
                    async for message in stream:
                        if message.events:
                            self._newest_event = message.events[-1].id
                            self._recorder.add_events(message.events, time.time_ns())
        except RefusedError as error:
            return error.code not in ("UNIMPLEMENTED", "PERMISSION_DENIED")
        except ClientError:
            return True
        return True

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._recorder.flush_if_due(time.time_ns())

    def _stream(
        self, watch: Callable[[Client], AsyncGenerator[Message, None]]
    ) -> AsyncGenerator[Message | Disconnected, None]:
        async def attempt() -> AsyncGenerator[Message, None]:
            async with self._open_client(self._connect) as client:
                try:
                    async with aclosing(watch(client)) as stream:
                        async for message in stream:
                            yield message
                except RefusedError as error:
                    # The engine was there when we began: it may come back.
                    raise UnreachableError(str(client.address), error.message, hint="") from error

        return keep_streaming(attempt, silence_s=SILENCE_S, backoff=self._backoff)


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def _stopped(tasks: Iterable[asyncio.Future[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
