"""Steps from a ring, with the engine alive and dead, against what a daemon says of the same engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def rblnctl(runtime: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "rblntop.cli.ctl", *arguments],
        env={**os.environ, "RBLNTOP_ADDRESS": f"unix:{runtime}/rblntopd.sock"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_ring_says_what_a_daemon_says_of_it(engine, daemon, runtime):
    engine.steps(count=20)
    engine.steps(count=1, kind=0, group=-1, run_length=7, padded=0, requests=0, tokens=0)
    by_daemon = rblnctl(runtime, "steps", "--no-follow", "--json")
    assert rblnctl(runtime, "steps", "--ring", str(engine.path), "--json") == by_daemon
    assert len(by_daemon.splitlines()) == 21


def test_a_dead_engine_s_ring_needs_no_daemon(engine, runtime):
    engine.steps(count=20)
    engine.kill()
    assert len(rblnctl(runtime, "steps", "--ring", str(engine.path)).splitlines()) == 21
    table = rblnctl(runtime, "export", "--format", "csv", "-o", "-", "--ring", str(engine.path))
    assert len(table.splitlines()) == 21


def test_a_live_engine_is_exported_for_some_time(engine, daemon, runtime, tmp_path):
    engine.spin(per_second=200)
    out = tmp_path / "trace.json"
    rblnctl(runtime, "export", "--format", "perfetto", "-o", str(out), "--for", "1s")
    slices = [event for event in json.loads(out.read_text())["traceEvents"] if event["ph"] == "X"]
    numbers = [event["args"]["sequence"] for event in slices]
    assert len(numbers) > 10
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
