"""What the operator looks at: pause, interval, search, palette, and that it is remembered."""

from __future__ import annotations

import json

import pytest
from textual.command import CommandPalette

from rblntop.app.app import RblntopApp
from rblntop.app.commands import ActionProvider
from rblntop.app.widgets.change_panel import ChangePanel
from rblntop.app.widgets.key_bar import KeyBar
from rblntop.settings import SettingsFile
from rblntop.source import examples
from rblntop.source.scripted import ScriptedSource
from rblntop.source.several import SeveralSources


async def show(source, pilot, *snapshots):
    source.show(*snapshots)
    await source.seen()
    await pilot.pause()


async def test_p_lets_the_figures_stand_still_and_loses_nothing(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("p")
        await show(source, pilot, examples.capped())
        assert "PAUSED" in text(app)
        assert "Group 2 is capped" not in text(app)
        await pilot.press("p")
        assert "PAUSED" not in text(app)
        assert "Group 2 is capped" in text(app)


async def test_a_change_is_never_staged_on_figures_that_stand_still(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("p")
        await show(source, pilot, examples.capped())
        await pilot.press("G")
        assert "PAUSED" not in text(app)
        assert app.query_one(ChangePanel).draft.generation == 7


async def test_plus_and_minus_change_the_interval_within_its_bounds(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("plus")
        assert source.interval_s == 2.0
        assert "live, each 2 s" in text(app)
        await pilot.press(*["plus"] * 9)
        assert source.interval_s == 10.0
        await pilot.press(*["minus"] * 19)
        assert source.interval_s == 0.2


async def test_a_longer_interval_is_not_called_stale(dashboard, clock, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press(*["plus"] * 3)
        clock.now_s += 12
        app.redraw()
        await pilot.pause()
        assert "STALE" not in text(app)


async def test_a_search_shows_the_engines_that_hold_it_and_escape_clears_it(dashboard, text):
    names = ("prod/0", "prod/1", "tiny/0")
    source = ScriptedSource(*(examples.named(examples.serving(), name) for name in names))
    async with dashboard(source) as (app, pilot):
        await pilot.press("slash", *"TINY")
        await pilot.pause()
        assert app.board.names == ("tiny/0",)
        assert app.board.chosen.engine.name == "tiny/0"
        await pilot.press("enter", "escape")
        assert app.board.names == names


async def test_a_search_shows_the_groups_that_hold_it(dashboard):
    async with dashboard(ScriptedSource(examples.capped())) as (app, pilot):
        await pilot.press("slash", *"capped", "enter")
        await pilot.pause()
        assert [group.group for group in app.scene.groups] == [2]
        assert "[/] find capped" in "".join(span.text for span in app.query_one(KeyBar).lines[0])


async def test_a_search_takes_every_key_and_changes_nothing(dashboard):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("slash", *"MGq 5", "backspace", "enter")
        await pilot.pause()
        assert app.board.filter == "mgq"
        assert not app.query_one(ChangePanel).display


async def test_a_search_that_finds_nothing_says_so(dashboard, text):
    async with dashboard(ScriptedSource(examples.serving())) as (app, pilot):
        await pilot.press("slash", *"zzz", "enter")
        await pilot.pause()
        assert "No engine and no group holds 'zzz': all are shown." in text(app)


async def test_the_palette_runs_an_action_by_its_name(dashboard):
    async with dashboard(ScriptedSource(examples.serving())) as (app, pilot):
        await pilot.press("colon")
        await pilot.pause()
        assert isinstance(app.screen, CommandPalette)
        await pilot.press("escape")
        hits = [hit async for hit in ActionProvider(app.screen).search("group cap")]
        assert hits[0].text == "group cap  (G)"
        await hits[0].command()
        assert app.query_one(ChangePanel).display


@pytest.mark.parametrize("key", ["h", "j", "k", "l", "w", "p", "plus", "minus", "X", "escape"])
async def test_only_capitals_ask_for_changes(dashboard, key):
    source = ScriptedSource(*(examples.named(examples.trial(), name) for name in ("a/0", "b/0")))
    async with dashboard(source) as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert source.asked == []
        assert not app.query_one(ChangePanel).display


async def test_every_capital_fits_eighty_columns(dashboard, text):
    engines = (examples.named(examples.serving((8,) * 64), name) for name in ("a/0", "b/0"))
    async with dashboard(ScriptedSource(*engines), size=(80, 24)) as (app, _):
        last = text(app).splitlines()[-1]
        assert last.startswith(" [M]ax seqs [G]roup cap [U]ndo [A]dmission [R]eset")
        assert last.endswith("[:] [?]")


async def test_a_choice_is_kept_for_the_next_start(tmp_path, clock):
    file = SettingsFile(tmp_path / "rblntop" / "settings.json")
    source = ScriptedSource(examples.serving())
    app = RblntopApp(source, clock=clock, settings_file=file)
    async with app.run_test() as pilot:
        await source.seen()
        await pilot.press("w", "plus")
    assert json.loads(file.path.read_text())["window_s"] == 60
    again = RblntopApp(ScriptedSource(), clock=clock, settings_file=file)
    assert (again.board.window_s, again.board.interval_s) == (60, 2.0)


async def test_a_garbage_file_is_told_once_and_left_alone(tmp_path, clock, text):
    path = tmp_path / "settings.json"
    path.write_text("{oops")
    source = ScriptedSource(examples.serving())
    app = RblntopApp(source, clock=clock, settings_file=SettingsFile(path))
    async with app.run_test(size=(200, 50)) as pilot:
        await source.seen()
        await pilot.pause()
        assert f"{path} is no JSON: using the defaults" in text(app)
    assert path.read_text() == "{oops"


# --- several daemons ---


async def test_one_daemon_away_does_not_hurt_the_others(dashboard, text):
    near, far = ScriptedSource(examples.named(examples.serving(), "a/0")), ScriptedSource()
    far.show(examples.named(examples.serving(), "b/0"))
    source = SeveralSources([near, far], ["unix:/run/near/rblntopd.sock", "far:50661"])
    source.seen = near.seen
    async with dashboard(source) as (app, pilot):
        await far.seen()
        await pilot.pause()
        far.lose()
        await far.seen()
        await show(near, pilot, examples.named(examples.capped(), "a/0"))
        await pilot.pause()
        assert app.board.names == ("a/0", "b/0")
        assert "STALE" not in text(app)
        assert "Group 2 is capped" in text(app)
        await pilot.press("right")
        assert "STALE" in text(app)
        await pilot.press("M")
        assert "Not now: the daemon is away" in text(app)


async def test_names_have_their_daemon_only_where_they_need_it(dashboard):
    both = examples.named(examples.serving(), "a/0", "one"), examples.named(examples.serving(), "a/0", "two")
    near, far = ScriptedSource(both[0]), ScriptedSource(both[1], examples.named(examples.serving(), "b/0"))
    source = SeveralSources([near, far], ["unix:/run/near/rblntopd.sock", "far:50661"])
    source.seen = near.seen
    async with dashboard(source) as (app, pilot):
        await far.seen()
        await pilot.pause()
        assert app.board.names == ("near:a/0", "far:50661:a/0", "b/0")


async def test_an_order_goes_to_the_daemon_of_its_engine(dashboard):
    near = ScriptedSource(examples.named(examples.serving(), "a/0"))
    far = ScriptedSource(examples.named(examples.serving(), "b/0"))
    source = SeveralSources([near, far], ["near:1", "far:1"])
    source.seen = near.seen
    async with dashboard(source) as (app, pilot):
        await far.seen()
        await pilot.pause()
        await pilot.press("right", "M", "2", "4", "enter")
        await pilot.pause()
        assert (len(near.asked), len(far.asked)) == (0, 1)
        await pilot.press("space", "right", "space", "M")
        assert "of several daemons" in app.board.notice(app._clock.monotonic_s())
        assert not app.query_one(ChangePanel).display
