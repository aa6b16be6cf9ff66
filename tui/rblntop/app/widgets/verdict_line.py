"""What is wrong, and the key that mends it."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.verdict_line import verdict_line
from rblntop.scene import Scene
from rblntop.text.line import Line
from rblntop.verdict import Level, judge


class VerdictLine(LineWidget):
    """What is wrong, and the key that mends it; the background says how much it matters."""

    DEFAULT_CSS = """
    VerdictLine.good { background: $verdict-good; }
    VerdictLine.note { background: $verdict-note; }
    VerdictLine.watch { background: $verdict-watch; }
    VerdictLine.act { background: $verdict-act; }
    """

    def show(self, scene: Scene) -> None:
        """Draw the verdict, on the background of its level."""
        level = judge(scene).level
        for other in Level:
            self.set_class(other is level, other.value)
        super().show(scene)

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return [verdict_line(scene, width)]
