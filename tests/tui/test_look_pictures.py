"""What the dashboard looks like in every state, at three sizes of terminal, with a past behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.tui.test_replay import VirtualTime, write

from rblntop.app.app import RblntopApp
from rblntop.app.replay_app import ReplayApp
from rblntop.app.themes import THEMES
from rblntop.client.errors import RefusedError
from rblntop.recording.reader import Recording
from rblntop.source import example_past, examples
from rblntop.source.recorded import RecordedSource
from rblntop.source.scripted import ScriptedSource

SIZES = [(80, 24), (120, 36), (200, 50)]
every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def with_past(*snapshots, **options):
    """A source whose engine has been watched for an hour, and lost a cap in it."""
    source = ScriptedSource(*snapshots, **options)
    source.past = (example_past.history(),)
    source.happened = example_past.events()
    source.table = example_past.requests()
    source.made = example_past.steps()
    return source


@pytest.fixture
def picture(snap_compare, clock):
    """Compare a state with its picture, after some keys and what else happens."""

    def compare(source, size=(120, 36), *, press=(), then=None, readonly=False, theme=""):
        app = RblntopApp(source, readonly=readonly, clock=clock)

        async def run_before(pilot):
            await source.seen()
            await source.told(pilot.pause)
            if theme:
                app.theme = theme
            await pilot.press(*press)
            await pilot.pause()
            if then is not None:
                then(source)
                await source.seen()
            await source.told(pilot.pause)
            app.redraw()
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=run_before)

    return compare


@every_size
@pytest.mark.parametrize(
    "state",
    [
        "capped",
        "serving",
        "uneven",
        "draining",
        "trial",
        "closed",
        "stalled",
        "gone",
        "gap",
        "telemetry_only",
        "one_stage",
        "unknown_scheduler",
        "starting",
    ],
)
def test_state(picture, state, size):
    assert picture(with_past(getattr(examples, state)()), size, press=("g",))


@every_size
def test_connecting(picture, size):
    assert picture(ScriptedSource(), size)


@every_size
def test_no_engine_yet(picture, size):
    source = ScriptedSource()
    source.show()
    assert picture(source, size)


@every_size
def test_stale_while_it_reconnects(picture, clock, size):
    def lose(source):
        clock.now_s += 12
        source.lose()

    assert picture(with_past(examples.capped()), size, then=lose)


@every_size
def test_restarted(picture, clock, size):
    def restart(source):
        source.show(examples.restarted())

    assert picture(with_past(examples.serving()), size, then=restart)


@every_size
def test_refused(picture, size):
    source = with_past(examples.capped())
    source.refusal = RefusedError("group 2: 6 is above the ceiling 4 (largest compiled decode bucket)")
    assert picture(source, size, press=("G", "6", "enter"))


@every_size
def test_readonly(picture, size):
    assert picture(with_past(examples.capped()), size, readonly=True)


@every_size
@pytest.mark.parametrize("key", ["r", "e", "d", "z"])
def test_view(picture, key, size):
    assert picture(with_past(examples.capped()), size, press=(key,))


@every_size
def test_all_engines(picture, size):
    assert picture(ScriptedSource(*examples.many_engines()), size, press=("o", "down", "down"))


@every_size
def test_replay(snap_compare, tmp_path, size):
    write(tmp_path / "minute.rec", range(60)).close()
    time = VirtualTime()

    async def run_before(pilot):
        await time.go_by(30)
        for _ in range(20):
            await pilot.pause()
        pilot.app.redraw()
        await pilot.pause()

    with Recording.open(tmp_path / "minute.rec") as recording:
        app = ReplayApp(RecordedSource(recording, now_s=time.monotonic_s, sleep=time.sleep), clock=time)
        assert snap_compare(app, terminal_size=size, run_before=run_before)


@pytest.mark.parametrize("theme", THEMES)
def test_theme(picture, theme):
    assert picture(with_past(examples.capped()), press=("g",), theme=theme)


def test_without_colours(picture, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(with_past(examples.capped()), press=("g",))


@pytest.mark.parametrize("presses", [2, 3])
def test_other_times_of_the_graphs(picture, presses):
    assert picture(with_past(examples.capped()), press=("g",) * presses)


def test_a_name_that_is_wide(picture):
    snapshot = examples.named(examples.capped(), "試験-モデル/0")
    engine = replace(snapshot.engine, model="非常に長い名前の言語モデル-70b-instruct")
    assert picture(ScriptedSource(replace(snapshot, engine=engine)), (80, 24))
