"""A dashboard on a scripted source and a clock that stands still."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from textual.pilot import Pilot

from rblntop.app.app import RblntopApp
from rblntop.source.examples import NOON_S
from rblntop.source.scripted import ScriptedSource


class FrozenClock:
    """Moves when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return NOON_S


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times of day do not depend on the machine."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()


@pytest.fixture
def clock() -> FrozenClock:
    """The dashboard's clock."""
    return FrozenClock()


Dashboard = Callable[..., AbstractAsyncContextManager[tuple[RblntopApp, Pilot]]]


@pytest.fixture
def dashboard(clock: FrozenClock) -> Dashboard:
    """Opens a dashboard on a source and waits until it shows what the source had to say."""

    @asynccontextmanager
    async def open_dashboard(
        source: ScriptedSource, *, size: tuple[int, int] = (120, 36), engine: str = "", readonly: bool = False
    ) -> AsyncIterator[tuple[RblntopApp, Pilot]]:
        app = RblntopApp(source, engine=engine, readonly=readonly, clock=clock)
        async with app.run_test(size=size) as pilot:
            await source.seen()
            await pilot.pause()
            yield app, pilot

    return open_dashboard


@pytest.fixture
def text() -> Callable[[RblntopApp], str]:
    """What stands on the screen."""

    def read(app: RblntopApp) -> str:
        rows = app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in row).rstrip() for row in rows)

    return read
