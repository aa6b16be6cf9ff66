"""What the daemon says of itself, as a collector of prometheus_client."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from rblntopd.audit.log import AuditLog
from rblntopd.engines.registry import Registry
from rblntopd.metrics.cells import NS
from rblntopd.metrics.totals import Histogram
from rblntopd.probe import __version__
from rblntopd.server.subscriber import WriteWatch

LAG_BOUNDS_NS = tuple(ms * 1_000_000 for ms in (1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000))


def _lags() -> Histogram:
    return Histogram(LAG_BOUNDS_NS)


@dataclass(slots=True)
class DaemonCounts:
    """What the daemon counts for its metrics and for nothing else."""

    tick_lag: Histogram = field(default_factory=_lags)
    """How late the event loop came back to the rings, in ns."""
    scrapes: int = 0
    scrapes_dropped: int = 0
    """Refused because too many were open, or ended because they took too long."""
    engines_left_out: int = 0
    """Engines beyond what a page shows."""


class DaemonCollector(Collector):
    """Reads the daemon's parts when it is asked."""

    def __init__(self, registry: Registry, watch: WriteWatch, audit: AuditLog, counts: DaemonCounts) -> None:
        self._registry = registry
        self._watch = watch
        self._audit = audit
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """The families."""
        counts = self._counts
        info = GaugeMetricFamily(
            "rblntop_daemon_build_info", "1. What the daemon is, in labels.", labels=("version", "python")
        )
        info.add_metric((__version__, platform.python_version()), 1)
        yield info
        alive = sum(not engine.gone for engine in self._registry.every())
        for name, text, value in (
            ("engines", "Living engines.", alive),
            ("engines_left_out", "Engines beyond the number that is exposed.", counts.engines_left_out),
            ("subscribers", "Streaming calls that are being served.", len(self._watch.subscribers)),
        ):
            yield GaugeMetricFamily(f"rblntop_daemon_{name}", text, value)
        for name, text, value in (
            ("write_deadlines", "Subscribers dropped because they took nothing.", self._watch.dropped),
            ("audit_errors", "Times that the audit log could not be written or read.", self._audit.errors),
            ("scrapes", "Scrapes that were answered.", counts.scrapes),
            ("scrapes_dropped", "Scrapes beyond the bounds of connections and time.", counts.scrapes_dropped),
        ):
            yield CounterMetricFamily(f"rblntop_daemon_{name}", text, value)
        lag = counts.tick_lag
        bounds = (*(floatToGoString(bound / NS) for bound in lag.bounds), "+Inf")
        yield HistogramMetricFamily(
            "rblntop_daemon_tick_lag_seconds",
            "How late the event loop came back to the rings.",
            buckets=list(zip(bounds, accumulate(lag.counts), strict=True)),
            sum_value=lag.sum / NS,
        )
