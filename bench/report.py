"""One line a figure: the figure, its baseline from the same run, their ratio, and what was promised."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def row(name: str, figure: str, baseline: str = "", ratio: float | None = None, promise: str = "") -> None:
    """Print one figure; ``promise`` says the bound, to be compared by the reader."""
    shown = "" if ratio is None else f"{ratio:.3f}"
    print(f"  {name:<46} {figure:>18}   {baseline:<34} {shown:>8}   {promise}", flush=True)


def heading(text: str) -> None:
    """Print what is measured and how."""
    print(f"\n{text}", flush=True)
    print(f"  {'':<46} {'figure':>18}   {'baseline of this run':<34} {'ratio':>8}   promise", flush=True)


def quantile(values: Sequence[float], share: float) -> float:
    """The ``share`` (0..1) quantile of ``values``."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The median of ``values``."""
    return statistics.median(values)


def interval_of_mean(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean of a few values (Student's t)."""
    t = {5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262, 12: 2.201, 16: 2.131, 20: 2.093}
    count = len(values)
    factor = t[max(known for known in t if known <= count)]
    half = factor * statistics.stdev(values) / count**0.5
    mean = statistics.fmean(values)
    return mean - half, mean + half
