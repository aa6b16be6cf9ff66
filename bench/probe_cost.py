"""What the probe costs the engine's thread in a step: 256 running, pp 4, decode batches of 64.

Two engines take turns, step by step: one with the probe, one bare. On both, a stopwatch runs around
schedule() and update_from_output() as the engine calls them, and stops inside the scheduler's own methods;
what the bare one shows is the stopwatch itself, and is taken off. The baseline is what vLLM spends on
statistics in each of the same steps: make_stats() and its Prometheus logger, with the iteration statistics of
64 decoded requests.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench import report
from bench.engine_in_process import add_requests, make_engine, prepare
from rblntopd.probe.control_format import Op, Request

REQUESTS, STEPS = 256, 3000
now = time.perf_counter_ns


class Spent(NamedTuple):
    """Times in ns, one a step."""

    bare: list[int]
    probed: list[int]
    stats: list[int]


class Stopwatch:
    """Time in the step methods of a scheduler that is not the scheduler's own."""

    def __init__(self, scheduler: Any) -> None:
        self.spent: list[int] = []
        self._inner = self._outer = 0
        for method, cell in (("schedule", "base_schedule"), ("update_from_output", "base_update")):
            function = getattr(scheduler, method)
            if getattr(scheduler, "_rblntop", None) is None:
                function = self._timed_inside(function)
            else:
                code, closure = function.__func__.__code__, function.__func__.__closure__
                free = dict(zip(code.co_freevars, closure, strict=True))[cell]
                free.cell_contents = self._timed_inside(free.cell_contents)
            setattr(scheduler, method, self._timed_outside(function))

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
    cores: tuple[Any, Any], watches: tuple[Stopwatch, Stopwatch], record: Callable[[], None]
) -> Spent:
    """Steps of the bare and the probed engine in turn, and vLLM's statistics after each pair."""
    stats: list[int] = []
    for watch in watches:
        watch.spent.clear()
    for number in range(STEPS):
        for which in (0, 1) if number % 2 else (1, 0):
            cores[which].step_fn()
            watches[which].lap()
        start = now()
        record()
        stats.append(now() - start)
    return Spent(watches[0].spent, watches[1].spent, stats)


def show(name: str, spent: Spent, promise: str) -> None:
    for figure, of in (("median", report.median), ("mean", statistics.fmean)):
        ours = (of(spent.probed) - of(spent.bare)) / 1000
        theirs = of(spent.stats) / 1000
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
        cores = make_engine(probed=False, virtual_time=True), make_engine(probed=True, virtual_time=True)
        for core in cores:
            add_requests(core, REQUESTS, output_tokens=1800)
            while len(core.scheduler.running) < REQUESTS:
                core.step_fn()
            for _ in range(500):
                core.step_fn()
        watches = Stopwatch(cores[0].scheduler), Stopwatch(cores[1].scheduler)
        record = vllm_stats(cores[1])
        report.heading("Cost of the probe per step (256 running, pp 4)")
        show("no limit set", measure(cores, watches, record), "<= 5 us, <= 0.1")
        cores[1].scheduler._rblntop.ask_directly(Request(Op.SET_LIMITS, 1, group_caps=(64,) * 4))
        show("group caps set", measure(cores, watches, record), "<= 20 us")
        for core in cores:
            core.shutdown()


if __name__ == "__main__":
    main()
