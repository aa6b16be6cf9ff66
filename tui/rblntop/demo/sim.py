"""A demo with the sim engine: nothing needed but rblntop itself."""

from __future__ import annotations

import sys

from rblntop.demo.stage import say, stage


def run_sim(scenario: str, seed: int, seconds: float) -> int:
    """Show a scenario; the exit code.

    Raises:
        DemoError: the daemon or the engine did not start.
    """
    engine = [sys.executable, "-m", "rblntopd.sim.engine", "--scenario", scenario, "--seed", str(seed)]
    with stage() as made:
        made.start("engine", engine)
        say(f"{scenario}, simulated. From another terminal: rblnctl --connect {made.address} show")
        return made.show(seconds)
