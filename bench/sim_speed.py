"""How fast the sim engine simulates: steps in a second of CPU time, with scheduler, loop, device and clients.

CPU time, because others may use the machine. The baseline of a figure with the probe is the same run without.
The last figure is the share of a core that the engine takes in real time, as a process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time

from bench import report
from rblntopd.probe import clock as probe_clock
from rblntopd.sim.engine.scenarios import SCENARIOS
from rblntopd.sim.engine.sim_engine import SimEngine
from rblntopd.sim.sim_clock import VirtualClock

SHOWN = ("balanced", "collapse", "prefill-storm", "kv-pressure", "v0")
RUNS, STEPS, REAL_S = 5, 6000, 8.0


def steps_per_second(engine: SimEngine) -> float:
    """Of ``STEPS`` more steps."""
    core = engine.core
    first, start = core.steps, time.process_time()
    while core.steps < first + STEPS:
        engine.turn()
    return STEPS / (time.process_time() - start)


def speed(name: str, clock: VirtualClock) -> None:
    """Engines with and without the probe in turn."""
    engines = [SimEngine(SCENARIOS[name], clock, with_probe=with_probe) for with_probe in (False, True)]
    for engine in engines:
        steps_per_second(engine)
    runs = [[steps_per_second(engine) for engine in engines] for _ in range(RUNS)]
    bare, probed = (report.median(list(of)) for of in zip(*runs, strict=True))
    report.row(name, f"{bare:,.0f} steps/s", promise=">= 20,000")
    report.row(
        f"{name}, probe on", f"{probed:,.0f} steps/s", f"{bare:,.0f} steps/s without", probed / bare, ""
    )
    engines[1].shutdown()


def share_of_a_core(name: str) -> float:
    """CPU time over wall time of the process, after its start."""
    process = subprocess.Popen([sys.executable, "-m", "rblntopd.sim.engine", "--scenario", name])

    def used_s() -> float:
        with open(f"/proc/{process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    time.sleep(2)
    before_s, start = used_s(), time.monotonic()
    time.sleep(REAL_S)
    share = (used_s() - before_s) / (time.monotonic() - start)
    process.send_signal(signal.SIGTERM)
    process.wait()
    return share


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        os.environ["RBLNTOP_RUNTIME_DIR"] = directory
        clock = VirtualClock()
        probe_clock.monotonic_ns = clock.now_ns
        report.heading(f"Speed of the sim engine (virtual time, pp 4, median of {RUNS} x {STEPS} steps)")
        for name in SHOWN:
            speed(name, clock)
        report.heading("The sim engine in real time, as a process")
        for name in ("balanced", "idle"):
            report.row(name, f"{100 * share_of_a_core(name):.1f} % of a core", promise="<= 10 %")


if __name__ == "__main__":
    main()
