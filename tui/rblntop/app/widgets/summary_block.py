"""Requests, speed, pipeline, memory and length."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.summary import summary
from rblntop.scene import Scene
from rblntop.text.line import Line


class SummaryBlock(LineWidget):
    """Requests, speed, pipeline, memory and length."""

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return summary(scene, width, height)
