"""A thousand changes of a limit a minute, between values above what runs: throughput and memory stay.

One engine on the simulated NPU in real time takes turns, with and without another process that changes
``max_num_seqs`` through the control socket; each pair of turns gives a ratio.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import report
from bench.engine_in_process import add_requests, make_engine, prepare
from bench.engine_throughput import steps_per_second

PAIRS, TURN_S = 20, 30.0
CHANGES_A_MINUTE = 1000
MAX_NUM_SEQS, REQUESTS = 128, 64


def change_limits(socket_path: str, seconds: float) -> None:
    """Change the limit to and fro for so long; print how many changes were accepted."""
    import socket

    from rblntopd.probe import control_format as wire

    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(socket_path)
    start, accepted = time.monotonic(), 0
    while (now := time.monotonic()) < start + seconds:
        value = REQUESTS + 4 + 4 * (accepted % 15)
        request = wire.Request(wire.Op.SET_LIMITS, accepted, max_num_seqs=value, caller="bench")
        connection.send(wire.pack_request(request))
        answer = wire.unpack_answer(connection.recv(4096))
        assert answer.status == wire.Status.OK, answer
        accepted += 1
        time.sleep(max(0.0, start + accepted * 60 / CHANGES_A_MINUTE - now))
    print(accepted)


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    if len(sys.argv) > 2:
        change_limits(sys.argv[1], float(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        prepare(Path(directory), stage_us=10_000)
        core = make_engine(probed=True, max_num_seqs=MAX_NUM_SEQS, virtual_time=False)
        (path,) = Path(directory).glob("**/*.sock")
        ratios, baselines, changes = [], [], 0
        grown = {True: 0.0, False: 0.0}
        for pair in range(PAIRS):
            turns = {}
            # Requests that outlast both turns: the engine must never run dry.
            core.abort_requests(list(core.scheduler.requests))
            add_requests(core, REQUESTS, output_tokens=1800, start=pair * REQUESTS)
            while len(core.scheduler.running) < REQUESTS:
                core.step_fn()
            for changing in (True, False) if pair % 2 else (False, True):
                changer = None
                if changing:
                    command = [sys.executable, "-m", "bench.limit_churn", str(path), str(TURN_S)]
                    changer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                before = resident_mb()
                turns[changing] = steps_per_second(core, TURN_S)
                grown[changing] += resident_mb() - before
                assert len(core.scheduler.running) == REQUESTS
                if changer is not None:
                    # A last question may still wait for an answer from the probe's own thread.
                    changes += int(changer.communicate()[0])
            ratios.append(turns[True] / turns[False])
            baselines.append(turns[False])
        low, high = report.interval_of_mean(ratios)
        report.heading(f"{changes:,} changes in {PAIRS * TURN_S / 60:g} minutes, {PAIRS} interleaved pairs")
        report.row(
            "engine throughput",
            f"{low:.4f} .. {high:.4f}",
            f"{report.median(baselines):.0f} steps/s without, median",
            sum(ratios) / len(ratios),
            ">= 0.99 (95 % interval)",
        )
        print(
            f"  memory grew by {grown[True]:.1f} MB in the turns with changes, "
            f"by {grown[False]:.1f} MB in those without, to {resident_mb():.0f} MB"
        )
        core.shutdown()


if __name__ == "__main__":
    main()
