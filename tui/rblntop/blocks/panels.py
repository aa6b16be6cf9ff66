"""The lower part of the screen: as many panels as there is room for, side by side."""

from __future__ import annotations

from collections.abc import Callable

from rblntop.blocks.empty_panel import empty_panel
from rblntop.blocks.engine_panel import engine_panel
from rblntop.blocks.in_flight_panel import in_flight_panel
from rblntop.blocks.windows_panel import windows_panel
from rblntop.scene import Scene
from rblntop.text.line import Line, Span, columns

Panel = Callable[[Scene, int, int], list[Line]]

HEIGHT = 11
NARROW_GAP, GAP = 2, 4


def panel_widths(width: int) -> list[tuple[Panel, int]]:
    """The panels and their widths, together with the gaps ``width - 2`` cells."""
    if width < 110:
        room = width - 2 - NARROW_GAP
        return [(windows_panel, 41), (in_flight_panel, room - 41)]
    if width < 150:
        room = width - 2 - 2 * GAP
        return [(windows_panel, 41), (in_flight_panel, 36), (empty_panel, room - 77)]
    room = min(width, 200) - 2 - 3 * GAP
    return [
        (windows_panel, 45),
        (in_flight_panel, 46),
        (empty_panel, (room - 91) // 2),
        (engine_panel, room - 91 - (room - 91) // 2),
    ]


def panels(scene: Scene, width: int, rows: int) -> list[Line]:
    """At most ``rows`` lines."""
    if rows < 2:
        return []
    drawn = [(panel(scene, size, min(rows, HEIGHT)), size) for panel, size in panel_widths(width)]
    gap = NARROW_GAP if width < 110 else GAP
    height = max(len(lines) for lines, _ in drawn)
    return [
        (
            Span(" "),
            *columns(((lines[row] if row < len(lines) else (), size) for lines, size in drawn), gap),
        )
        for row in range(height)
    ]
