"""Several daemons on one screen: one that is away does not keep the others from being shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from rblntop.client.errors import ClientError, RefusedError, UnreachableError
from rblntop.model import LoggedChange
from rblntop.source import LinkLost, SnapshotsArrived, SnapshotSource, Update
from rblntop.source.changes import ChangeAnswer, LimitOrder, Order


class SeveralSources:
    """The engines of several sources; each order goes to the source of its engines."""

    readonly_because = ""
    """Each of them says for itself."""

    def __init__(self, sources: Sequence[SnapshotSource], names: Sequence[str]) -> None:
        """Follow all of them.

        Args:
            sources: The daemons.
            names: What tells them apart: the addresses that were given.
        """
        self._sources = dict(zip(names, sources, strict=True))
        self._source_of: dict[str, str] = {}
        """By instance id."""

    @property
    def address(self) -> str:
        """All of them."""
        return ", ".join(self._sources)

    @property
    def interval_s(self) -> float:
        """Time between snapshots."""
        return next(iter(self._sources.values())).interval_s

    @interval_s.setter
    def interval_s(self, seconds: float) -> None:
        for source in self._sources.values():
            source.interval_s = seconds

    async def updates(self) -> AsyncGenerator[Update, None]:
        """Updates of all, each with the name of its source; one that refuses counts as one that is away."""
        # One slot: a screen that is slow to draw slows the streams down, which then send only the latest.
        arrived: asyncio.Queue[Update] = asyncio.Queue(1)
        readers = [
            asyncio.create_task(self._read(name, source, arrived)) for name, source in self._sources.items()
        ]
        try:
            while True:
                yield await arrived.get()
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _read(self, name: str, source: SnapshotSource, arrived: asyncio.Queue[Update]) -> None:
        try:
            async with aclosing(source.updates()) as updates:
                async for update in updates:
                    if isinstance(update, LinkLost):
                        await arrived.put(LinkLost(update.cause, name))
                        continue
                    for one in update.snapshots:
                        self._source_of[one.engine.instance_id] = name
                    await arrived.put(SnapshotsArrived(update.snapshots, name, source.readonly_because))
        except RefusedError as error:
            await arrived.put(LinkLost(f"refused: {error}", name))

    async def carry_out(self, order: Order) -> ChangeAnswer:
        """Through the source of its engines."""
        return await self._of(order).carry_out(order)

    async def preview(self, order: LimitOrder) -> ChangeAnswer:
        """Through the source of its engines."""
        return await self._of(order).preview(order)

    async def changes(self, limit: int) -> tuple[LoggedChange, ...]:
        """Of all that answer, newest first."""
        answers = await asyncio.gather(
            *(source.changes(limit) for source in self._sources.values()), return_exceptions=True
        )
        found: list[LoggedChange] = []
        failed: ClientError | None = None
        for answer in answers:
            if isinstance(answer, ClientError):
                failed = answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found += answer
        if failed is not None and not found:
            raise failed
        return tuple(sorted(found, key=lambda change: change.time_s or 0.0, reverse=True)[:limit])

    def _of(self, order: Order) -> SnapshotSource:
        engines = order.engines if isinstance(order, LimitOrder) else (order.engine,)
        names = {self._source_of.get(engine, "") for engine in engines}
        if len(names) != 1:
            raise RefusedError("these engines are of several daemons: a change is of one daemon's engines")
        (name,) = names
        if name not in self._sources:
            raise UnreachableError(self.address, f"none of these daemons has shown {', '.join(engines)}")
        return self._sources[name]
