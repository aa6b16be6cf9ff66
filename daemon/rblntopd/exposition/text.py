"""Writes many samples of engines in Prometheus' text format.

The library's own writer takes some 10 us a sample, and 64 engines have 15 000: half of what is here is to be
able to scrape them at all. What the daemon says of itself goes through the library, and so does every test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client.utils import floatToGoString

from rblntopd.metrics.totals import Histogram


@dataclass(frozen=True, slots=True)
class Family:
    """One metric."""

    name: str
    kind: str
    """``gauge``, ``counter`` or ``histogram``."""
    help: str


def label(name: str, value: str) -> str:
    """A label as it is written."""
    escaped = value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return f'{name}="{escaped}"'


class Page:
    """Samples in the order in which they come, by family when they are written."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._lines: dict[str, list[str]] = {
            family.name: [f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"]
            for family in families
        }

    def add(self, name: str, labels: str, value: float | None) -> None:
        """One sample; a value that is None is not there."""
        if value is not None:
            written = str(value) if type(value) is int else floatToGoString(value)
            self._lines[name].append(f"{name}{{{labels}}} {written}\n")

    def add_histogram(self, name: str, template: str, histogram: Histogram, unit: int) -> None:
        """All samples of a histogram, whose values were counted in ``1 / unit``."""
        counts = tuple(accumulate(histogram.counts))
        self._lines[name].append(template % (*counts, floatToGoString(histogram.sum / unit), counts[-1]))

    def text(self) -> str:
        """The families that have samples."""
        return "".join("".join(lines) for lines in self._lines.values() if len(lines) > 1)


def histogram_template(name: str, labels: str, bounds: Iterable[int], unit: int) -> str:
    """What :meth:`Page.add_histogram` fills in: made once, because the counts are all that changes."""
    labels = labels.replace("%", "%%")
    bounds_text = [*(floatToGoString(bound / unit) for bound in bounds), "+Inf"]
    lines = [f'{name}_bucket{{{labels},le="{bound}"}} %d\n' for bound in bounds_text]
    return "".join(lines) + f"{name}_sum{{{labels}}} %s\n{name}_count{{{labels}}} %d\n"
