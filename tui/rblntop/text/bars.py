"""Horizontal bars with a resolution of an eighth of a cell."""

from __future__ import annotations

from rblntop.text.numbers import known

TRACK = "░"
FULL = "▇"
"""An eighth lower than the cell, so that bars in neighbouring rows stay apart."""
TIPS = ("▏", "▎", "▍", "▌", "▋", "▊", "▉")


def bar(ratio: float | None, width: int) -> tuple[str, str]:
    """The filled part and the track of a bar, together ``width`` cells.

    A ratio that is not known has no filled part; one above 0 always shows at least an eighth.
    """
    if ratio is None or not known(ratio) or width <= 0:
        return "", TRACK * max(0, width)
    eighths = round(min(max(ratio, 0.0), 1.0) * width * 8)
    if ratio > 0:
        eighths = max(1, eighths)
    if ratio < 1:
        eighths = min(eighths, width * 8 - 1)
    full, rest = divmod(eighths, 8)
    filled = FULL * full + (TIPS[rest - 1] if rest else "")
    return filled, TRACK * (width - len(filled))


PAD = "▒"


def batch_bar(batch: int, bucket: int | None, whole: int | None, width: int) -> tuple[str, str, str]:
    """A batch, the padding up to its bucket, and the track up to the largest bucket; ``width`` cells."""
    if not whole:
        return "", "", TRACK * max(0, width)
    filled, track = bar(batch / whole, width)
    padded = min(max(round(min((bucket or 0) / whole, 1.0) * width) - len(filled), 0), len(track))
    return filled, PAD * padded, track[padded:]
