"""Runs the measurements one after the other, each in the environment it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PATHS = (REPOSITORY, REPOSITORY / "daemon", REPOSITORY / "tests" / "engine")
#: Name of the file: whether it runs in the engine's environment.
BENCHES = {
    "probe_cost": True,
    "engine_throughput": True,
    "limit_invariants": True,
    "limit_churn": True,
    "limit_latency": False,
    "daemon_cost": False,
    "start_times": False,
    "service_times": False,
    "sim_speed": False,
    "recording": False,
    "metrics_scrape": False,
}


def main(wanted: list[str]) -> int:
    if unknown := [name for name in wanted if name not in BENCHES]:
        print(f"unknown: {', '.join(unknown)}. There are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    engine_python = os.environ.get("RBLNTOP_ENGINE_PYTHON")
    failed = 0
    for name in wanted or BENCHES:
        in_engine = BENCHES[name]
        if in_engine and not engine_python:
            print(f"\n{name}: skipped, $RBLNTOP_ENGINE_PYTHON is not set", file=sys.stderr)
            failed += 1
            continue
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, PATHS)))
        environment["RBLNTOP_PYTHON"] = sys.executable
        python = str(engine_python) if in_engine else sys.executable
        done = subprocess.run([python, "-m", f"bench.{name}"], cwd=REPOSITORY, env=environment)
        failed += done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
