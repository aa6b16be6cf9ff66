"""Graphs, devices and logs, or what the operator chose in their place."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.lower_area import lower_area
from rblntop.scene import Scene
from rblntop.text.line import Line


class PanelArea(LineWidget):
    """Graphs, devices and logs, or what the operator chose in their place."""

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return lower_area(scene, width, height)
