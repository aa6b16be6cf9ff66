"""The part of the screen below the limits, in the view that the operator chose."""

from __future__ import annotations

from collections.abc import Callable

from rblntop.blocks.changes_panel import change_lines, changes_panel
from rblntop.blocks.device_lines import device_lines
from rblntop.blocks.empty_panel import empty_panel
from rblntop.blocks.events_panel import events_panel
from rblntop.blocks.graph import REQUESTS, TOKENS, WAITING, WASTE, GraphKind, graph
from rblntop.blocks.in_flight_panel import in_flight_panel
from rblntop.blocks.panels import panels
from rblntop.blocks.request_rows import requests_panel, waiting_panel
from rblntop.scene import Scene
from rblntop.text.line import Line, Span, columns, fit
from rblntop.view import View

Panel = Callable[[Scene, int, int], list[Line]]

HEIGHT = 20
"""Rows that it makes good use of, before the strips of the groups grow."""
LOWEST_GRAPH, TALLEST_GRAPH = 4, 14
NARROW, WIDE = 100, 160


def lower_area(scene: Scene, width: int, rows: int) -> list[Line]:
    """At most ``rows`` lines."""
    if rows < 1 or width < 4:
        return []
    return [fit(line, width) for line in _view(scene, width, rows)]


def _view(scene: Scene, width: int, rows: int) -> list[Line]:
    if scene.view is View.DETAIL:
        return panels(scene, width, rows)
    if scene.view is View.REQUESTS:
        return _indented(requests_panel(scene, width - 2, rows))
    if scene.view is View.EVENTS:
        return _indented(events_panel(scene, width - 2, rows))
    return _graphs_and_logs(scene, width, rows)


def _graphs_and_logs(scene: Scene, width: int, rows: int) -> list[Line]:
    """The graphs give way first, then the devices, then the log."""
    if width < NARROW or rows < 8:
        return _narrow(scene, width, rows)
    devices = 2
    gap = 1 if rows >= 13 else 0
    log = min(max(3, rows // 3), 12)
    height = min(rows - devices - log - 2 * gap, TALLEST_GRAPH)
    log = rows - devices - height - 2 * gap
    lines = graphs(scene, width, height)
    lines += [()] * gap
    lines += _indented(device_lines(scene, width - 2, devices))
    lines += [()] * gap
    lines += _side_by_side(scene, logs(width), width, log)
    return lines[:rows]


def _narrow(scene: Scene, width: int, rows: int) -> list[Line]:
    log = 1 if rows < 12 else rows // 4
    devices = 1 if rows >= 2 else 0
    height = rows - log - devices
    lines: list[Line] = []
    if height >= LOWEST_GRAPH:
        height = min(height, TALLEST_GRAPH)
        lines += graphs(scene, width, height)
    lines += _indented(device_lines(scene, width - 2, devices))
    lines += _indented(change_lines(scene, width - 2, max(1, rows - len(lines))))
    return lines[:rows]


def graphs(scene: Scene, width: int, rows: int) -> list[Line]:
    """Two or three of them side by side."""
    kinds: tuple[GraphKind, ...] = (TOKENS, REQUESTS, WASTE)
    if width < NARROW:
        kinds = (TOKENS, WAITING) if width >= 50 else (TOKENS,)
    gap = 3 if width < WIDE else 5
    room = width - 2 - gap * (len(kinds) - 1)
    sizes = [room // len(kinds)] * len(kinds)
    for at in range(room - sum(sizes)):
        sizes[at] += 1
    drawn = [graph(scene, kind, size, rows) for kind, size in zip(kinds, sizes, strict=True)]
    return [
        (Span(" "), *columns(((lines[row], size) for lines, size in zip(drawn, sizes, strict=True)), gap))
        for row in range(rows)
    ]


def logs(width: int) -> list[tuple[Panel, int]]:
    """What stands below, and how wide: with the gaps ``width - 2`` cells."""
    if width < WIDE:
        room = width - 2 - 4
        oldest = 38 if width >= 116 else 30
        return [(changes_panel, room - oldest), (waiting_panel, oldest)]
    room = min(width, 240) - 2 - 3 * 5
    return [
        (changes_panel, room - 36 - 46 - 24),
        (waiting_panel, 36),
        (in_flight_panel, 46),
        (empty_panel, 24),
    ]


def _side_by_side(scene: Scene, parts: list[tuple[Panel, int]], width: int, rows: int) -> list[Line]:
    drawn = [(panel(scene, size, rows), size) for panel, size in parts]
    gap = 4 if width < WIDE else 5
    return [
        (
            Span(" "),
            *columns(((lines[row] if row < len(lines) else (), size) for lines, size in drawn), gap),
        )
        for row in range(max((len(lines) for lines, _ in drawn), default=0))
    ]


def _indented(lines: list[Line]) -> list[Line]:
    return [(Span(" "), *line) for line in lines]
