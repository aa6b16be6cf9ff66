"""A process that a daemon cannot tell from an engine: a real ring and a control socket.

It does what it is told, a line of JSON at a time, and answers each line when it is done.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rblntopd.probe import control_format as wire
from rblntopd.probe.ring_format import MAX_GROUPS, InFlight, Kind, Limits, Live, ProbeState, Sample
from rblntopd.probe.ring_writer import RingWriter

GROUPS = 2
START = 8
LATENCY_NS = 20_000_000


class StandInEngine:
    def __init__(self, runtime: Path, settings: dict[str, Any]) -> None:
        directory = runtime / "engines"
        directory.mkdir(parents=True, exist_ok=True)
        self.answers = settings.pop("answers", "yes")
        capacity = settings.pop("capacity", 4096)
        instance = settings.get("instance_id") or f"stand-in-{os.getpid()}"
        available = {"available": True, "reason": ""}
        self.description = {
            "name": "tiny/0", "instance_id": instance, "pid": os.getpid(), "model": "tiny",
            "vllm_version": "0.30.0", "scheduler_class": "StandIn", "pp_size": GROUPS, "tp_size": 1,
            "dp_size": 1,
            "batch_queue_depth": GROUPS, "group_count": GROUPS, "max_num_seqs": START,
            "max_num_batched_tokens": 256, "max_model_len": 512, "block_size": 16, "num_blocks": 64,
            "decode_buckets": [4], "control_socket": f"{instance}.sock",
            "controls": {"max_num_seqs": available, "group_cap": available}, "notice": "",
        } | settings  # fmt: skip
        self.path = directory / f"{instance}.ring"
        self.socket_path = directory / f"{instance}.sock"
        self.ring = RingWriter.create(
            self.path, self.description, boot_id="0" * 32, start_ticks=1, in_flight_slots=4, capacity=capacity
        )
        self.step = 0
        self.running = 0
        self.state = SimpleNamespace(
            generation=0, target=START, caps=[0] * GROUPS, accepted=0, force=0, settled=0
        )
        self.show_limits()
        self.ring.set_live(Live.STATE, ProbeState.LIVE)
        if self.answers != "nothing listens":
            threading.Thread(target=self.serve, args=(self.listen(),), daemon=True).start()

    # --- what a test tells it -------------------------------------------------------------------------------

    def steps(self, count: int, **fields: Any) -> dict[str, Any]:
        """Publish ``count`` decode steps, alternating between the groups."""
        for _ in range(count):
            self.step += 1
            if self.state.generation and not self.state.force:
                self.state.force = self.step
            now_ns = time.monotonic_ns()
            group = self.step % GROUPS
            record = {
                "step": self.step, "scheduled_ns": now_ns - LATENCY_NS, "completed_ns": now_ns,
                "schedule_ns": 100_000, "generation": self.state.generation, "tokens": 3, "waiting": 0,
                "max_seq_len": 100 + self.step, "queue_wait_us": 0, "requests": 3, "prefill_requests": 0,
                "padded": 4,
                "running": 6, "held": 0, "ready": 3, "preempted": 0, "finished": 0, "unfinished": 6,
                "new_requests": 0, "run_length": 1, "kv_usage": 0.25, "kind": Kind.DECODE, "group": group,
                "row": group, "admission_stop": 0, "in_flight": 2,
            } | fields  # fmt: skip
            self.ring.publish(tuple(record.values()))
            self.ring.set_live(Live.STEP, self.step)
            self.ring.set_live(Live.SCHEDULE_NS, now_ns)
            self.ring.set_live(Live.COMPLETE_NS, now_ns)
            self.run_with(record["running"], record["unfinished"])
        return {"head": self.ring.head}

    def run_with(self, running: int, unfinished: int | None = None) -> dict[str, Any]:
        """Have so many running requests, and settle the limits if they fit."""
        self.running = running
        self.ring.set_live(Live.RUNNING, running)
        self.ring.set_live(Live.UNFINISHED, running if unfinished is None else unfinished)
        half = running // GROUPS
        self.ring.write_sample(
            Sample(
                time.monotonic_ns(), self.step, running, 0, 0, 0, 0, 0, 99, 0.25, 0, 16, 0,
                (running - half, half),
            )
        )  # fmt: skip
        if self.state.force and not self.state.settled and running <= self.state.target:
            self.state.settled = self.step
        self.show_limits()
        return {}

    def in_flight(self, batches: list[list[int]]) -> dict[str, Any]:
        self.ring.write_in_flight([InFlight(*batch) for batch in batches])
        return {}

    def fault(self, text: str) -> dict[str, Any]:
        self.ring.set_fault(text)
        return {}

    def overwrite(self, offset: int, text: str) -> dict[str, Any]:
        """Damage the ring."""
        # Through the mapping: closing another descriptor of the file would drop our lock on it.
        data = bytes.fromhex(text)
        self.ring._map[offset : offset + len(data)] = data
        return {}

    def spin(self, per_second: float) -> dict[str, Any]:
        """Publish steps from now on until the process ends."""

        def run() -> None:
            while True:
                self.steps(1)
                time.sleep(1 / per_second)

        threading.Thread(target=run, daemon=True).start()
        return {}

    def remake(self) -> dict[str, Any]:
        """Somebody removed the ring: make it again under its name, with the sequence numbers going on."""
        self.path.unlink()
        old = self.ring
        self.ring = RingWriter.create(
            self.path, self.description, boot_id="0" * 32, start_ticks=1, in_flight_slots=4
        )
        self.ring.continue_from(old.head)
        old.close()
        self.ring.set_live(Live.STATE, ProbeState.LIVE)
        self.show_limits()
        return {"head": self.ring.head}

    def close(self) -> dict[str, Any]:
        self.ring.close()
        return {}

    # --- what the daemon asks -------------------------------------------------------------------------------

    def listen(self) -> socket.socket:
        # A bind relative to the directory: test directories can be longer than a socket path.
        directory = os.open(self.socket_path.parent, os.O_PATH)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(f"/proc/self/fd/{directory}/{self.socket_path.name}")
        listener.listen()
        return listener

    def serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            request = wire.unpack_request(connection.recv(4096))
            if self.answers == "dies":
                os._exit(9)
            if self.answers == "silent":
                continue
            connection.send(wire.pack_answer(self.answer(request)))
            connection.close()

    def answer(self, request: wire.Request) -> wire.Answer:
        if self.answers == "refuses":
            return wire.Answer(wire.Status.UNAVAILABLE, request.request_id, 0, 0, "an odd scheduler")
        state = self.state
        state.target = request.max_num_seqs or state.target
        state.caps = [new or old for new, old in zip(request.group_caps, state.caps, strict=False)]
        state.generation += 1
        state.accepted, state.force, state.settled = self.step, 0, 0
        self.show_limits()
        warning = "odd number" if state.target % GROUPS else ""
        return wire.Answer(wire.Status.OK, request.request_id, state.generation, self.step, warning)

    def show_limits(self) -> None:
        state = self.state
        sums = sum(cap or 4 for cap in state.caps) if any(state.caps) else state.target
        admission = min(state.target, sums)
        pad = (0,) * (MAX_GROUPS - GROUPS)
        caps = (*state.caps, *pad)
        # 0: nobody set it.
        target = state.target if state.target != START else 0
        self.ring.write_limits(
            Limits(
                state.generation, 0, state.accepted, state.force, state.settled, START, target,
                max(admission, self.running), admission, GROUPS, 4, GROUPS, 0, 0, 0, 0, 0, 0, b"",
                caps, caps, (0,) * MAX_GROUPS,
                (0,) * MAX_GROUPS,
            )
        )  # fmt: skip


def main() -> None:
    engine = StandInEngine(Path(sys.argv[1]), json.loads(sys.argv[2]))
    print(
        json.dumps({"instance_id": engine.description["instance_id"], "path": str(engine.path)}), flush=True
    )
    for line in sys.stdin:
        command, arguments = json.loads(line)
        print(json.dumps(getattr(engine, command)(**arguments)), flush=True)


if __name__ == "__main__":
    main()
