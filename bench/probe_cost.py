"""What the probe costs the engine's thread in a step: 256 running, pp 4, decode batches of 64.

The stopwatch runs around schedule() and update_from_output() as the engine calls them, minus the time inside
the scheduler's own methods, so it counts everything of ours, and the stopwatches too. The baseline is what
vLLM itself spends on statistics in each of the same steps: make_stats() and its Prometheus logger, with the
iteration statistics of 64 decoded requests.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import report
from bench.engine_in_process import add_requests, make_engine, prepare

REQUESTS, STEPS = 256, 3000
now = time.perf_counter_ns


class Stopwatch:
    """Time in the probed step methods that is not the scheduler's own."""

    def __init__(self, scheduler: Any) -> None:
        self.spent: list[int] = []
        self._inner = self._outer = 0
        probed = type(scheduler)
        for method, cell in (("schedule", "base_schedule"), ("update_from_output", "base_update")):
            function = getattr(probed, method)
            free = dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))[cell]
            free.cell_contents = self._timed_inside(free.cell_contents)
            setattr(scheduler, method, self._timed_outside(getattr(scheduler, method)))

    def _timed_inside(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = now()
            result = function(*args, **kwargs)
            self._inner += now() - start
            return result

        return timed

    def _timed_outside(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = now()
            result = function(*args, **kwargs)
            self._outer += now() - start
            return result

        return timed

    def lap(self) -> None:
        """A step ended."""
        self.spent.append(self._outer - self._inner)
        self._inner = self._outer = 0


def vllm_stats(core: Any) -> Callable[[], None]:
    """One step's worth of vLLM's own statistics."""
    from vllm.v1.metrics.loggers import PrometheusStatLogger
    from vllm.v1.metrics.stats import IterationStats

    logger = PrometheusStatLogger(core.vllm_config, [0])

    def record() -> None:
        iteration = IterationStats()
        iteration.num_generation_tokens = 64
        iteration.inter_token_latencies_iter = [0.01] * 64
        logger.record(core.scheduler.make_stats(), iteration, engine_idx=0)

    return record


def measure(
    core: Any, watch: Stopwatch, record: Callable[[], None], steps: int
) -> tuple[list[int], list[int]]:
    """(probe, vLLM's statistics) in ns, of ``steps`` steps in turn."""
    watch.spent.clear()
    stats = []
    for _ in range(steps):
        core.step_fn()
        watch.lap()
        start = now()
        record()
        stats.append(now() - start)
    return watch.spent, stats


def show(name: str, spent: list[int], stats: list[int], promise: str) -> None:
    for figure, of in (("median", report.median), ("mean", lambda values: sum(values) / len(values))):
        ours, theirs = of(spent) / 1000, of(stats) / 1000
        report.row(
            f"{name}, {figure}",
            f"{ours:.1f} us",
            f"{theirs:.1f} us vLLM's own statistics",
            ours / theirs,
            promise if figure == "median" else "",
        )


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        # A stage of 10 ms: 100 steps a second in virtual time, which is what the sampler goes by.
        prepare(Path(directory), stage_us=10_000)
        core = make_engine(probed=True, virtual_time=True)
        add_requests(core, REQUESTS, output_tokens=1800)
        while len(core.scheduler.running) < REQUESTS:
            core.step_fn()
        for _ in range(500):
            core.step_fn()
        watch, record = Stopwatch(core.scheduler), vllm_stats(core)
        report.heading("Cost of the probe per step (256 running, pp 4)")
        show("no limit set", *measure(core, watch, record), "<= 5 us, <= 0.1")
        core.scheduler._rblntop.set_limits(group_caps=dict.fromkeys(range(4), 64))
        show("group caps set", *measure(core, watch, record), "<= 20 us")
        core.shutdown()


if __name__ == "__main__":
    main()
