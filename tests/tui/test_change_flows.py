"""A change from the key to its end: staged, foreseen, tried, kept or undone, and every way it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.app.widgets.ask_panel import AskPanel
from rblntop.app.widgets.change_panel import ChangePanel
from rblntop.app.widgets.key_bar import KeyBar
from rblntop.client.errors import RefusedError, UnreachableError
from rblntop.model import (
    AdmissionState,
    ChangeAction,
    ChangeResult,
    EngineChange,
    GroupPreview,
    LimitKind,
    LimitMode,
    LimitValue,
    LoggedChange,
    Preview,
)
from rblntop.source import SnapshotsArrived, examples
from rblntop.source.changes import AdmissionOrder, ChangeAnswer, LimitOrder, ResetOrder, TrialOrder
from rblntop.source.scripted import ScriptedSource

SEQS, CAP = LimitKind.MAX_NUM_SEQS, LimitKind.GROUP_CAP
INSTANCE = examples.serving().engine.instance_id
TRIAL = examples.trial()


def moved(generation):
    return RefusedError(
        f"limits are at generation {generation}",
        code="ABORTED",
        reason="GENERATION_MISMATCH",
        metadata={"generation": str(generation)},
    )


def logged(action, *values, generation=7, ago_s=2460.0, **fields):
    return LoggedChange(
        examples.NOON_S - ago_s,
        "prod-70b/0",
        INSTANCE,
        action,
        ChangeResult.DONE,
        "uid 1000 (ops)",
        generation=generation,
        values=values,
        mode=LimitMode.DRAIN,
        **fields,
    )


async def show(source, pilot, *snapshots):
    source.show(*snapshots)
    await source.seen()
    await pilot.pause()


# --- a limit ---


async def test_enter_tries_a_cap_for_ten_minutes_and_closes_the_panel(dashboard, text):
    source = ScriptedSource(examples.capped())
    async with dashboard(source) as (app, pilot):
        await pilot.press("G", "8", "enter")
        await pilot.pause()
        assert source.asked == [LimitOrder((INSTANCE,), (LimitValue(CAP, 2, 2, 8),), 600.0, 7, "")]
        assert not app.query_one(ChangePanel).display
        assert "Trying: cap of group 2 to 8." in text(app)


async def test_ctrl_k_makes_it_without_a_trial(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("M", "2", "4", "ctrl+k")
        await pilot.pause()
        assert source.asked == [LimitOrder((INSTANCE,), (LimitValue(SEQS, None, None, 24),), None, 0, "")]
        assert "Kept: max_num_seqs to 24." in text(app)


async def test_escape_leaves_without_a_change(dashboard):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("M", "2", "4", "escape")
        assert not app.query_one(ChangePanel).display
        assert source.asked == []


async def test_all_groups_are_capped_at_once(dashboard):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (_, pilot):
        await pilot.press("G", "left", "5", "enter")
        await pilot.pause()
        assert [(value.group, value.new) for value in source.asked[0].values] == [
            (0, 5),
            (1, 5),
            (2, 5),
            (3, 5),
        ]


async def test_a_reason_goes_to_the_log_and_takes_every_key(dashboard):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (_, pilot):
        await pilot.press("M", "2", "4", "tab", *"MKqU 9", "enter")
        await pilot.pause()
        assert source.asked[0].reason == "MKqU 9"
        assert source.asked[0].values[0].new == 24


async def test_what_it_would_do_is_foreseen_by_the_daemon(dashboard, text):
    source = ScriptedSource(examples.capped())
    group = GroupPreview(2, 2, 8, 0, 2.0, 7.6, 0.75, 0.05)
    preview = Preview(3, 12.0, 0.19, 0.02, 5, 90, (group,))
    source.outlook = ChangeAnswer((EngineChange("prod-70b/0", INSTANCE, preview=preview),))
    async with dashboard(source) as (app, pilot):
        await pilot.press("G", "8")
        await pilot.pause()
        assert source.previewed[-1].values == (LimitValue(CAP, 2, 2, 8),)
        assert "decode batch of group 2 2.0 -> 7.6   padding 19 % -> 2 %   3 drain in about 12 s" in text(app)
        assert source.asked == []


async def test_what_the_daemon_would_refuse_is_said_while_it_is_typed_and_enter_does_nothing(dashboard, text):
    source = ScriptedSource(examples.capped())
    source.preview_refusal = RefusedError("the probe only observes", code="FAILED_PRECONDITION")
    async with dashboard(source) as (app, pilot):
        await pilot.press("G", "8")
        await pilot.pause()
        assert "▲ not set  the probe only observes" in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert source.asked == []


async def test_a_refusal_keeps_what_was_typed_and_it_can_be_mended(dashboard, text):
    source = ScriptedSource(examples.capped())
    source.refusal = RefusedError("group 2: 6 is above the ceiling 4", code="INVALID_ARGUMENT")
    async with dashboard(source) as (app, pilot):
        await pilot.press("G", "6", "enter")
        await pilot.pause()
        assert "■ refused  group 2: 6 is above the ceiling 4" in text(app)
        source.refusal = None
        await pilot.press("4")
        assert "refused" not in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert [order.values[0].new for order in source.asked] == [6, 4]
        assert not app.query_one(ChangePanel).display


async def test_a_refusal_because_the_limits_moved_offers_the_new_state_and_keeps_the_rest(dashboard, text):
    source = ScriptedSource(examples.capped())
    source.refusal = moved(8)
    async with dashboard(source) as (app, pilot):
        await pilot.press("G", "6", "tab", *"why", "enter")
        await pilot.pause()
        assert "■ refused  the limits moved to generation 8" in text(app)
        assert "asks for generation 8" in text(app)
        source.refusal = None
        await pilot.press("enter")
        await pilot.pause()
        assert [(order.expected_generation, order.reason) for order in source.asked] == [
            (7, "why"),
            (8, "why"),
        ]
        assert [order.values[0].new for order in source.asked] == [6, 6]


async def test_limits_that_move_before_the_eyes_are_not_changed_unseen(dashboard, text):
    source = ScriptedSource(examples.capped())
    async with dashboard(source) as (app, pilot):
        await pilot.press("G", "6")
        source.log = (logged(ChangeAction.SET, LimitValue(CAP, 2, 2, 4), generation=8, ago_s=3),)
        limits = examples.limits_of((8, 8, 4, 8), generation=8)
        await show(source, pilot, replace(examples.capped(), limits=limits))
        await pilot.press("enter")
        await pilot.pause()
        assert source.asked == []
        assert "the limits moved to generation 8 (ops, 3.0 s ago). now 4." in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert [order.expected_generation for order in source.asked] == [8]


async def test_no_answer_in_time_says_that_it_may_have_been_done(dashboard, text):
    source = ScriptedSource(examples.capped())
    source.refusal = UnreachableError("unix:/x", "it did not answer in time", timed_out=True)
    async with dashboard(source) as (app, pilot):
        await pilot.press("G", "6", "enter")
        await pilot.pause()
        assert "it may have been done" in text(app)


async def test_a_change_goes_to_the_process_that_was_on_the_screen(dashboard):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("M", "2", "4")
        # Another engine comes onto the screen between the key and its message.
        app.query_one(ChangePanel).action_send()
        app._take(SnapshotsArrived((examples.named(examples.serving(), "other/0"),)))
        await pilot.pause()
        assert source.asked[0].engines == (INSTANCE,)


async def test_the_panel_works_with_the_mouse_alone(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.click(KeyBar, offset=(3, 0))
        await pilot.pause()
        rows = text(app).split("\n")
        top = app.query_one(ChangePanel).region.y
        for label in ("[−]", "Enter"):
            row = next(index for index, line in enumerate(rows) if label in line and index >= top)
            await pilot.click(ChangePanel, offset=(rows[row].index(label) + 1, row - top))
        await pilot.pause()
        assert source.asked[0].values == (LimitValue(SEQS, None, None, 31),)


# --- the trial ---


async def test_the_verdict_line_counts_down_and_says_who(dashboard, text):
    source = ScriptedSource(TRIAL)
    source.log = (logged(ChangeAction.TRY, LimitValue(SEQS, None, 32, 24), change_id="k7q2"),)
    async with dashboard(source, size=(200, 50)) as (app, pilot):
        await pilot.pause()
        line = text(app).splitlines()[1]
        assert "TRYING max_num_seqs 32 -> 24 (ops), settled at step 88,230; reverts in 8:41" in line
        assert "[K] keep" in line
        assert "[U] undo" in line


@pytest.mark.parametrize(("key", "keep"), [("K", True), ("U", False)])
async def test_k_keeps_and_u_undoes_whoever_began_it(dashboard, text, key, keep):
    source = ScriptedSource(TRIAL)
    async with dashboard(source, size=(80, 24)) as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert source.asked == [TrialOrder(INSTANCE, "k7q2", keep)]
        assert ("Kept" if keep else "Undone") + ": the change on trial." in text(app)


async def test_e_gives_a_trial_more_time(dashboard):
    source = ScriptedSource(TRIAL)
    async with dashboard(source) as (_, pilot):
        await pilot.press("E")
        await pilot.pause()
        assert source.asked == [TrialOrder(INSTANCE, "k7q2", extend_s=600.0)]


@pytest.mark.parametrize("key", ["K", "E"])
async def test_without_a_trial_there_is_nothing_to_keep(dashboard, text, key):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press(key)
        assert "No change is on trial." in text(app)
        assert source.asked == []


async def test_a_trial_that_is_over_by_now_is_refused_aloud(dashboard, text):
    source = ScriptedSource(TRIAL)
    source.refusal = RefusedError("no change 'k7q2' is on trial", reason="NO_TRIAL")
    async with dashboard(source) as (app, pilot):
        await pilot.press("K")
        await pilot.pause()
        assert "Refused: no change 'k7q2' is on trial" in text(app)


async def test_while_a_change_is_on_trial_a_panel_says_how_to_end_it(dashboard, text):
    source = ScriptedSource(TRIAL)
    async with dashboard(source) as (app, pilot):
        await pilot.press("M", "2", "0", "enter")
        await pilot.pause()
        assert "a change is on trial: leave with Esc, then keep it with K or undo it with U" in text(app)
        assert source.asked == []


def later(snapshot, seconds, *, tokens_per_s, **fields):
    return replace(
        snapshot,
        time_s=examples.NOON_S + seconds,
        windows=tuple(replace(window, output_tokens_per_s=tokens_per_s) for window in snapshot.windows),
        **fields,
    )


@pytest.mark.parametrize(("waiting", "says"), [(118, "571 -> 703 tok/s"), (0, "not comparable: load moved")])
async def test_a_minute_after_it_settled_before_and_after_are_told(dashboard, text, waiting, says):
    trial = examples.trial()
    begun = replace(trial.limits.trial, reverts_at_s=examples.NOON_S + 600)
    trial = replace(trial, limits=replace(trial.limits, trial=begun))
    source = ScriptedSource(later(examples.capped(), -1, tokens_per_s=571.0))
    async with dashboard(source, size=(200, 50)) as (app, pilot):
        await show(source, pilot, later(trial, 2, tokens_per_s=600.0, waiting=118))
        assert "571 tok/s before it" in text(app)
        await show(source, pilot, later(trial, 61, tokens_per_s=703.0, waiting=waiting))
        assert says in text(app).splitlines()[1]


# --- undo of what was kept ---


async def test_u_tries_the_values_before_the_last_kept_change(dashboard, text):
    source = ScriptedSource(examples.capped())
    source.log = (logged(ChangeAction.SET, LimitValue(CAP, 2, 8, 2), reason="latency test"),)
    async with dashboard(source) as (app, pilot):
        await pilot.press("U")
        await pilot.pause()
        assert 'generation 7: ops, 41 min ago, "latency test"' in text(app)
        assert "2 -> 8" in text(app)
        await pilot.press(*"over", "enter")
        await pilot.pause()
        assert source.asked == [LimitOrder((INSTANCE,), (LimitValue(CAP, 2, 2, 8),), 600.0, 7, "over")]
        assert not app.query_one(AskPanel).display


async def test_without_a_kept_change_there_is_nothing_to_undo(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("U")
        assert "Nothing to undo" in text(app)
        assert not app.query_one(AskPanel).display


# --- admission ---


async def test_admission_is_closed_for_a_time(dashboard, text):
    source = ScriptedSource(examples.serving(waiting=3))
    async with dashboard(source, size=(80, 24)) as (app, pilot):
        await pilot.press("A")
        await pilot.pause()
        assert "31 run and finish; 3 waiting ones and all new ones wait" in text(app)
        await pilot.press("4", "5", "tab", *"driver", "enter")
        await pilot.pause()
        assert source.asked == [AdmissionOrder(INSTANCE, True, 2700.0, 0, "driver")]
        assert "Admission is closed." in text(app)


async def test_admission_is_closed_until_somebody_opens_it(dashboard):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (_, pilot):
        await pilot.press("A", "right", "enter")
        await pilot.pause()
        assert source.asked == [AdmissionOrder(INSTANCE, True, None, 0, "")]


@pytest.mark.parametrize("minutes", ["0", "10081", ""])
async def test_an_impossible_time_says_what_is_allowed(dashboard, text, minutes):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("A", "backspace", *minutes, "enter")
        await pilot.pause()
        assert "1 to 10080 minutes" in text(app)
        assert source.asked == []


async def test_a_closed_admission_is_opened_and_says_how_far_it_has_drained(dashboard, text):
    source = ScriptedSource(examples.closed())
    source.log = (logged(ChangeAction.CLOSE, generation=10),)
    async with dashboard(source) as (app, pilot):
        await pilot.pause()
        assert "Admission is closed for 28:12 (ops): 22 requests run and finish" in text(app)
        assert "[A] open" in text(app)
        await pilot.press("A")
        await pilot.pause()
        assert "not yet: 22 still run" in text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert source.asked == [AdmissionOrder(INSTANCE, False)]


async def test_a_drained_engine_says_so(dashboard, text):
    source = ScriptedSource(replace(examples.closed(), running=0))
    async with dashboard(source) as (app, pilot):
        await pilot.press("A")
        await pilot.pause()
        assert "yes: nothing runs any more" in text(app)


async def test_an_admission_that_cannot_be_closed_says_why(dashboard, text):
    snapshot = examples.serving()
    state = AdmissionState(available=False, unavailable_reason="the probe only observes")
    source = ScriptedSource(replace(snapshot, limits=replace(snapshot.limits, admission_state=state)))
    async with dashboard(source) as (app, pilot):
        await pilot.press("A", "enter")
        await pilot.pause()
        assert "▲ not done the probe only observes" in text(app)
        assert source.asked == []


# --- reset ---


async def test_reset_says_what_becomes_of_each_value_and_asks(dashboard, text):
    source = ScriptedSource(examples.capped())
    async with dashboard(source) as (app, pilot):
        await pilot.press("R")
        await pilot.pause()
        assert "cap of group 2    2 -> unset, which is 8" in text(app)
        assert source.asked == []
        await pilot.press("enter")
        await pilot.pause()
        assert source.asked == [ResetOrder(INSTANCE)]
        assert "All limits are those of the start." in text(app)


async def test_where_nothing_is_set_there_is_nothing_to_reset(dashboard, text):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        await pilot.press("R", "enter")
        await pilot.pause()
        assert "nothing is set: the engine runs as it was started" in text(app)
        assert source.asked == []


# --- several engines ---


async def test_marked_engines_are_changed_together(dashboard, text):
    engines = [examples.named(examples.serving(), name, name) for name in ("a/0", "b/0", "c/0")]
    source = ScriptedSource(*engines)
    outlook = [EngineChange(name, name, preview=Preview(draining=5)) for name in ("a/0", "b/0")]
    source.outlook = ChangeAnswer(tuple(outlook))
    async with dashboard(source) as (app, pilot):
        await pilot.press("space", "right", "space")
        assert "✓ a/0" in text(app)
        assert "✓ b/0" in text(app)
        await pilot.press("M", "2", "4")
        await pilot.pause()
        assert "max_num_seqs of 2 engines, all or none" in text(app)
        rows = [line.split() for line in text(app).splitlines() if "5 drain" in line]
        assert [row[1:5] for row in rows] == [[name, "32", "(unset)", "->"] for name in ("a/0", "b/0")]
        await pilot.press("enter")
        await pilot.pause()
        assert (source.asked[0].engines, source.asked[0].expected_generation) == (("a/0", "b/0"), 0)
        assert "✓" not in text(app)


async def test_the_engine_on_the_screen_is_not_changed_when_others_are_marked(dashboard):
    source = ScriptedSource(*(examples.named(examples.serving(), name, name) for name in ("a/0", "b/0")))
    async with dashboard(source) as (app, pilot):
        await pilot.press("space", "right", "M", "2", "4")
        assert app.board.chosen.engine.name == "a/0"
        await pilot.press("enter")
        await pilot.pause()
        assert source.asked[0].engines == ("a/0",)


async def test_a_refusal_of_one_engine_leaves_the_marks(dashboard, text):
    engines = [examples.named(examples.serving(), name, name) for name in ("a/0", "b/0")]
    source = ScriptedSource(*engines)
    source.refusal = RefusedError("b/0: a change is on trial; nothing was changed")
    async with dashboard(source) as (app, pilot):
        await pilot.press("space", "right", "space", "M", "2", "4", "enter")
        await pilot.pause()
        assert "■ refused  b/0: a change is on trial; nothing was changed" in text(app)
        assert len(app.board.marked) == 2


# --- rights ---


@pytest.mark.parametrize("key", ["M", "G", "K", "U", "E", "A", "R"])
async def test_without_rights_every_capital_says_why_and_does_nothing(dashboard, text, key):
    source = ScriptedSource(TRIAL)
    async with dashboard(source, readonly=True) as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert "Read-only: rblntop was started with --readonly." in text(app)
        assert source.asked == []


async def test_a_daemon_that_denies_it_makes_the_screen_read_only(dashboard, text):
    source = ScriptedSource(examples.capped())
    source.preview_refusal = RefusedError("a viewer may not do this", code="PERMISSION_DENIED")
    async with dashboard(source) as (app, pilot):
        await pilot.press("G", "8")
        await pilot.pause()
        assert app.scene.link.readonly
        await pilot.press("escape", "M")
        assert "Read-only: a viewer may not do this." in text(app)


# --- why ---


async def test_x_shows_the_rule_its_figures_and_the_threshold(dashboard, text):
    source = ScriptedSource(examples.capped())
    source.log = (logged(ChangeAction.SET, LimitValue(CAP, 2, 8, 2), reason="latency test"),)
    async with dashboard(source) as (app, pilot):
        await pilot.pause()
        assert 'Group 2 is capped at 2 of 8 (ops, 41 min ago, "latency test"); 118' in text(app)
        await pilot.press("X")
        await pilot.pause()
        screen = text(app)
        assert "limited, 9 of 19" in screen
        assert 'cap of group 2  2 of 8   ops, 41 min ago, "latency test"' in screen
        assert "waiting  118   more than 0, held by a limit of ours" in screen
        await pilot.press("escape")
        assert not app.query_one(AskPanel).display


async def test_a_restart_closes_a_question(dashboard):
    source = ScriptedSource(examples.capped())
    async with dashboard(source) as (app, pilot):
        await pilot.press("R")
        await show(source, pilot, examples.named(examples.capped(), "prod-70b/0", "another process"))
        assert not app.query_one(AskPanel).display
