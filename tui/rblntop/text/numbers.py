"""Numbers as they are shown: ``--`` for what is not known, and a width that does not run away."""

from __future__ import annotations

import math

MISSING = "--"

_SCALES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def known(value: float | None) -> bool:
    """A value that can be drawn: neither missing nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def count(value: float | None) -> str:
    """A count: ``3,912``, and ``12.4M`` from ten million on."""
    if value is None or not known(value):
        return MISSING
    if abs(value) < 9_999_999.5:
        return f"{round(value):,}"
    return _scaled(value)


def rate(value: float | None) -> str:
    """Something a second: one decimal below ten, as that is where it says something."""
    if value is None or not known(value):
        return MISSING
    if 0 < abs(value) < 9.95:
        return f"{value:.1f}"
    return count(value)


def percent(ratio: float | None) -> str:
    """A ratio of 0..1 as ``19 %``; a small one that is not nothing as ``<1 %``."""
    if ratio is None or not known(ratio):
        return MISSING
    if 0 < ratio < 0.005:
        return "<1 %"
    return f"{round(min(max(ratio, -9.99), 9.99) * 100)} %"


def _scaled(value: float) -> str:
    for scale, suffix in _SCALES:
        if abs(value) >= scale * 0.9995:
            scaled = value / scale
            if abs(scaled) >= 9999.5:
                break
            return f"{scaled:.1f}{suffix}" if abs(scaled) < 99.95 else f"{scaled:.0f}{suffix}"
    return f"{value:.0e}".replace("e+", "e")
