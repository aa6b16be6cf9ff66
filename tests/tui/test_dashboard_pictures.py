"""What the dashboard looks like in its main states, at three sizes of terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.app.app import RblntopApp
from rblntop.client.errors import RefusedError
from rblntop.source import examples
from rblntop.source.scripted import ScriptedSource

SIZES = [(80, 24), (120, 36), (200, 50)]


@pytest.fixture
def picture(snap_compare, clock):
    """Compare a state with its picture, after some keys and what else happens."""

    def compare(source, size=(120, 36), *, press=(), then=None, readonly=False):
        app = RblntopApp(source, readonly=readonly, clock=clock)

        async def run_before(pilot):
            await source.seen()
            await pilot.pause()
            await pilot.press(*press)
            await pilot.pause()
            if then is not None:
                then(source)
                await source.seen()
                app.redraw()
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=run_before)

    return compare


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", ["serving", "capped", "draining", "stalled", "idle", "gone"])
def test_state(picture, state, size):
    assert picture(ScriptedSource(getattr(examples, state)()), size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", ["trial", "trial_draining", "held", "closed"])
def test_something_pending(picture, state, size):
    assert picture(ScriptedSource(getattr(examples, state)()), size)


def test_no_change_while_another_is_on_trial(picture):
    assert picture(ScriptedSource(examples.trial()), (80, 24), press=("M", "2", "0"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_cap_being_typed(picture, size):
    assert picture(ScriptedSource(examples.capped()), size, press=("G", "8"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_stale(picture, clock, size):
    def lose(source):
        clock.now_s += 12
        source.lose()

    assert picture(ScriptedSource(examples.capped()), size, then=lose)


def test_an_impossible_value(picture):
    assert picture(ScriptedSource(examples.capped()), (80, 24), press=("M", "3"))


def test_a_refusal(picture):
    source = ScriptedSource(examples.capped())
    source.refusal = RefusedError("group 2: 6 is above the ceiling 4 (largest compiled decode bucket)")
    assert picture(source, (80, 24), press=("G", "6", "enter"))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("state", "key"),
    [("serving", "A"), ("closed", "A"), ("capped", "R"), ("capped", "U"), ("capped", "X"), ("stalled", "X")],
)
def test_a_question(picture, state, key, size):
    source = ScriptedSource(getattr(examples, state)())
    source.log = (examples.cap_of_41_minutes(),)
    assert picture(source, size, press=(key,))


def test_a_change_of_several_engines(picture):
    source = ScriptedSource(
        *(examples.named(examples.capped(), name) for name in ("prod-70b/0", "prod-70b/1", "tiny/0"))
    )
    assert picture(source, press=("space", "right", "space", "M", "2", "4"))


def test_paused(picture):
    assert picture(ScriptedSource(examples.capped()), (80, 24), press=("p",))


def test_a_search(picture):
    assert picture(ScriptedSource(examples.capped()), (80, 24), press=("slash", *"cap"))


def test_several_engines(picture):
    source = ScriptedSource(
        examples.named(examples.capped(), "prod-70b/0"),
        examples.named(examples.serving(), "prod-70b/1"),
        examples.named(examples.idle(), "tiny/0"),
    )
    assert picture(source, (80, 24), press=("tab",))


def test_more_groups_than_fit(picture):
    assert picture(ScriptedSource(examples.serving((8, 7, 6, 5) * 16)), (80, 24))


def test_a_simulated_engine_that_cannot_be_changed(picture):
    snapshot = examples.serving((8, 6))
    limits = snapshot.limits
    reason = "the probe only observes (RBLNTOP_PROBE=observe)"
    fixed = replace(
        limits,
        max_num_seqs=replace(limits.max_num_seqs, available=False, unavailable_reason=reason),
        group_caps=tuple(
            replace(cap, available=False, unavailable_reason=reason) for cap in limits.group_caps
        ),
    )
    engine = replace(snapshot.engine, simulated=True, notice="probe 0.0.9: restart the engine to update")
    assert picture(ScriptedSource(replace(snapshot, limits=fixed, engine=engine)), (200, 50))


def test_readonly(picture):
    assert picture(ScriptedSource(examples.capped()), (80, 24), press=("M",), readonly=True)


def test_help(picture):
    assert picture(ScriptedSource(examples.serving()), press=("question_mark",))


def test_no_engine_yet(picture):
    source = ScriptedSource()
    source.show()
    assert picture(source, (80, 24))


def test_no_daemon(picture):
    source = ScriptedSource()
    source.lose("any of /run/rblntopd/rblntopd.sock, /tmp/rblntop-0/rblntopd.sock: none of these is there")
    assert picture(source, (80, 24))


def test_without_colours_the_glyphs_say_it(picture, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(ScriptedSource(examples.capped()), (80, 24))
