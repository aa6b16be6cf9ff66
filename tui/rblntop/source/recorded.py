"""Snapshots of a recording, as fast as it is played."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from rblntop.client.errors import RefusedError
from rblntop.recording.errors import RecordingError
from rblntop.recording.player import Player
from rblntop.recording.reader import Recording
from rblntop.source import SnapshotsArrived, Update
from rblntop.source.changes import NoChanges

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
