"""The keys, or what there is to say about the last one."""

from __future__ import annotations

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.key_bar import key_bar
from rblntop.scene import Scene


class KeyBar(LineWidget):
    """The keys; each is also a place to click."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._notice = ""

    def tell(self, scene: Scene | None, notice: str) -> None:
        """Show the keys that apply, or a notice in their place."""
        self._scene, self._notice = scene, notice
        self.redraw()

    def redraw(self) -> None:
        """There is a key bar without an engine too."""
        self.draw([key_bar(self._scene, self.size.width, notice=self._notice)])
