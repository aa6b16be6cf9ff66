"""The dashboard's application: source and board on one side, the screen on the other."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import aclosing
from dataclasses import replace

from textual import work
from textual.app import App

from rblntop.app.clock import Clock, SystemClock
from rblntop.app.dashboard import Dashboard
from rblntop.app.help_screen import HelpScreen
from rblntop.app.overview_screen import OverviewScreen
from rblntop.app.themes import THEMES
from rblntop.app.view_actions import ViewActions
from rblntop.app.widgets.change_panel import ChangePanel
from rblntop.app.widgets.group_table import GroupTable
from rblntop.blocks.layout import room_to_change
from rblntop.board import WINDOWS_S, Board
from rblntop.client.errors import ClientError, RefusedError
from rblntop.limit_draft import LimitDraft, Phase
from rblntop.model import EngineState, LimitKind
from rblntop.past_feed import PastFeed
from rblntop.scene import Scene
from rblntop.source import SnapshotSource, Update
from rblntop.source.past_source import PastSource

TICK_S = 1.0


class RblntopApp(ViewActions, App[int]):
    """Shows what the source says, and asks it for changes."""

    TITLE = "rblntop"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        source: SnapshotSource,
        *,
        engine: str = "",
        readonly: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Follow a source.

        Args:
            source: Where snapshots come from and changes go to.
            engine: Name or instance id to show first.
            readonly: Take no changes.
            clock: The time.
        """
        super().__init__()
        self._source = source
        self._clock = clock or SystemClock()
        because = "rblntop was started with --readonly" if readonly else source.readonly_because
        self.board = Board(engine=engine, readonly_because=because)
        self.refusal = ""
        """Why the daemon would not talk to us, when that is how it ended."""
        self._dashboard = Dashboard()
        self._drawn_s = 0.0
        self._stood_in = False
        for look in THEMES.values():
            self.register_theme(look.theme)
        self.theme = next(iter(THEMES))
        self._past = (
            PastFeed(source, self.board.lookback, self.redraw) if isinstance(source, PastSource) else None
        )

    def get_default_screen(self) -> Dashboard:
        """The dashboard."""
        return self._dashboard

    def on_dashboard_ready(self) -> None:
        """Begin to follow the source; clock and ages move once a second."""
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

    @work(exclusive=True, group="snapshots")
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
        self.redraw()

    # --- keys, and clicks on what stands for them ---

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
        scene = self.scene
        if scene is None:
            return
        if scene.link.readonly:
            self._say(f"Read-only: {scene.link.readonly_because}.")
        elif scene.stale:
            self._say("Not now: the daemon is away, and only it can reach the engine.")
        elif scene.snapshot.engine.state is EngineState.GONE:
            self._say("Not now: the engine is gone.")
        elif not self._dashboard.can_change(scene):
            columns, rows = room_to_change(engine_count=len(scene.engines))
            self._say(f"Too small to change a limit: {columns}x{rows} at least.")
        else:
            self._dashboard.open_change(kind, group, scene)
            self.redraw()

    def on_change_panel_sent(self, message: ChangePanel.Sent) -> None:
        """Ask the source for the change."""
        # Not the present scene: another engine may be on the screen by now.
        self._send(message.draft, message.scene)

    @work
    async def _send(self, draft: LimitDraft, scene: Scene) -> None:
        assert draft.value is not None
        sent = draft
        # Not the name: the process that the operator saw, or none.
        engine = scene.snapshot.engine.instance_id or scene.snapshot.engine.name
        try:
            if draft.kind is LimitKind.MAX_NUM_SEQS:
                answer = await self._source.set_limits(engine, max_num_seqs=draft.value)
            else:
                every = [group.group for group in scene.snapshot.groups]
                groups = every if draft.group is None else [draft.group]
                answer = await self._source.set_limits(
                    engine, group_caps=[(group, draft.value) for group in groups]
                )
        except ClientError as error:
            draft = replace(draft, phase=Phase.REFUSED, message=str(error))
        else:
            draft = replace(
                draft,
                phase=Phase.ACCEPTED,
                generation=answer.generation,
                message="; ".join(answer.warnings),
            )
        panel = self._dashboard.changing
        # The operator may have left the panel, or opened it for another limit.
        if panel is not None and panel.draft == sent:
            panel.become(draft)
        elif draft.phase is Phase.REFUSED:
            self._say(f"Refused: {draft.message}")

    def on_change_panel_left(self) -> None:
        """Close the panel."""
        self._dashboard.close_change()
        self.redraw()

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
        self.redraw()

    def action_show_window(self, seconds: int) -> None:
        """One of the windows."""
        if seconds in WINDOWS_S:
            self.board.window_s = seconds
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
        if self._dashboard.changing is not None:
            self._dashboard.close_change()
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

    def _say(self, text: str) -> None:
        self.board.say(" ".join(text.split()), self._clock.monotonic_s())
        self.redraw()
