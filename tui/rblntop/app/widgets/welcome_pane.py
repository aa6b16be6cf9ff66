"""What to do while there is no engine."""

from __future__ import annotations

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.welcome import welcome
from rblntop.scene import Link


class WelcomePane(LineWidget):
    """Fills the screen until the first engine is there."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._link = Link()
        self._heard = False

    def tell(self, link: Link, *, heard: bool) -> None:
        """Say how we stand with the daemon."""
        self._link, self._heard = link, heard
        self.redraw()

    def redraw(self) -> None:
        """There is no scene to draw."""
        self.draw(welcome(self._link, self._heard, self.size.width, self.size.height))
