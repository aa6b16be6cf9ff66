"""The limits, and how they drain."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.limits_line import limits_lines
from rblntop.scene import Scene
from rblntop.text.line import Line


class LimitsBlock(LineWidget):
    """The limits, and how they drain."""

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return limits_lines(scene, width)[:height]
