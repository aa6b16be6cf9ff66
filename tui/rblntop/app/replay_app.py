"""The dashboard on a recording: the same screen, and keys that move through time."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from rblntop.app.app import RblntopApp
from rblntop.app.clock import Clock
from rblntop.app.dashboard import Dashboard
from rblntop.app.help_screen import HelpScreen
from rblntop.blocks.help_text import REPLAY_SECTION
from rblntop.scene import LinkState, Scene
from rblntop.settings import SettingsFile
from rblntop.source.recorded import RecordedSource


class ReplayDashboard(Dashboard):
    """A recording has one engine: the arrows go through time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,p", "app.toggle_pause", "pause"),
        Binding("full_stop", "app.step(1)", "next snapshot"),
        Binding("comma", "app.step(-1)", "previous snapshot"),
        Binding("right,right_square_bracket", "app.seek(10)", "10 s on"),
        Binding("left,left_square_bracket", "app.seek(-10)", "10 s back"),
        Binding("shift+right", "app.seek(60)", "a minute on"),
        Binding("shift+left", "app.seek(-60)", "a minute back"),
        Binding("plus,equals_sign", "app.faster(1)", "faster"),
        Binding("minus", "app.faster(-1)", "slower"),
        Binding("home", "app.rewind", "to the beginning"),
        Binding("end", "app.to_end", "to the end"),
    ]


class ReplayApp(RblntopApp):
    """Shows a recording as it would have looked, and changes nothing."""

    def __init__(
        self,
        source: RecordedSource,
        *,
        clock: Clock | None = None,
        settings_file: SettingsFile | None = None,
    ) -> None:
        super().__init__(source, clock=clock, settings_file=settings_file)
        self._player = source.player
        self._recorded = source
        self._dashboard = ReplayDashboard()

    @property
    def scene(self) -> Scene | None:
        """The present frame, by the clock of the recording; a pause does not make it stale."""
        scene = super().scene
        if scene is None:
            return None
        link = replace(scene.link, state=LinkState.LIVE, age_s=0.0)
        return replace(scene, link=link, clock_s=None, playback=self._player.playback)

    def action_toggle_pause(self) -> None:
        """Pause, or go on."""
        self._player.toggle()
        self._moved()

    def action_step(self, by: int) -> None:
        """One snapshot on or back."""
        self._player.step(by)
        self._moved()

    def action_seek(self, by_s: int) -> None:
        """So many seconds on or back."""
        self._player.seek(by_s)
        self._moved()

    def action_faster(self, by: int) -> None:
        """Faster or slower."""
        self._player.faster(by)
        self._moved()

    def action_rewind(self) -> None:
        """To the beginning."""
        self._player.rewind()
        self._moved()

    def action_to_end(self) -> None:
        """To the end."""
        self._player.to_end()
        self._moved()

    def action_help(self) -> None:
        """What the numbers mean, and the keys of the replay."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(REPLAY_SECTION))

    def _moved(self) -> None:
        self._take(self._recorded.present())
