"""Texts that somebody else wrote: their control characters must not reach a terminal or a log line."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` with a space for every character that is not printable, bidirectional overrides among them."""
    return "".join(c if c.isprintable() else " " for c in text)


def from_ring(raw: bytes) -> str:
    """A NUL-padded text of a ring's block."""
    return printable(raw.rstrip(b"\0").decode(errors="replace"))
