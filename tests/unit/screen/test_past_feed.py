"""What is asked of a source beside snapshots, and when. Time passes when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from rblntop.client.errors import RefusedError, UnreachableError
from rblntop.lookback import Lookback
from rblntop.model import Event, EventKind, History, RequestTable, Step
from rblntop.past_feed import DAY_S, HOUR_S, PastFeed
from rblntop.scene import Link, LinkState, Scene
from rblntop.source import examples
from rblntop.view import View


class Source:
    """Notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.error: Exception | None = None

    def _note(self, *what: object) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error

    async def history(self, engine: str, last_s: float) -> History:
        self._note("history", engine, last_s)
        return History(engine)

    async def events(self, after_id: int | None) -> AsyncGenerator[Sequence[Event], None]:
        self._note("events", after_id)
        yield [Event(5, EventKind.DAEMON_STARTED)]

    async def requests(self, engine: str) -> RequestTable:
        self._note("requests", engine)
        return RequestTable()

    async def steps(self, engine: str) -> AsyncGenerator[Sequence[Step], None]:
        self._note("steps", engine)
        yield ()


class Sleepers:
    """Holds who sleeps, for as long as it is not told to wake them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((seconds, woken))
        await woken

    async def wake_all(self) -> None:
        waiting, self.waiting = self.waiting, []
        for _, woken in waiting:
            woken.set_result(None)
        await turns()


async def turns() -> None:
    """Let everything run that can."""
    for _ in range(30):
        await asyncio.sleep(0)


@pytest.fixture
async def feed():
    """A feed that runs."""
    source, sleepers, lookback = Source(), Sleepers(), Lookback()
    made = PastFeed(source, lookback, lambda: None, sleep=sleepers.sleep)
    running = asyncio.ensure_future(made.run())
    await turns()
    yield made, source, sleepers
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


BUSY = Scene(examples.capped())
IDLE = Scene(examples.serving())
NAME, INSTANCE = examples.ENGINE.name, examples.ENGINE.instance_id


async def test_nothing_is_asked_before_there_is_an_engine(feed):
    made, source, _ = feed
    made.want(None)
    await turns()
    assert source.asked == []


async def test_history_is_asked_once_an_engine_and_again_after_the_daemon_was_away(feed):
    made, source, sleepers = feed
    made.want(IDLE)
    await turns()
    asked = [one for one in source.asked if one[0] == "history"]
    assert asked == [("history", NAME, DAY_S), ("history", NAME, HOUR_S)]
    made.want(replace(IDLE, link=Link(LinkState.LOST)))
    made.want(IDLE)
    await sleepers.wake_all()
    assert len([one for one in source.asked if one[0] == "history"]) == 4


async def test_requests_are_asked_for_while_some_wait_or_the_list_is_shown(feed):
    made, source, sleepers = feed
    made.want(IDLE)
    await turns()
    assert ("requests", INSTANCE) not in source.asked
    made.want(replace(IDLE, view=View.REQUESTS))
    await turns()
    assert source.asked.count(("requests", INSTANCE)) == 1
    made.want(replace(BUSY, view=View.EVENTS))
    await sleepers.wake_all()
    assert source.asked.count(("requests", INSTANCE)) == 1
    made.want(BUSY)
    await turns()
    assert source.asked.count(("requests", INSTANCE)) == 2


async def test_events_go_on_after_the_newest_that_is_known(feed):
    made, source, sleepers = feed
    made.want(IDLE)
    await turns()
    await sleepers.wake_all()
    assert [one for one in source.asked if one[0] == "events"] == [("events", None), ("events", 5)]


async def test_steps_are_asked_for_while_zoomed(feed):
    made, source, _ = feed
    made.want(IDLE)
    await turns()
    assert ("steps", INSTANCE) not in source.asked
    made.want(replace(IDLE, zoomed=True))
    await turns()
    assert ("steps", INSTANCE) in source.asked


async def test_a_daemon_that_is_too_old_is_not_asked_again(feed):
    made, source, sleepers = feed
    source.error = RefusedError("too old", code="UNIMPLEMENTED")
    made.want(BUSY)
    await turns()
    first = len(source.asked)
    await sleepers.wake_all()
    made.want(replace(BUSY, view=View.REQUESTS))
    await turns()
    assert len(source.asked) == first == 3


async def test_a_daemon_that_does_not_answer_is_asked_again_later(feed):
    made, source, sleepers = feed
    source.error = UnreachableError("unix:/x", "refused")
    made.want(BUSY)
    await turns()
    first = len(source.asked)
    await turns()
    assert len(source.asked) == first
    await sleepers.wake_all()
    assert len(source.asked) == 2 * first
