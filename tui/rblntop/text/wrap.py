"""Breaks text into lines between words."""

from __future__ import annotations

from rblntop.text.cells import cells


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` cells, broken between words."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines
