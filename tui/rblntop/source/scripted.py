"""A source that says what it was told to say: for tests, pictures and demonstrations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from rblntop.client.errors import ClientError
from rblntop.model import Event, History, LoggedChange, RequestTable, Snapshot, Step
from rblntop.source import LinkLost, SnapshotsArrived, Update
from rblntop.source.changes import ChangeAnswer, LimitOrder, Order


class ScriptedSource:
    """Holds updates until they are read; remembers the orders that it was given."""

    def __init__(self, *snapshots: Snapshot, readonly_because: str = "", address: str = "scripted") -> None:
        """Start with one update of these snapshots, or with none at all."""
        self.address = address
        self.readonly_because = readonly_because
        self.interval_s = 1.0
        self.asked: list[Order] = []
        self.previewed: list[LimitOrder] = []
        self.refusal: ClientError | None = None
        """Raised by the next orders."""
        self.preview_refusal: ClientError | None = None
        self.answer = ChangeAnswer()
        self.outlook = ChangeAnswer()
        """What a preview says."""
        self.log: tuple[LoggedChange, ...] = ()
        self.past: tuple[History, ...] = ()
        """The past of each engine, as ``history`` tells it."""
        self.happened: tuple[Event, ...] = ()
        self.table = RequestTable()
        self.made: tuple[Step, ...] = ()
        self._updates: asyncio.Queue[Update] = asyncio.Queue()
        if snapshots:
            self.show(*snapshots)

    def show(self, *snapshots: Snapshot) -> None:
        """Let these be all engines there are."""
        self._updates.put_nowait(SnapshotsArrived(snapshots))

    def lose(self, cause: str = "connection refused") -> None:
        """Let the daemon go away."""
        self._updates.put_nowait(LinkLost(cause))

    async def seen(self) -> None:
        """Wait until all updates so far have been taken and worked off."""
        await self._updates.join()

    async def told(self, pause: Callable[[], Awaitable[None]]) -> None:
        """Wait until the past that was asked for has been taken: there is something to ask for it with."""
        for _ in range(20):
            await pause()

    async def updates(self) -> AsyncGenerator[Update, None]:
        """The script."""
        while True:
            update = await self._updates.get()
            try:
                yield update
            finally:
                self._updates.task_done()

    async def carry_out(self, order: Order) -> ChangeAnswer:
        """Accept, or refuse with ``refusal``."""
        self.asked.append(order)
        if self.refusal is not None:
            raise self.refusal
        return self.answer

    async def preview(self, order: LimitOrder) -> ChangeAnswer:
        """The ``outlook``, or ``preview_refusal``."""
        self.previewed.append(order)
        if self.preview_refusal is not None:
            raise self.preview_refusal
        return self.outlook

    async def changes(self, limit: int) -> tuple[LoggedChange, ...]:
        """The ``log``."""
        return self.log[:limit]

    async def history(self, engine: str, last_s: float) -> History:
        """``past``, whatever time was asked for."""
        return next((one for one in self.past if one.engine == engine), History(engine))

    async def events(self, after_id: int | None) -> AsyncGenerator[Sequence[Event], None]:
        """``happened``, and nothing more."""
        yield self.happened
        await asyncio.Event().wait()

    async def requests(self, engine: str) -> RequestTable:
        """``table``, of any engine."""
        return self.table

    async def steps(self, engine: str) -> AsyncGenerator[Sequence[Step], None]:
        """``made``, and nothing more."""
        yield self.made
        await asyncio.Event().wait()
