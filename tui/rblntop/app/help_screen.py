"""The help, over the dashboard."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.help_text import help_text

Section: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]


class HelpText(LineWidget):
    """Every number and what it means."""

    def __init__(self, *first: Section) -> None:
        super().__init__()
        self._first = first

    def redraw(self) -> None:
        """As many lines as the width takes."""
        if self.size.width:
            lines = help_text(self.size.width, *self._first)
            self.styles.height = len(lines)
            self.draw(lines)


class HelpScreen(ModalScreen[None]):
    """Scrolls; any of its keys closes it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 70%; }
    HelpScreen VerticalScroll {
        width: 90%; max-width: 116; height: 90%; padding: 1 2; background: $surface;
        border: round $primary; border-title-color: $primary; border-subtitle-color: $foreground-muted;
        scrollbar-size-vertical: 1;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss", "close")]

    def __init__(self, *first: Section) -> None:
        """Show these sections before the others."""
        super().__init__()
        self._first = first

    def compose(self) -> ComposeResult:
        """A scrolling box."""
        with VerticalScroll() as box:
            box.border_title = "what the numbers mean"
            box.border_subtitle = "↑↓ scroll   Esc close"
            yield HelpText(*self._first)
