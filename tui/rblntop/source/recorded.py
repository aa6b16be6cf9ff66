"""Snapshots of a recording, as fast as it is played."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from rblntop.client.errors import RefusedError
from rblntop.model import Event, History, RequestTable, Step
from rblntop.model.change_from_proto import logged_from_proto
from rblntop.model.from_proto import snapshot_from_proto
from rblntop.model.telemetry_from_proto import event_from_proto
from rblntop.recording.errors import RecordingError
from rblntop.recording.frame import BlockKind
from rblntop.recording.player import Player
from rblntop.recording.reader import Recording
from rblntop.source import SnapshotsArrived, Update
from rblntop.source.changes import NoChanges
from rblntop.source.recorded_past import event_of, history_of
from rblntop.trend import point_of

TICK_S = 0.1
REFRESH_S = 1.0
"""How often the file is looked at for more."""
NO_CHANGE = "this is a recording: what it shows has happened"


class RecordedSource(NoChanges):
    """Plays a recording; who holds it moves its player."""

    NO_CHANGE = NO_CHANGE

    def __init__(
        self,
        recording: Recording,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Begin at the first snapshot.

        Args:
            recording: Stays open until the source is done with.
            now_s: The time, and
            sleep: how it passes.

        Raises:
            RecordingError: there is no snapshot in it.
        """
        self.player = Player(recording)
        self.address = str(recording.path)
        self.readonly_because = NO_CHANGE
        self.interval_s = TICK_S
        self._now_s = now_s
        self._sleep = sleep

    def present(self) -> Update:
        """The frame at which the player is."""
        return SnapshotsArrived((self.player.snapshot,))

    async def updates(self) -> AsyncGenerator[Update, None]:
        """A frame each time that the next one is due. Never ends: more may be written, or played again.

        Raises:
            RefusedError: the file became shorter, or cannot be read any more.
        """
        try:
            yield self.present()
            before_s = refreshed_s = self._now_s()
            while True:
                await self._sleep(TICK_S)
                now_s = self._now_s()
                if now_s - refreshed_s >= REFRESH_S:
                    refreshed_s = now_s
                    self.player.refresh()
                if self.player.advance(now_s - before_s):
                    yield self.present()
                before_s = now_s
        except RecordingError as error:
            raise RefusedError(str(error)) from error

    async def history(self, engine: str, last_s: float) -> History:
        """All that was recorded, so that the graphs are there wherever the player goes."""
        recording, rows = self.player.recording, []
        for block in list(recording.blocks(BlockKind.SNAPSHOTS)):
            for message in recording.snapshots_of(block):
                point = point_of(snapshot_from_proto(message)) if message.engine.name == engine else None
                if point is not None:
                    rows.append(point)
            await asyncio.sleep(0)  # Hours of it must not hold the screen up.
        return history_of(engine, rows, last_s)

    async def events(self, after_id: int | None) -> AsyncGenerator[Sequence[Event], None]:
        """What was recorded; changes of limits at least, where nothing else was."""
        if found := self.player.recording.events():
            yield [event_from_proto(event) for event in found if after_id is None or event.id > after_id]
        elif after_id is None:
            changes = [logged_from_proto(change) for change in self.player.recording.changes()]
            yield [event_of(number, change) for number, change in enumerate(changes, 1)]
        await asyncio.Event().wait()

    async def requests(self, engine: str) -> RequestTable:
        """Not recorded."""
        raise RefusedError("a recording has no requests", code="UNIMPLEMENTED")

    def steps(self, engine: str) -> AsyncGenerator[Sequence[Step], None]:
        """Not played."""
        raise RefusedError("a recording plays seconds, not steps", code="UNIMPLEMENTED")
