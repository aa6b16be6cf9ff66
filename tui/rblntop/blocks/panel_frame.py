"""The box around what asks the operator for something."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.text.cells import clean, left
from rblntop.text.line import Line, Role, Span, fit, spread, width_of

LABEL = 11


def framed(
    key: str, name: str, body: Sequence[Line], keys: Line, width: int, rows: int, note: str = ""
) -> list[Line]:
    """A box of ``rows`` lines: the name above, the keys below; what does not fit of the body is left out."""
    head: Line = (Span(" ╭─ ", Role.FRAME), Span(key, Role.KEY), Span(f"  {name} ", Role.STRONG))
    above = Span("─" * max(0, width - width_of(head) - 2), Role.FRAME)
    top = spread((*head, above), (Span("╮ ", Role.FRAME),), width)
    foot: Line = (Span(" ╰─ ", Role.FRAME), *keys, Span(" ", Role.FRAME))
    end: Line = (
        (Span(f" {note} ", Role.LABEL), Span("─╯ ", Role.FRAME)) if note else (Span("╯ ", Role.FRAME),)
    )
    if width_of(foot) + width_of(end) > width:
        end = (Span("╯ ", Role.FRAME),)
    rule = Span("─" * max(0, width - width_of(foot) - width_of(end)), Role.FRAME)
    inner = [*body, *[()] * rows][: max(0, rows - 2)]
    return [
        top,
        *((Span(" │ ", Role.FRAME), *fit(line, width - 6), Span(" │ ", Role.FRAME)) for line in inner),
        spread((*foot, rule), end, width),
    ]


def label(text: str) -> Span:
    """What stands at the left of a row."""
    return Span(left(text, LABEL), Role.LABEL)


def entry(text: str, *, width: int, chosen: bool, bad: bool = False, action: str = "") -> Span:
    """Something typed; the cursor shows where keys go."""
    shown = clean(text if len(text) < width - 3 else "…" + text[-(width - 5) :])
    if not chosen:
        return Span(left(f"[{shown}", width - 1) + "]", Role.ENTRY_BAD if bad else Role.TEXT, action)
    return Span(left(f" {shown}▏", width), Role.ENTRY_BAD if bad else Role.ENTRY, action)


def key(name: str, what: str, action: str = "", *, possible: bool = True) -> Line:
    """A key and what it does, as a place to click."""
    return (
        Span(name, Role.KEY if possible else Role.OFF, action),
        Span(f" {what}   ", Role.LABEL if possible else Role.OFF, action),
    )


def one_line(text: str) -> str:
    """A message of somebody else, fit for a row."""
    return clean(" ".join(text.split()))
