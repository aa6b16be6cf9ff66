"""The groups and their strips."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.group_table import group_table
from rblntop.scene import Scene
from rblntop.text.line import Line


class GroupTable(LineWidget):
    """The groups and their strips; the wheel scrolls when they do not all fit."""

    class Scrolled(Message):
        """The wheel turned over the table."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.strip_height = 1

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return group_table(scene, width, height, self.strip_height)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Further down the groups."""
        event.stop()
        self.post_message(self.Scrolled(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Further up the groups."""
        event.stop()
        self.post_message(self.Scrolled(-1))
