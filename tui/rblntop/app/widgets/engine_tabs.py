"""The engines to choose among."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.engine_tabs import engine_tabs
from rblntop.scene import Scene
from rblntop.text.line import Line


class EngineTabs(LineWidget):
    """The engines to choose among."""

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return [engine_tabs(scene, width)]
