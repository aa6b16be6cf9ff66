"""The screen in ASCII: a character for a character, so that nothing moves."""

from __future__ import annotations

from functools import lru_cache

from rblntop.text.cells import cells

_GLYPHS = {
    "▁": "_", "▂": "_", "▃": ".", "▄": "-", "▅": "=", "▆": "+", "▇": "#", "█": "#",
    "▏": ".", "▎": ":", "▍": "-", "▌": "=", "▋": "=", "▊": "+", "▉": "#",
    "░": ".", "▒": ":", "─": "-", "│": "|", "┊": ":", "·": ".", "…": "~",
    "●": "*", "◌": "o", "◆": "+", "▲": "!", "■": "X", "▶": ">", "◀": "<", "▸": ">", "▾": "v",
    "←": "<", "→": ">", "↑": "^", "↓": "v", "‹": "<", "›": ">",
    "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "╭": "+", "╮": "+", "╯": "+", "╰": "+",
}  # fmt: skip
_ROWS = ((0x01 | 0x08, "'"), (0x02 | 0x10, "-"), (0x04 | 0x20, "."), (0x40 | 0x80, "_"))
"""Of a braille cell, from the top: its bits, and what stands for it."""


@lru_cache(maxsize=1024)
def _glyph(char: str) -> str:
    if char in _GLYPHS:
        return _GLYPHS[char]
    if 0x2800 <= ord(char) <= 0x28FF:
        dots = ord(char) - 0x2800
        rows = [text for bits, text in _ROWS if dots & bits]
        return ":" if len(rows) > 2 else rows[0] if rows else " "
    return "?" * cells(char)


def as_ascii(text: str) -> str:
    """The text without any other character, in as many cells."""
    return text if text.isascii() else "".join(char if char.isascii() else _glyph(char) for char in text)
