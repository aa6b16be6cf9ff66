"""All engines at once; Enter shows one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.overview import engines_that_fit, overview
from rblntop.scene import Scene
from rblntop.text.line import Line, Role, Span

KEYS: Line = (
    Span(" [Enter]", Role.KEY, "screen.focus_engine"),
    Span(" show  ", Role.LABEL, "screen.focus_engine"),
    Span("[↑↓]", Role.KEY),
    Span(" choose  ", Role.LABEL),
    Span("[Esc]", Role.KEY, "screen.dismiss"),
    Span(" back", Role.LABEL, "screen.dismiss"),
)


class EngineTable(LineWidget):
    """The engines; the wheel moves the choice."""

    DEFAULT_CSS = "EngineTable { height: 1fr; }"

    def __init__(self, scenes: Sequence[Scene], chosen: int) -> None:
        super().__init__()
        self.scenes = scenes
        self.chosen = chosen
        self._first = 0

    def redraw(self) -> None:
        """The chosen one stays in view."""
        height, width = self.size.height, self.size.width
        if not width:
            return
        room = engines_that_fit(height)
        self.chosen = min(max(0, self.chosen), max(0, len(self.scenes) - 1))
        self._first = min(max(self._first, self.chosen - room + 1), self.chosen)
        self._first = max(0, min(self._first, len(self.scenes) - room))
        stale = bool(self.scenes) and self.scenes[0].stale
        self.draw(overview(self.scenes, self.chosen, self._first, width, height), dimmed=stale)

    def move(self, by: int) -> None:
        """Choose another one."""
        self.chosen += by
        self.redraw()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The next one."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The one before."""
        event.stop()
        self.move(-1)


class OverviewKeys(LineWidget):
    """The keys."""

    DEFAULT_CSS = "OverviewKeys { dock: bottom; height: 1; background: $surface; }"

    def redraw(self) -> None:
        """They are always the same."""
        self.draw([KEYS])


class OverviewScreen(Screen[int]):
    """Dismissed with the index of the engine to show, or with nothing."""

    DEFAULT_CSS = "OverviewScreen { background: $background; layout: vertical; }"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "focus_engine", "show"),
        Binding("up,k", "move(-1)", "up"),
        Binding("down,j", "move(1)", "down"),
        Binding("pageup", "move(-10)", "page up"),
        Binding("pagedown", "move(10)", "page down"),
        Binding("home", "move(-100000)", "first"),
        Binding("end", "move(100000)", "last"),
        Binding("escape,o", "dismiss", "back"),
        Binding("t", "app.next_theme", "theme"),
        Binding("q,ctrl+c", "app.quit", "quit"),
    ]

    def __init__(self, scenes: Sequence[Scene], chosen: int) -> None:
        super().__init__()
        self._table = EngineTable(scenes, chosen)

    def compose(self) -> ComposeResult:
        """A table and its keys."""
        yield self._table
        yield OverviewKeys()

    def show(self, scenes: Sequence[Scene]) -> None:
        """Draw the engines as they are now."""
        self._table.scenes = scenes
        self._table.redraw()

    def action_move(self, by: int) -> None:
        """Choose another one."""
        self._table.move(by)

    def action_focus_engine(self) -> None:
        """Show the chosen one."""
        self.dismiss(self._table.chosen if self._table.scenes else None)
