"""Keys that change what is shown, and where it comes from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.app.overview_screen import OverviewScreen
from rblntop.app.themes import THEMES
from rblntop.client.errors import RefusedError
from rblntop.source import example_past, examples
from rblntop.source.scripted import ScriptedSource


@pytest.fixture
def source() -> ScriptedSource:
    """An engine with a past."""
    made = ScriptedSource(examples.capped())
    made.past = (example_past.history(),)
    made.happened = example_past.events()
    made.table = example_past.requests()
    made.made = example_past.steps()
    return made


async def test_the_past_of_the_daemon_is_there_at_once(dashboard, source, text):
    async with dashboard(source) as (app, pilot):
        await source.told(pilot.pause)
        await pilot.press("g")
        screen = text(app)
        assert "peak 719" in screen
        assert "1 h to now" in screen
        assert "cap g2 8 -> 2" in screen
        assert "692 -> 615 tok/s" in screen
        assert "2 of 8  ops" in screen
        assert "chatcmpl-9f21" in screen


@pytest.mark.parametrize(
    ("key", "there"), [("r", "144 unfinished"), ("e", "▲  prod-70b/0"), ("d", "EMPTY SLOTS 10 s")]
)
async def test_a_view_takes_the_place_of_the_graphs_and_goes_again(dashboard, source, text, key, there):
    async with dashboard(source) as (app, pilot):
        await source.told(pilot.pause)
        assert there not in text(app)
        await pilot.press(key)
        await source.told(pilot.pause)
        assert there in text(app)
        assert "tokens/s             peak" not in text(app)
        await pilot.press(key)
        assert there not in text(app)


async def test_tab_goes_through_the_views(dashboard, source, text):
    async with dashboard(source) as (app, pilot):
        await source.told(pilot.pause)
        seen = []
        for _ in range(4):
            await pilot.press("tab")
            seen.append(app.board.choice.view.value)
        assert seen == ["detail", "requests", "events", "graphs"]
        await pilot.press("shift+tab")
        assert app.board.choice.view.value == "events"


async def test_requests_are_sorted_by_key_and_by_click_and_scroll(dashboard, source, text):
    async with dashboard(source) as (app, pilot):
        await pilot.press("r")
        await source.told(pilot.pause)
        assert "▾age" in text(app)
        await pilot.press("s", "s")
        assert "sorted by prompt" in text(app)
        first = next(line for line in text(app).splitlines() if "chatcmpl" in line)
        assert "3,254" in first
        await pilot.press("down", "pagedown")
        assert "10-22 of 144" in text(app)
        await pilot.press("pagedown", *("pagedown",) * 20)
        assert "132-144 of 144" in text(app)


async def test_requests_are_asked_for_only_while_they_are_shown(dashboard, source):
    source.show(replace(examples.serving()))
    async with dashboard(source) as (app, pilot):
        await source.told(pilot.pause)
        assert app.scene.past.requests is None
        await pilot.press("r")
        await source.told(pilot.pause)
        assert app.scene.past.requests is source.table


async def test_zoom_is_a_cell_a_step(dashboard, source, text):
    async with dashboard(source) as (app, pilot):
        await pilot.press("z")
        await source.told(pilot.pause)
        app.redraw()
        await pilot.pause()
        assert "62 steps" in text(app)
        rows = [line for line in text(app).splitlines() if line.startswith(("   0  ", "   1  "))]
        assert "▇   ▇   ▇" in rows[0]
        assert rows[0].rindex("▇") != rows[1].rindex("▇")


async def test_a_daemon_without_a_past_is_as_good(dashboard, text):
    class OldDaemon(ScriptedSource):
        async def history(self, engine, last_s):
            raise RefusedError("too old", code="UNIMPLEMENTED")

        async def requests(self, engine):
            raise RefusedError("too old", code="UNIMPLEMENTED")

        def events(self, after_id):
            raise RefusedError("too old", code="UNIMPLEMENTED")

    source = OldDaemon(examples.capped())
    async with dashboard(source) as (app, pilot):
        await source.told(pilot.pause)
        assert "none known: limits as they were" in text(app)
        assert "peak 571" in text(app)
        await pilot.press("r")
        assert "requests are not told" in text(app)


async def test_every_theme_in_turn_and_who_remembers_it_is_told(dashboard, source, text):
    async with dashboard(source) as (app, pilot):
        remembered: list[str] = []

        def remember(name: str) -> None:
            remembered.append(name)

        app.watch(app, "theme", remember, init=False)
        for _ in THEMES:
            await pilot.press("t")
        assert remembered == [*list(THEMES)[1:], next(iter(THEMES))]


async def test_the_ascii_theme_has_nothing_else(dashboard, source, text):
    async with dashboard(source) as (app, pilot):
        app.theme = "rblntop-ascii"
        await source.told(pilot.pause)
        await pilot.press("g")
        await pilot.pause()
        assert text(app).isascii()


async def test_the_overview_shows_all_engines_and_enter_focuses_one(dashboard, text):
    source = ScriptedSource(*examples.many_engines())
    async with dashboard(source, size=(80, 24)) as (app, pilot):
        await pilot.press("o")
        await pilot.pause()
        assert isinstance(app.screen, OverviewScreen)
        screen = text(app)
        assert "1-19 of 64" in screen
        assert "■ Stalled: decode" in screen
        await pilot.press("end")
        assert "46-64 of 64" in text(app)
        await pilot.press("home", "down", "down", "enter")
        await pilot.pause()
        assert not isinstance(app.screen, OverviewScreen)
        assert app.board.chosen.engine.name == "prod-70b/2"


async def test_the_overview_lives(dashboard, text):
    source = ScriptedSource(*examples.many_engines(3))
    async with dashboard(source) as (app, pilot):
        await pilot.press("o")
        source.show(*examples.many_engines(2))
        await source.seen()
        await pilot.pause()
        assert "ENGINES  2" in text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "GROUP" in text(app)
