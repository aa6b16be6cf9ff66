"""What the operator does, and what the screen then says."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from rblntop.app.help_screen import HelpScreen
from rblntop.app.widgets.change_panel import ChangePanel
from rblntop.app.widgets.group_table import GroupTable
from rblntop.blocks.layout import room_to_change
from rblntop.board import Board
from rblntop.client.errors import RefusedError
from rblntop.source import SnapshotsArrived, examples
from rblntop.source.scripted import ScriptedSource


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (("G", "9"), "9 is above 8: the largest compiled decode bucket"),
        (("G", "0"), "0 is below 1: a group must be able to decode one request"),
        (("M", "3"), "3 is below 4: each of the 4 pipeline stages needs a request"),
        (("M", "3", "3"), "33 is above 32: what the engine was started with"),
        (("M", "backspace"), "type a number"),
    ],
)
async def test_an_impossible_value_says_why_and_enter_does_nothing(dashboard, text, keys, why):
    source = ScriptedSource(examples.capped())
    async with dashboard(source, size=(80, 24)) as (app, pilot):
        await pilot.press(*keys)
        assert why in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert source.asked == []
        assert app.query_one(ChangePanel).display


async def test_an_uneven_value_is_allowed_with_a_warning(dashboard, text):
    async with dashboard(ScriptedSource(examples.serving())) as (app, pilot):
        await pilot.press("M", "9")
        assert "not a multiple of pp 4: the groups run 3/2/2/2" in text(app)


async def test_readonly_takes_no_changes_and_says_why(dashboard, text):
    async with dashboard(ScriptedSource(examples.capped()), readonly=True) as (app, pilot):
        await pilot.press("G")
        assert not app.query_one(ChangePanel).display
        assert "Read-only: rblntop was started with --readonly." in text(app)


async def test_the_viewers_socket_is_readonly(dashboard, text):
    source = ScriptedSource(examples.capped(), readonly_because="this is the viewers' socket")
    async with dashboard(source) as (app, pilot):
        assert "viewer" in text(app)
        await pilot.press("M")
        assert "Read-only: this is the viewers' socket." in text(app)


async def test_a_daemon_that_goes_away_leaves_stale_figures_and_its_return_brings_them_back(
    dashboard, clock, text
):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        clock.now_s += 12
        source.lose()
        await source.seen()
        await pilot.pause()
        assert "■ STALE 12 s" in text(app)
        assert "26/32" in text(app) or "31/32" in text(app)

        source.show(examples.serving())
        await source.seen()
        await pilot.pause()
        assert "STALE" not in text(app)
        assert "● live" in text(app)


async def test_silence_alone_makes_it_stale(dashboard, clock, text):
    async with dashboard(ScriptedSource(examples.serving())) as (app, pilot):
        clock.now_s += 30
        app.redraw()
        await pilot.pause()
        assert "■ STALE 30 s" in text(app)


async def test_nothing_is_sent_while_the_daemon_is_away(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        source.lose()
        await source.seen()
        await pilot.press("M")
        assert "Not now: the daemon is away" in text(app)


async def test_limits_of_an_engine_that_is_gone_are_not_offered(dashboard, text):
    async with dashboard(ScriptedSource(examples.gone())) as (app, pilot):
        await pilot.press("M")
        assert "Not now: the engine is gone." in text(app)
        assert not app.query_one(ChangePanel).display


@pytest.mark.parametrize("size", [(80, room_to_change(engine_count=1)[1] - 1), (59, 24)])
async def test_a_panel_that_nobody_could_see_does_not_open(dashboard, text, size):
    source = ScriptedSource(examples.serving())
    async with dashboard(source, size=size) as (app, pilot):
        await pilot.press("M", "8", "enter")
        await pilot.pause()
        assert "Too small" in text(app)
        assert not app.query_one(ChangePanel).display
        assert source.asked == []


async def test_a_panel_is_whole_in_the_smallest_terminal_in_which_it_opens(dashboard, text):
    async with dashboard(ScriptedSource(examples.serving()), size=(60, 21)) as (app, pilot):
        await pilot.press("M", "8")
        screen = text(app)
        assert all(words in screen for words in ("M  max_num_seqs", "8▏", "now 32", "Enter try"))


async def test_a_terminal_that_gets_too_small_closes_the_panel(dashboard):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("M")
        await pilot.resize_terminal(80, 12)
        await pilot.pause()
        await pilot.press("8", "enter")
        await pilot.pause()
        assert not app.query_one(ChangePanel).display
        assert source.asked == []


async def test_without_an_engine_it_says_how_to_start_one(dashboard, text):
    source = ScriptedSource()
    source.show()
    async with dashboard(source, size=(80, 24)) as (app, pilot):
        assert "No engine yet" in text(app)
        assert "rblntopd run -- vllm serve" in text(app)
        source.show(examples.serving())
        await source.seen()
        await pilot.pause()
        assert "No engine yet" not in text(app)
        assert "All even, pipeline full." in text(app)


async def test_without_a_daemon_it_says_what_is_missing(dashboard, text):
    source = ScriptedSource()
    source.lose("none of these sockets is there")
    async with dashboard(source, size=(80, 24)) as (app, _):
        assert "No daemon answers" in text(app)
        assert "none of these sockets is there" in text(app)
        assert "rblntopd serve" in text(app)


async def test_another_engine_than_the_one_asked_for_is_not_shown_in_silence(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source, engine="prod-7b/0") as (app, _):
        assert "There is no engine 'prod-7b/0': this is prod-70b/0." in text(app)


async def test_the_engine_asked_for_is_shown_without_a_word(dashboard, text):
    source = ScriptedSource(*(examples.named(examples.serving(), name) for name in ("a/0", "b/0")))
    async with dashboard(source, engine="b/0") as (app, _):
        assert app.board.chosen.engine.name == "b/0"
        assert "There is no engine" not in text(app)


async def test_a_restarted_engine_says_so_for_a_minute(dashboard, clock, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        source.show(examples.named(examples.serving(), "prod-70b/0", "another process"))
        await source.seen()
        await pilot.pause()
        assert "RESTARTED" in text(app)
        clock.now_s += 61
        source.show(examples.named(examples.serving(), "prod-70b/0", "another process"))
        await source.seen()
        await pilot.pause()
        assert "RESTARTED" not in text(app)


async def test_a_restart_closes_the_panel(dashboard):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("M")
        source.show(examples.named(examples.serving(), "prod-70b/0", "another process"))
        await source.seen()
        await pilot.pause()
        assert not app.query_one(ChangePanel).display


async def test_the_living_process_is_shown_when_the_dead_one_still_has_its_name(dashboard, text):
    living = examples.named(examples.serving(), "prod-70b/0", "another process")
    source = ScriptedSource(living, examples.gone())
    async with dashboard(source) as (app, _):
        assert "GONE" not in text(app)


async def test_engines_of_one_name_are_all_there_and_told_apart_by_pid(dashboard, text):
    one, two = (examples.named(examples.serving(), "llama/0", name) for name in ("one", "two"))
    two = replace(two, engine=replace(two.engine, pid=4711))
    async with dashboard(ScriptedSource(two, one)) as (app, pilot):
        shown = [app.board.chosen.engine.instance_id]
        for _ in range(2):
            await pilot.press("right")
            shown.append(app.board.chosen.engine.instance_id)
        assert shown == ["one", "two", "one"]
        assert "4242 llama/0" in text(app)
        assert "4711 llama/0" in text(app)


async def test_another_engine_does_not_take_the_screen(dashboard, text):
    shown = examples.named(examples.serving(), "m/0")
    source = ScriptedSource(shown)
    async with dashboard(source) as (app, pilot):
        source.show(examples.named(examples.serving(), "a/0"), shown)
        await source.seen()
        await pilot.pause()
        assert app.board.chosen.engine.name == "m/0"
        assert "RESTARTED" not in text(app)


def test_read_only_ends_with_the_viewers_socket():
    board = Board()
    update = SnapshotsArrived((examples.serving(),))
    for because in ("the viewers' socket", ""):
        board.take(update, 0.0, readonly_because=because)
        assert board.readonly_because == because


async def test_w_walks_through_the_windows(dashboard, text):
    async with dashboard(ScriptedSource(examples.serving())) as (app, pilot):
        shown = []
        for _ in range(3):
            await pilot.press("w")
            shown.append(app.board.window_s)
        assert shown == [60, 1, 10]
        assert "[w] 10 s" in text(app)


async def test_keys_choose_an_engine(dashboard):
    names = ["a/0", "b/0", "c/0"]
    source = ScriptedSource(*(examples.named(examples.serving(), name) for name in names))
    async with dashboard(source) as (app, pilot):
        chosen = []
        for key in ("right", "right", "left", "3", "9", "right"):
            await pilot.press(key)
            chosen.append(app.board.chosen.engine.name)
        assert chosen == ["b/0", "c/0", "b/0", "c/0", "c/0", "a/0"]


async def test_a_click_chooses_an_engine(dashboard):
    source = ScriptedSource(*(examples.named(examples.serving(), name) for name in ("a/0", "b/0")))
    async with dashboard(source) as (app, pilot):
        await pilot.click("EngineTabs", offset=(14, 0))
        assert app.board.chosen.engine.name == "b/0"


async def test_a_click_on_a_groups_cap_opens_its_panel(dashboard):
    async with dashboard(ScriptedSource(examples.serving()), size=(80, 24)) as (app, pilot):
        await pilot.click(GroupTable, offset=(36, 4))
        assert app.query_one(ChangePanel).draft.group == 3


async def test_arrows_and_wheel_scroll_groups_that_do_not_fit(dashboard, text):
    async with dashboard(ScriptedSource(examples.serving((8,) * 64)), size=(80, 24)) as (app, pilot):
        assert "0-14 of 64" in text(app)
        await pilot.press("pagedown", "down")
        assert "9-23 of 64" in text(app)
        for _ in range(20):
            await pilot.press("pagedown")
        assert "49-63 of 64" in text(app)
        await pilot.press("up")
        assert app.board.first_group == 48


async def test_help_explains_the_words_and_goes_away(dashboard, text):
    async with dashboard(ScriptedSource(examples.serving()), size=(120, 70)) as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        assert "neither an NPU nor a pipeline stage" in text(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_updates_go_on_behind_the_help(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("question_mark")
        source.show(examples.capped())
        await source.seen()
        await pilot.press("escape")
        await pilot.pause()
        assert "Group 2 is capped" in text(app)


async def test_a_smaller_terminal_gets_another_layout(dashboard, text):
    async with dashboard(ScriptedSource(examples.capped())) as (app, pilot):
        assert "max_num_batched_tokens" in text(app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        screen = text(app)
        assert all(word in screen for word in ("▲ Group 2", "running", "2 of 8", "LIMITS", "waiting"))


async def test_a_daemon_that_refuses_ends_the_dashboard_with_its_words(dashboard):
    class RefusingSource(ScriptedSource):
        async def updates(self):
            raise RefusedError("viewers only")
            yield SnapshotsArrived(())

    async with dashboard(RefusingSource()) as (app, pilot):
        await pilot.pause()
    assert app.refusal == "viewers only"
    assert app.return_value == 1


async def test_q_quits(dashboard):
    async with dashboard(ScriptedSource(examples.serving())) as (app, pilot):
        await pilot.press("q")
    assert app.return_code == 0


async def test_what_comes_while_it_is_left_is_not_drawn(dashboard):
    async with dashboard(ScriptedSource(examples.serving())) as (app, _):
        pass
    app.redraw()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
@pytest.mark.parametrize("name", ["sim-forgotten-cap/0", "meta-llama/Llama-3.3-70B-Instruct-rbln-tp4-pp4/0"])
async def test_a_simulated_engine_says_so_whatever_its_name(dashboard, text, size, name):
    snapshot = examples.serving()
    engine = replace(snapshot.engine, name=name, simulated=True)
    async with dashboard(ScriptedSource(replace(snapshot, engine=engine)), size=size) as (app, _):
        header = text(app).splitlines()[0]
        assert "SIMULATED" in header
        assert name[:16] in header


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_it_in_order(dashboard, number):
    async with dashboard(ScriptedSource(examples.serving())) as (app, pilot):
        os.kill(os.getpid(), number)
        await pilot.pause()
    assert app.return_value == 128 + number
