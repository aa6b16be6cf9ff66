"""The dashboard's application: source and board on one side, the screen on the other."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import aclosing
from dataclasses import replace
from typing import Any, ClassVar

from textual import work
from textual.app import App
from textual.command import Provider

from rblntop.app.clock import Clock, SystemClock
from rblntop.app.commands import ActionProvider
from rblntop.app.control import cannot_change, moved_because, moved_to, said, takes_rights
from rblntop.app.dashboard import Dashboard
from rblntop.app.help_screen import HelpScreen
from rblntop.app.overview_screen import OverviewScreen
from rblntop.app.themes import THEMES
from rblntop.app.view_actions import ViewActions
from rblntop.app.widgets.ask_panel import AskPanel
from rblntop.app.widgets.change_panel import ChangePanel
from rblntop.app.widgets.group_table import GroupTable
from rblntop.app.widgets.key_bar import KeyBar
from rblntop.ask import Ask, Subject, ask_about, ask_admission, ask_order
from rblntop.blocks.layout import room_to_change
from rblntop.board import WINDOWS_S, Board
from rblntop.client.errors import ClientError, RefusedError, UnreachableError
from rblntop.limit_draft import TRIAL_S, LimitDraft, Phase, order_of
from rblntop.model import LimitKind
from rblntop.past_feed import PastFeed
from rblntop.scene import Scene
from rblntop.settings import INTERVALS_S, Settings, SettingsFile
from rblntop.source import SnapshotSource, Update
from rblntop.source.changes import ChangeAnswer, LimitOrder, Order, TrialOrder
from rblntop.source.past_source import PastSource
from rblntop.view import View
from rblntop.who import last_kept

TICK_S = 1.0
LOG_LINES = 200
LOG_AGAIN_S = 30.0
"""The log is read when something changed; after a failure, not before so long."""


class RblntopApp(ViewActions, App[int]):
    """Shows what the source says, and asks it for changes."""

    TITLE = "rblntop"
    CSS = """
    SearchIcon { display: none; }
    """
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "colon"
    COMMANDS: ClassVar[set[type[Provider]]] = {ActionProvider}  # type: ignore[assignment]

    def __init__(
        self,
        source: SnapshotSource,
        *,
        engine: str = "",
        readonly: bool = False,
        clock: Clock | None = None,
        settings_file: SettingsFile | None = None,
    ) -> None:
        """Follow a source.

        Args:
            source: Where snapshots come from and orders go to.
            engine: Name or instance id to show first.
            readonly: Take no changes.
            clock: The time.
            settings_file: Where the user's choices are kept; None: nowhere.
        """
        super().__init__()
        self._source = source
        self._clock = clock or SystemClock()
        self._settings_file = settings_file
        self.settings, self._settings_problem = settings_file.read() if settings_file else (Settings(), "")
        because = "rblntop was started with --readonly" if readonly else source.readonly_because
        self.board = Board(engine=engine, readonly_because=because)
        self.board.window_s = self.settings.window_s
        self.board.interval_s = self.settings.interval_s
        source.interval_s = self.settings.interval_s
        for view in View:
            if view.value in self.settings.panels:
                self.board.choice.show(view)
        self.refusal = ""
        """Why the daemon would not talk to us, when that is how it ended."""
        self._dashboard = Dashboard()
        self._drawn_s = 0.0
        self._stood_in = False
        self._log_of: object = None
        self._log_failed_s: float | None = None
        for look in THEMES.values():
            self.register_theme(look.theme)
        self.theme = self.settings.theme if self.settings.theme in THEMES else next(iter(THEMES))
        self._past = (
            PastFeed(source, self.board.lookback, self.redraw) if isinstance(source, PastSource) else None
        )

    def get_default_screen(self) -> Dashboard:
        """The dashboard."""
        return self._dashboard

    def on_dashboard_ready(self) -> None:
        """Begin to follow the source; clock and ages move once a second."""
        if self._settings_problem:
            self._say(self._settings_problem)
        self.redraw()
        self._leave_when_told_to()
        self._follow()
        if self._past is not None:
            self._follow_past(self._past)
        self.set_interval(TICK_S, self._tick)

    def _leave_when_told_to(self) -> None:
        """Leave in order on SIGTERM and SIGHUP: without it the terminal would be left as it is now."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self.exit, 128 + number)

    @property
    def scene(self) -> Scene | None:
        """The present frame."""
        return self.board.scene(self._clock.monotonic_s(), self._clock.wall_s())

    def _tick(self) -> None:
        """Ages grow also when nothing comes; while snapshots come they bring the time with them."""
        if self._clock.monotonic_s() - self._drawn_s >= TICK_S * 0.9:
            self.redraw()

    def redraw(self) -> None:
        """Draw the present frame."""
        if not self.is_running:
            # Leaving: an update may still come, and the parts of the screen are taken away one by one.
            return
        self._drawn_s = now_s = self._clock.monotonic_s()
        scene = self.scene
        if self._past is not None:
            self._past.want(scene)
        if isinstance(self.screen, OverviewScreen):
            self.screen.show(self.board.scenes(now_s))
            return
        self._dashboard.draw(
            scene, self.board.link(now_s), heard=self.board.heard, notice=self.board.notice(now_s)
        )

    @work
    async def _follow_past(self, feed: PastFeed) -> None:
        await feed.run()

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        try:
            async with aclosing(self._source.updates()) as updates:
                async for update in updates:
                    self._take(update)
        except RefusedError as error:
            self.refusal = str(error)
            self.exit(1)

    def _take(self, update: Update) -> None:
        self.board.take(
            update,
            self._clock.monotonic_s(),
            address=self._source.address,
            readonly_because=self._source.readonly_because,
        )
        if self.board.stands_in and not self._stood_in and (chosen := self.board.chosen) is not None:
            self._say(f"There is no engine {self.board.wanted!r}: this is {chosen.engine.name}.")
        self._stood_in = self.board.stands_in
        self._read_log_if_moved()
        self.redraw()

    # --- the log of changes ---

    def _read_log_if_moved(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._log_failed_s is not None and now_s - self._log_failed_s < LOG_AGAIN_S:
            return
        state = tuple(
            (
                one.engine.instance_id,
                one.limits.generation,
                one.limits.trial.change_id if one.limits.trial is not None else "",
                one.limits.admission_state.closed,
            )
            for one in self.board.snapshots
        )
        if state and state != self._log_of:
            self._log_of = state
            self._read_log()

    @work(exclusive=True, group="log")
    async def _read_log(self) -> None:
        try:
            self.board.changes = await self._source.changes(LOG_LINES)
        except ClientError:
            # An older daemon, or one that is on its way out: the screen says less, and tries again later.
            self._log_of, self._log_failed_s = None, self._clock.monotonic_s()
        else:
            self._log_failed_s = None
            self.redraw()

    # --- changes of limits ---

    def action_set_max_num_seqs(self) -> None:
        """Open the panel for max_num_seqs."""
        self._change(LimitKind.MAX_NUM_SEQS, None)

    def action_set_group_cap(self, group: int | None = None) -> None:
        """Open the panel for a group's cap: the lowest one, if none is named."""
        scene = self.scene
        if group is None and scene is not None and scene.snapshot.limits.group_caps:
            group = min(scene.snapshot.limits.group_caps, key=lambda cap: cap.wanted).group
        self._change(LimitKind.GROUP_CAP, group)

    def _change(self, kind: LimitKind, group: int | None) -> None:
        scene = self._changeable(needs_room=True)
        if scene is None:
            return
        if not self.board.of_same_daemon(scene.marked):
            self._say("The marked engines are of several daemons: a change is of one daemon's engines.")
            return
        if scene.marked and all(one is not scene.snapshot for one in scene.marked):
            # What is checked and shown while typing is one of those that are changed.
            self.board.show(scene.marked[0])
            scene = self.scene or scene
        self._dashboard.open_change(kind, group, scene)
        self.redraw()

    def _changeable(self, *, needs_room: bool = False) -> Scene | None:
        """The scene, if something can be asked of its engine now; else why not is said."""
        self.board.resume()
        scene = self.scene
        if scene is None:
            return None
        why_not = cannot_change(scene)
        if not why_not and needs_room and not self._dashboard.can_change(scene):
            columns, rows = room_to_change(engine_count=len(scene.engines))
            why_not = f"Too small to change a limit: {columns}x{rows} at least."
        if why_not:
            self._say(why_not)
            return None
        return scene

    def on_change_panel_drafted(self, message: ChangePanel.Drafted) -> None:
        """Ask the daemon what it would do."""
        self._foresee(message.draft, message.scene)

    @work(exclusive=True, group="foresee")
    async def _foresee(self, draft: LimitDraft, scene: Scene) -> None:
        # Whether the limits have moved is asked when it counts.
        order = replace(order_of(draft, scene.snapshot, ttl_s=TRIAL_S), expected_generation=None)
        answer: ChangeAnswer | None = None
        refusal = ""
        try:
            answer = await self._source.preview(order)
        except RefusedError as error:
            refusal = said(error)
            self._note_rights(error)
        except UnreachableError:
            # Nothing is foreseen; that the daemon is away stands in the verdict line.
            return
        panel = self._dashboard.changing
        if panel is not None:
            panel.foreseen(draft, answer, refusal)

    def on_change_panel_sent(self, message: ChangePanel.Sent) -> None:
        """Ask the source for the change."""
        draft, seen = message.draft, self.scene
        # Not the present scene: another engine may be on the screen by now.
        if seen is not None and seen.snapshot.engine.instance_id == message.scene.snapshot.engine.instance_id:
            now = seen.snapshot.limits.generation
            if draft.generation is not None and now > draft.generation:
                self._become(draft, draft.moved(now, moved_because(draft, now, seen)))
                return
        self._send(draft, message.scene, keep=message.keep)

    @work
    async def _send(self, draft: LimitDraft, scene: Scene, *, keep: bool) -> None:
        assert draft.value is not None
        order = order_of(draft, scene.snapshot, ttl_s=None if keep else TRIAL_S)
        if draft.engines and len({one.limits.generation for one in scene.marked}) > 1:
            # One number cannot be expected of engines that are at several.
            order = replace(order, expected_generation=None)
        try:
            answer = await self._source.carry_out(order)
        except (RefusedError, UnreachableError) as error:
            moved = moved_to(error) if isinstance(error, RefusedError) else None
            self._note_rights(error)
            refused = replace(draft, phase=Phase.REFUSED, message=said(error))
            if moved is not None:
                refused = draft.moved(moved, moved_because(draft, moved, self.scene or scene))
            self._become(draft, refused)
            return
        self._log_of = None
        panel = self._dashboard.changing
        if panel is not None and panel.draft == draft:
            self._dashboard.close_panels()
        if draft.engines:
            self.board.unmark_all()
        warnings = [text for change in answer.engines for text in change.warnings]
        done = "Kept" if keep else "Trying"
        self._say(f"{done}: {_what(order)}." + (f" {warnings[0]}" if warnings else ""))

    def _become(self, sent: LimitDraft, draft: LimitDraft) -> None:
        """Tell in the panel what came of it, if the operator still looks at it."""
        panel = self._dashboard.changing
        if panel is not None and panel.draft is not None and _same_draft(panel.draft, sent):
            panel.become(draft)
        else:
            self._say(f"Refused: {draft.message}")

    def _note_rights(self, error: ClientError) -> None:
        if isinstance(error, RefusedError) and takes_rights(error):
            self.board.denied(error.message)
            self.redraw()

    def on_change_panel_left(self) -> None:
        """Close the panel."""
        self._dashboard.close_panels()
        self.redraw()

    # --- trials, admission, reset, undo ---

    def action_keep(self) -> None:
        """Keep the change on trial."""
        self._decide("Kept", keep=True)

    def action_extend(self) -> None:
        """Give the change on trial more time."""
        self._decide("10 minutes from now", extend_s=TRIAL_S)

    def action_undo(self) -> None:
        """Undo the change on trial; without one, ask about the last kept change."""
        scene = self._changeable()
        if scene is None:
            return
        if scene.snapshot.limits.trial is not None:
            self._decide("Undone")
            return
        kept = last_kept(scene.changes, scene.snapshot.engine)
        if kept is None:
            self._say("Nothing to undo: no change is on trial, and the log knows of no kept one.")
        else:
            self._ask(ask_about(Subject.UNDO, scene.snapshot, kept))

    def _decide(self, done: str, *, keep: bool = False, extend_s: float | None = None) -> None:
        scene = self._changeable()
        if scene is None:
            return
        trial = scene.snapshot.limits.trial
        if trial is None:
            self._say("No change is on trial.")
            return
        engine = scene.snapshot.engine.instance_id
        self._carry_out(TrialOrder(engine, trial.change_id, keep, extend_s), f"{done}: the change on trial.")

    def action_admission(self) -> None:
        """Ask whether to close the admission, or to open it."""
        scene = self._changeable()
        if scene is not None:
            self._ask(ask_admission(scene.snapshot))

    def action_reset(self) -> None:
        """Ask whether to put all limits back."""
        scene = self._changeable()
        if scene is not None:
            self._ask(ask_about(Subject.RESET, scene.snapshot))

    def action_explain(self) -> None:
        """Tell where the verdict comes from."""
        scene = self.scene
        if scene is None:
            return
        if not self._dashboard.can_change(scene):
            columns, rows = room_to_change(engine_count=len(scene.engines))
            self._say(f"Too small to explain it: {columns}x{rows} at least.")
            return
        self._dashboard.open_ask(ask_about(Subject.EXPLAIN, scene.snapshot), scene)
        self.redraw()

    def _ask(self, ask: Ask) -> None:
        scene = self._changeable(needs_room=True)
        if scene is not None:
            self._dashboard.open_ask(ask, scene)
            self.redraw()

    def on_ask_panel_left(self) -> None:
        """Close the panel."""
        self.on_change_panel_left()

    def on_ask_panel_answered(self, message: AskPanel.Answered) -> None:
        """Ask the source for it."""
        order = ask_order(message.ask, message.scene.snapshot)
        done = {
            Subject.CLOSE: "Admission is closed.",
            Subject.OPEN: "Admission is open.",
            Subject.RESET: "All limits are those of the start.",
            Subject.UNDO: "Trying the earlier values.",
        }[message.ask.subject]
        self._carry_out(order, done, message.ask)

    @work
    async def _carry_out(self, order: Order, done: str, ask: Ask | None = None) -> None:
        try:
            await self._source.carry_out(order)
        except (RefusedError, UnreachableError) as error:
            self._note_rights(error)
            moved = moved_to(error) if isinstance(error, RefusedError) else None
            panel = self._dashboard.asking
            if ask is not None and panel is not None and panel.ask == ask:
                refused = replace(ask, phase=Phase.REFUSED, message=said(error))
                if moved is not None:
                    message = f"the limits moved to generation {moved} meanwhile. Enter: do it on these"
                    refused = replace(refused, generation=moved, message=message)
                panel.become(refused)
            else:
                self._say(f"Refused: {said(error)}")
            return
        self._log_of = None
        panel = self._dashboard.asking
        if ask is not None and panel is not None and panel.ask == ask:
            self._dashboard.close_panels()
        self._say(done)

    # --- what is looked at ---

    def on_group_table_scrolled(self, message: GroupTable.Scrolled) -> None:
        """The wheel does what the arrows do."""
        self.action_scroll_groups(message.by)

    def action_scroll_groups(self, by: int) -> None:
        """Move the groups that are in view."""
        scene = self.scene
        if scene is not None:
            if not self.scroll_rows(by, self._dashboard.lower_rows):
                self.board.scroll(by, self._dashboard.groups_in_view)
            self.redraw()

    def action_next_window(self) -> None:
        """1, 10, 60 s."""
        self.board.next_window()
        self.change_settings(window_s=self.board.window_s)
        self.redraw()

    def action_show_window(self, seconds: int) -> None:
        """One of the windows."""
        if seconds in WINDOWS_S:
            self.board.window_s = seconds
            self.change_settings(window_s=seconds)
            self.redraw()

    def action_pause(self) -> None:
        """Let the figures stand still, or go on."""
        if self.board.paused:
            self.board.resume()
        else:
            self.board.pause(self._clock.monotonic_s(), self._clock.wall_s())
        self.redraw()

    def action_interval(self, by: int) -> None:
        """More time between snapshots, or less."""
        now = min(INTERVALS_S, key=lambda one: abs(one - self.board.interval_s))
        at = INTERVALS_S.index(now) + by
        seconds = INTERVALS_S[min(max(at, 0), len(INTERVALS_S) - 1)]
        self.board.interval_s = self._source.interval_s = seconds
        self._say(f"A snapshot every {seconds:g} s.")
        self.change_settings(interval_s=seconds)

    def action_find(self) -> None:
        """Let a text be typed that engines and groups are to hold."""
        self._dashboard.find(self.board.filter)

    def on_key_bar_searched(self, message: KeyBar.Searched) -> None:
        """Show what holds the text."""
        found = self.board.look_for(message.text)
        if message.done and message.text and not found:
            self._say(f"No engine and no group holds {message.text!r}: all are shown.")
        self.redraw()

    def action_clear(self) -> None:
        """No filter and no marks any more."""
        self.board.look_for("")
        self.board.unmark_all()
        self.redraw()

    def action_mark(self) -> None:
        """Mark the engine on the screen for the next change, or take its mark away."""
        if len(self.board.snapshots) < 2:
            self._say("There is only one engine: it need not be marked.")
            return
        self.board.mark()
        self.redraw()

    def action_next_engine(self, by: int) -> None:
        """The next engine, or the one before."""
        self.board.choose_next(by)
        self._engine_chosen()

    def action_choose_engine(self, index: int) -> None:
        """The engine of that index."""
        self.board.choose(index)
        self._engine_chosen()

    def _engine_chosen(self) -> None:
        self._dashboard.close_panels()
        self.redraw()

    def action_overview(self) -> None:
        """All engines at once; one that is chosen there comes to the screen."""
        scene = self.scene
        if scene is None or isinstance(self.screen, OverviewScreen):
            return
        scenes = self.board.scenes(self._clock.monotonic_s())
        self.push_screen(OverviewScreen(scenes, scene.chosen_engine), self._chosen_in_overview)

    def action_focus_engine(self, index: int) -> None:
        """A click on an engine of the overview."""
        if isinstance(self.screen, OverviewScreen):
            self.screen.dismiss(index)

    def _chosen_in_overview(self, index: int | None) -> None:
        if index is not None:
            self.action_choose_engine(index)
        else:
            self.redraw()

    def action_help(self) -> None:
        """What the numbers mean."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def action_toggle_view(self, view: str) -> None:
        """Another view below, which the next start begins with."""
        super().action_toggle_view(view)
        self.change_settings(panels=(self.board.choice.view.value,))

    def action_next_view(self, by: int) -> None:
        """The next view below, which the next start begins with."""
        super().action_next_view(by)
        self.change_settings(panels=(self.board.choice.view.value,))

    def action_next_theme(self) -> None:
        """The next theme, which the next start begins with."""
        super().action_next_theme()
        self.change_settings(theme=self.theme)

    def change_settings(self, **changed: Any) -> None:
        """Keep a choice of the user (a field of ``Settings``) for the next start.

        The file is written at once. That it cannot be is told, and is no failure.
        """
        before, self.settings = self.settings, replace(self.settings, **changed)
        if self._settings_file is None or self.settings == before:
            return
        _, problem = self._settings_file.change(**changed)
        if problem:
            self._say(problem)

    def _say(self, text: str) -> None:
        self.board.say(" ".join(text.split()), self._clock.monotonic_s())
        self.redraw()


def _same_draft(one: LimitDraft, other: LimitDraft) -> bool:
    """What the daemon foresees may have come meanwhile."""
    return (one.kind, one.group, one.text, one.phase) == (other.kind, other.group, other.text, other.phase)


def _what(order: LimitOrder) -> str:
    """``cap of group 2 to 8``; of several engines how many they are."""
    names = {
        f"cap of group {value.group}" if value.group is not None else "max_num_seqs" for value in order.values
    }
    name = names.pop() if len(names) == 1 else "the group caps"
    new = order.values[0].new if order.values else None
    engines = f" on {len(order.engines)} engines" if len(order.engines) > 1 else ""
    return f"{name} to {'unset' if new is None else new}{engines}"
