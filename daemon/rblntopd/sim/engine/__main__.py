"""A sim engine as a process: ``python -m rblntopd.sim.engine --scenario NAME``.

Runs in real time until SIGTERM or SIGINT, with the probe on: the daemon finds it, shows it and changes its
limits like those of any engine.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from rblntopd.probe import clock as probe_clock
from rblntopd.sim.engine.paced_clock import PacedClock
from rblntopd.sim.engine.scenarios import SCENARIOS
from rblntopd.sim.engine.sim_engine import SimEngine
from rblntopd.sim.pipeline import ENVIRONMENT_VARIABLE, StageTimes

END = (signal.SIGTERM, signal.SIGINT)
LONGEST_SLEEP_S = 3600.0


class EndError(Exception):
    """Somebody asked the process to end."""


def sleep_unless_ended(seconds: float) -> None:
    """Sleep by waiting for a signal, so that one ends the process at once, and never in the middle of a step.

    Raises:
        EndError: SIGTERM or SIGINT came, now or before.
    """
    end_s = time.monotonic() + seconds
    while True:
        left_s = end_s - time.monotonic()
        found = signal.sigtimedwait(END, min(max(0.0, left_s), LONGEST_SLEEP_S))
        # Stopped and continued past its time, Python's function returns without any signal, and not None.
        if found is not None and found.si_signo in END:
            raise EndError
        if left_s <= 0:
            return


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to end; the exit code."""
    names = "\n".join(f"  {one.name:<15} {one.summary}" for one in SCENARIOS.values())
    parser = argparse.ArgumentParser(
        prog="python -m rblntopd.sim.engine",
        description=f"A simulated engine, in real time, until SIGTERM or SIGINT.\n\nscenarios:\n{names}",
        epilog=f"Step times of the device: ${ENVIRONMENT_VARIABLE}, see docs/simulation.md.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scenario", choices=SCENARIOS, default="balanced", metavar="NAME")
    parser.add_argument("--seed", type=int, default=0, help="of the requests that come (default: 0)")
    given = parser.parse_args(arguments)
    try:
        times = StageTimes.from_environment()
    except ValueError as error:
        parser.error(str(error))
    # Before any thread starts: they inherit it.
    signal.pthread_sigmask(signal.SIG_BLOCK, END)
    clock = PacedClock(sleep_unless_ended)
    # Steps are recorded with the times of the model.
    probe_clock.monotonic_ns = clock.now_ns
    engine = SimEngine(SCENARIOS[given.scenario], clock, seed=given.seed, times=times)
    if engine.probe is None:
        print("the probe is off: nobody could see this engine", file=sys.stderr)
        return 1
    try:
        while True:
            engine.turn()
    except EndError:
        engine.shutdown()
        return 0


if __name__ == "__main__":
    sys.exit(main())
