"""Keys that change what is shown, and never the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rblntop.app.themes import THEMES
from rblntop.view import View

if TYPE_CHECKING:
    from rblntop.board import Board
    from rblntop.scene import Scene


class ViewActions:
    """Part of the application."""

    if TYPE_CHECKING:
        board: Board
        theme: str

        @property
        def scene(self) -> Scene | None: ...  # noqa: D102
        def redraw(self) -> None: ...  # noqa: D102
        def _say(self, text: str) -> None: ...

    def action_toggle_view(self, view: str) -> None:
        """Requests, events or details in place of the graphs, and back."""
        self.board.choice.toggle(View(view))
        self.redraw()

    def action_next_view(self, by: int) -> None:
        """The next view of the lower part."""
        self.board.choice.next_view(by)
        self.redraw()

    def action_next_span(self) -> None:
        """The graphs show 1 min, 10 min, 1 h, 1 day."""
        self.board.choice.next_span()
        self.redraw()

    def action_zoom(self) -> None:
        """A cell of the strips is a step, or a second again."""
        self.board.choice.zoomed = not self.board.choice.zoomed
        self.redraw()

    def action_next_request_sort(self) -> None:
        """Requests by the next column."""
        self.board.choice.next_sort()
        self.redraw()

    def action_sort_requests(self, column: str) -> None:
        """Requests by a column."""
        self.board.choice.sort(column)
        self.redraw()

    def action_next_theme(self) -> None:
        """The next theme; who wants to remember it watches ``App.theme``."""
        names = list(THEMES)
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self._say(f"Theme: {THEMES[self.theme].title}.")

    def scroll_rows(self, by: int, rows: int) -> bool:
        """Move the list below, if there is one; true if there is."""
        choice, scene = self.board.choice, self.scene
        if not choice.scrolls or scene is None:
            return False
        table = scene.past.requests
        total = len(scene.past.events)
        if choice.view is View.REQUESTS:
            total = len(table.requests) if table is not None else 0
        choice.scroll(by, total, max(1, rows - 2))
        return True
