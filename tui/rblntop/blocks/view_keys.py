"""The keys that change what is shown, and never the engine."""

from __future__ import annotations

from rblntop.scene import Scene
from rblntop.text.line import Line, Role, Span
from rblntop.view import View

SPAN = {60: "1 min", 600: "10 min", 3600: "1 h", 86400: "1 day"}
OPENED_BY = {View.REQUESTS: "r", View.EVENTS: "e", View.DETAIL: "d"}


def view_keys(scene: Scene, room: int) -> Line:
    """As many as there is room for, the most useful first; the view that is shown is marked."""
    keys: list[tuple[str, str, str, bool]] = [
        ("g", f"graphs {SPAN.get(scene.span_s, '')}".strip(), "next_span", False)
    ]
    if scene.view is View.REQUESTS:
        keys = [("s", f"sort {scene.request_sort}", "next_request_sort", False)]
    keys += [
        (key, view.value, f"toggle_view('{view.value}')", scene.view is view)
        for view, key in OPENED_BY.items()
    ]
    if len(scene.engines) > 1:
        keys.append(("o", "all engines", "overview", False))
    keys += [("z", "zoom", "zoom", scene.zoomed), ("t", "theme", "next_theme", False)]
    line: Line = ()
    for key, label, action, on in keys:
        if len(key) + len(label) + 5 > room:
            continue
        room -= len(key) + len(label) + 5
        line += (
            Span(f"[{key}]", Role.KEY, action),
            Span(f" {label}", Role.CHOSEN if on else Role.LABEL, action),
            Span("  "),
        )
    return line
