"""What a source may know beside snapshots. A source without it is as good: the screen shows less."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

from rblntop.model import Event, History, RequestTable, Step


@runtime_checkable
class PastSource(Protocol):
    """All of it raises ``ClientError`` where the daemon is away, or too old."""

    async def history(self, engine: str, last_s: float) -> History:
        """The figures of the graphs, of the last ``last_s`` seconds."""

    def events(self, after_id: int | None) -> AsyncGenerator[Sequence[Event], None]:
        """What happened in the last day, or after an event, and then what happens."""

    async def requests(self, engine: str) -> RequestTable:
        """The unfinished requests of an engine."""

    def steps(self, engine: str) -> AsyncGenerator[Sequence[Step], None]:
        """The steps of an engine from now on."""
