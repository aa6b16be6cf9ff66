"""Width of text in terminal cells, with the tables that the terminal widgets draw with."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len

ELLIPSIS = "…"


def clean(text: str) -> str:
    """Text without control characters: a model's name must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else " " if unicodedata.category(char)[0] == "Z" else "?" for char in text
    )


def cells(text: str) -> int:
    """Cells that a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int) -> str:
    """The text, with an ellipsis where it had to be cut to ``width`` cells."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    kept = text[:width]
    while kept and cells(kept) > width - 1:
        kept = kept[:-1]
    return kept + ELLIPSIS


def left(text: str, width: int) -> str:
    """The text at the left of ``width`` cells."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def right(text: str, width: int) -> str:
    """The text at the right of ``width`` cells."""
    text = cut(text, width)
    return " " * (width - cells(text)) + text
