"""A widget that is a few lines of spans, and redraws only those that changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rblntop.app.palette import palette
from rblntop.scene import Scene
from rblntop.text.cells import cells
from rblntop.text.line import Line, fit

OWN = "panel."
"""Actions of the widget itself; all others are the application's."""


class LineWidget(Widget):
    """Draws lines as they are; a click runs the action of the span below it."""

    DEFAULT_CSS = """
    LineWidget { height: auto; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._scene: Scene | None = None
        self._lines: tuple[Line, ...] = ()
        self._dimmed = False
        self._base_style: Style | None = None

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        raise NotImplementedError

    def show(self, scene: Scene) -> None:
        """Draw what changed from the last scene."""
        self._scene = scene
        self.redraw()

    def redraw(self) -> None:
        """Draw the scene again, after a change of what it is drawn with."""
        if self._scene is not None and self.size.width:
            lines = self.lines_of(self._scene, self.size.width, self.size.height)
            self.draw(lines, dimmed=self._scene.stale)

    def on_resize(self) -> None:
        """Another width is another text."""
        self.redraw()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is drawn."""
        return self._lines

    def draw(self, lines: Sequence[Line], *, dimmed: bool = False) -> None:
        """Show these lines; rows that did not change are left alone."""
        before = self._lines
        self._lines = tuple(lines)
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self.refresh()
            return
        width = self.size.width
        for row in range(max(len(before), len(self._lines))):
            if self._line(before, row) != self._line(self._lines, row):
                self.refresh(Region(0, row, width, 1))

    def render_line(self, y: int) -> Strip:
        """One row, over the widget's own background."""
        width = self.size.width
        drawn: list[Segment] = []
        colours, segments = not self.app.no_color, palette(self.app.theme).segments
        for span in fit(self._line(self._lines, y), width):
            drawn += segments(span, dimmed=self._dimmed, colours=colours)
        if self._base_style is None:
            # Walks the ancestors: too much to do it again for each row.
            self._base_style = self.rich_style
        return Strip(drawn, width).apply_style(self._base_style)

    def notify_style_update(self) -> None:
        """The background may be another one."""
        self._base_style = None
        super().notify_style_update()

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does."""
        action = self.action_at(event.x, event.y)
        if action:
            event.stop()
            if action.startswith(OWN):
                await self.run_action(action.removeprefix(OWN))
            else:
                await self.app.run_action(action)

    def action_at(self, x: int, y: int) -> str:
        """The action of the span at a cell of this widget."""
        end = 0
        for span in self._line(self._lines, y):
            end += cells(span.text)
            if x < end:
                return span.action
        return ""

    @staticmethod
    def _line(lines: Sequence[Line], row: int) -> Line:
        return lines[row] if 0 <= row < len(lines) else ()
