"""The engines to choose among, when there are several."""

from __future__ import annotations

from rblntop.scene import Scene
from rblntop.text.cells import cells, clean, cut
from rblntop.text.line import Line, Role, Span, fit

LONGEST = 28


def engine_tabs(scene: Scene, width: int) -> Line:
    """``1 prod/0   2 prod/1``: the chosen one marked, and kept in sight."""
    names = [cut(clean(name), LONGEST) for name in scene.engines]
    signs = (*scene.tab_signs, *[""] * len(names))
    names = [f"{sign} {name}" if sign else name for sign, name in zip(signs, names, strict=False)]
    chosen = scene.chosen_engine
    first = 0
    while first < chosen and _width(names, first, chosen) > width - 6:
        first += 1
    line: Line = (Span(" ‹" if first else "  ", Role.KEY if first else Role.TEXT, "next_engine(-1)"),)
    for index in range(first, len(names)):
        label = f" {index + 1} {names[index]} "
        if sum(cells(span.text) for span in line) + cells(label) + 2 > width:
            line += (Span("›", Role.KEY, "next_engine(1)"),)
            break
        line += (
            Span(label, Role.CHOSEN_TAB if index == chosen else Role.LABEL, f"choose_engine({index})"),
            Span(" "),
        )
    return fit(line, width)


def _width(names: list[str], first: int, last: int) -> int:
    return sum(cells(names[index]) + 4 + len(str(index + 1)) for index in range(first, last + 1))
