"""Time to make the page that Prometheus scrapes, of 64 busy engines.

In this process, so that what is measured is the work and not the wait for a turn. Baseline: prometheus_client
writes the same number of samples, all of them gauges of one family.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bench import report
from bench.daemon_cost import write
from rblntopd.engines.registry import Registry
from rblntopd.events.event_log import EventLog
from rblntopd.exposition import exposition as exposition_module
from rblntopd.exposition.daemon_collector import DaemonCounts
from rblntopd.exposition.exposition import Exposition

ENGINES = 64
ROUNDS = 30
WARM_S = 3


class Gauges(Collector):
    def __init__(self, count: int) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("baseline", "Samples of the library.", labels=("engine", "model", "group"))
        for number in range(self._count):
            family.add_metric((f"bench/{number % ENGINES}", "bench", str(number // ENGINES)), number)
        yield family


async def measure(directory: Path) -> None:
    registry = Registry(directory)
    exposition = Exposition(registry, EventLog(), DaemonCounts())
    exposition_module.MIN_AGE_S = 0.0
    ours: list[float] = []
    library: list[float] = []
    page = b""
    for _ in range(ROUNDS):
        registry.scan()
        # The rings are read whether or not somebody scrapes.
        await registry.refresh()
        begin = time.process_time()
        page = await exposition.page()
        ours.append(time.process_time() - begin)
        samples = sum(not line.startswith(b"#") for line in page.splitlines())
        baseline = CollectorRegistry()
        baseline.register(Gauges(samples))
        begin = time.process_time()
        generate_latest(baseline)
        library.append(time.process_time() - begin)
    registry.close()
    page_ms, library_ms = (report.median(times[1:]) * 1000 for times in (ours, library))
    report.row(
        f"{ENGINES} engines, {samples} samples, {len(page) / 1e6:.1f} MB",
        f"{page_ms:.1f} ms of CPU",
        f"{library_ms:.0f} ms, as many by the library",
        page_ms / library_ms,
        "< 20 ms",
    )


def main() -> None:
    report.heading(f"A scrape (median of {ROUNDS})")
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        stop = context.Event()
        writer = context.Process(target=write, args=(directory, ENGINES, stop))
        writer.start()
        try:
            time.sleep(WARM_S)
            asyncio.run(measure(Path(directory)))
        finally:
            stop.set()
            writer.join(30)


if __name__ == "__main__":
    main()
