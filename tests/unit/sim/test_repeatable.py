"""The same scenario makes the same steps, on whatever clock and host."""

from __future__ import annotations

from typing import Any

import pytest

from rblntopd.sim.engine.paced_clock import PacedClock
from rblntopd.sim.engine.scenarios import SCENARIOS
from rblntopd.sim.engine.sim_engine import SimEngine
from rblntopd.sim.sim_clock import SimClock, VirtualClock


def steps(name: str, clock: SimClock, seed: int = 0) -> list[Any]:
    """The first batches of a scenario: virtual time since its begin, and tokens by request."""
    engine = SimEngine(SCENARIOS[name], clock, seed=seed, with_probe=False)
    started_ns, seen, schedule = clock.now_ns(), [], engine.scheduler.schedule

    def observed() -> Any:
        output = schedule()
        seen.append((clock.now_ns() - started_ns, output.num_scheduled_tokens))
        return output

    engine.scheduler.schedule = observed
    while len(seen) < 3000:
        engine.turn()
    return seen


@pytest.mark.parametrize("name", ["balanced", "collapse", "kv-pressure", "v0"])
def test_a_paced_run_equals_one_in_virtual_time(name):
    # A host that wakes us at once: whatever is waited for lies in the future, and is reached exactly.
    assert steps(name, PacedClock(lambda seconds: None)) == steps(name, VirtualClock())


def test_another_seed_makes_another_run():
    assert steps("balanced", VirtualClock(), seed=1) != steps("balanced", VirtualClock(), seed=2)
