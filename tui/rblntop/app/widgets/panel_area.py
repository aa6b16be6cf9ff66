"""Windows, batches in flight, empty slots, the engine."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.panels import panels
from rblntop.scene import Scene
from rblntop.text.line import Line


class PanelArea(LineWidget):
    """Windows, batches in flight, empty slots, the engine."""

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return panels(scene, width, height)
