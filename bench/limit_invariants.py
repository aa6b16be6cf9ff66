"""At least 200,000 steps of the real schedulers under random changes, every step judged (docs/limits.md).

A broken promise ends it with the seed. The bound of each wait is asserted on the way; what is printed is what
was met.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path

from bench import report
from bench.engine_in_process import prepare

STEPS = 200_000
STEPS_A_RUN = 4000


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        prepare(Path(directory) / "run")
        from engine_harness.engine_in_process import EngineInProcess
        from engine_harness.limit_operator import LimitOperator
        from engine_harness.random_changes import run_at_random

        from rblntopd.probe import plugin
        from rblntopd.sim import tiny_model

        plugin.register()
        model = tiny_model.build(Path(directory) / "model", weights=False, layers=8)
        report.heading(f"{STEPS:,} steps under random changes of limits, every step judged")
        met: Counter[str] = Counter()
        seed = 0
        while sum(count for name, count in met.items() if name.endswith("steps")) < STEPS:
            seed += 1
            chance = random.Random(seed)
            rbln, pp = chance.random() < 0.6, chance.choice((1, 2, 3, 4, 5, 6, 7, 8))
            engine = EngineInProcess(
                model,
                pp=pp,
                max_num_seqs=pp * chance.randint(1, 6) + chance.randint(0, pp - 1),
                blocks=chance.choice((70, 150, 1000)),
                rbln=rbln,
                scheduling_policy=chance.choice(("fcfs", "fcfs", "priority")),
            )
            operator = LimitOperator(engine, rbln=rbln)
            try:
                run_at_random(operator, seed, STEPS_A_RUN)
            except AssertionError as error:
                raise SystemExit(f"seed {seed}, pp {pp}, {'rbln' if rbln else 'plain'}: {error!r}") from error
            judge, name = operator.judge, "RBLNScheduler" if rbln else "vLLM's Scheduler"
            met[f"{name}, steps"] += judge.steps
            met[f"{name}, under group caps"] += judge.capped_steps
            met[f"{name}, held"] += judge.held_steps
            met[f"{name}, draining"] += judge.drained_steps
            met[f"{name}, preemptions"] += sum(engine.observer.preemptions.values())
            met[f"{name}, requests accepted or refused"] += sum(operator.answers.values())
            met[f"{name}, longest wait (decode turns)"] = max(
                met[f"{name}, longest wait (decode turns)"], judge.longest_wait
            )
            engine.shutdown()
        for name, count in sorted(met.items()):
            report.row(name, f"{count:,}")
        report.row("broken promises", "0", promise="0")


if __name__ == "__main__":
    main()
