"""Which engine, and whether this is live."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.header import header
from rblntop.scene import Scene
from rblntop.text.line import Line


class HeaderLine(LineWidget):
    """Which engine, and whether this is live."""

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return [header(scene, width)]
