"""A process that a daemon cannot tell from an engine: a real ring, a socket, and the probe's own answers.

It does what it is told, a line of JSON at a time, and answers each line when it is done.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from stand_in_scheduler import PauseState, StandInScheduler

from rblntopd.probe import control_format as wire
from rblntopd.probe.limits_block import limits_block
from rblntopd.probe.ring_format import REQUEST, InFlight, Kind, Live, ProbeState, Sample
from rblntopd.probe.ring_writer import RingWriter

GROUPS = 2
START = 8
LATENCY_NS = 20_000_000
TICK_S = 0.005
LOOK_TICKS = 20


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
            "controls": {"max_num_seqs": available, "group_cap": available, "admission": available},
            "notice": "",
        } | settings  # fmt: skip
        self.path = directory / f"{instance}.ring"
        self.socket_path = directory / f"{instance}.sock"
        self.ring = self.make_ring(capacity)
        self.step = 0
        self.lock = threading.RLock()
        self.requests: tuple[int, list[bytes]] = (0, [])
        self.asked = 0
        self.held: set[int] = set()
        self.holding = self.drop = False
        self.let_go = threading.Event()
        self.scheduler = StandInScheduler(
            self.description, GROUPS, self.description["decode_buckets"][-1],
            "an odd scheduler" if self.answers == "refuses" else "",
        )  # fmt: skip
        self.changes = self.scheduler.changes(lambda entry: self.ring.write_journal(entry), self.detached)
        self.show_limits()
        self.ring.set_live(Live.STATE, ProbeState.LIVE)
        threading.Thread(target=self.tick, daemon=True).start()
        if self.answers != "nothing listens":
            threading.Thread(target=self.serve, args=(self.listen(),), daemon=True).start()

    def make_ring(self, capacity: int) -> RingWriter:
        return RingWriter.create(
            self.path, self.description, boot_id="0" * 32, start_ticks=1, in_flight_slots=4, capacity=capacity
        )

    # --- what a test tells it -------------------------------------------------------------------------------

    def steps(self, count: int, **fields: Any) -> dict[str, Any]:
        """Publish ``count`` decode steps, alternating between the groups."""
        for _ in range(count):
            with self.lock:
                self.one_step(fields)
        return {"head": self.ring.head}

    def one_step(self, fields: dict[str, Any]) -> None:
        limits = self.scheduler.limits
        self.step += 1
        if limits.generation and not limits.in_force_step:
            limits.begin_step(self.step)
        now_ns = time.monotonic_ns()
        group = self.step % GROUPS
        record = {
            "step": self.step, "scheduled_ns": now_ns - LATENCY_NS, "completed_ns": now_ns,
            "schedule_ns": 100_000, "generation": limits.generation, "tokens": 3, "waiting": 0,
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

    def run_with(self, running: int, unfinished: int | None = None) -> dict[str, Any]:
        """Have so many running requests, and settle the limits if they fit."""
        with self.lock:
            members = self.scheduler.run_with(running)
            limits = self.scheduler.limits
            limits.drain_excess(running, members)
            self.ring.set_live(Live.RUNNING, running)
            self.ring.set_live(Live.UNFINISHED, running if unfinished is None else unfinished)
            self.sample()
            if limits.in_force_step and not limits.settled_step:
                limits.end_step(self.step, running)
            self.show_limits()
        return {}

    def sample(self) -> None:
        running = self.scheduler.running
        members, _ = self.scheduler.rows.running_per_group(request.request_id for request in running)
        self.ring.write_sample(
            Sample(
                time.monotonic_ns(), self.step, len(running), 0, 0, 0, 0, 0, 99, 0.25, 0, 16, 0,
                tuple(members),
            )
        )  # fmt: skip

    def has_requests(self, total: int, rows: list[list[Any]]) -> dict[str, Any]:
        """Show these requests to whoever asks: the fields of ``ring_format.RequestRow``."""
        self.requests = (total, [REQUEST.pack(row[0].encode(), *row[1:]) for row in rows])
        return {}

    def times_asked(self) -> dict[str, Any]:
        """How often somebody asked for the requests."""
        return {"asked": self.asked}

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

    def spin(self, per_second: float, **fields: Any) -> dict[str, Any]:
        """Publish steps from now on until the process ends."""

        def run() -> None:
            while True:
                self.steps(1, **fields)
                time.sleep(1 / per_second)

        threading.Thread(target=run, daemon=True).start()
        return {}

    def remake(self) -> dict[str, Any]:
        """Somebody removed the ring: make it again under its name, with the sequence numbers going on."""
        self.path.unlink()
        with self.lock:
            old = self.ring
            self.ring = self.make_ring(4096)
            self.ring.continue_from(old.head)
            self.ring.take_journal(old)
            old.close()
            self.ring.set_live(Live.STATE, ProbeState.LIVE)
            self.show_limits()
        return {"head": self.ring.head}

    def close(self) -> dict[str, Any]:
        with self.lock:
            self.ring.close()
        return {}

    def pause(self) -> dict[str, Any]:
        """Somebody else pauses the scheduler."""
        with self.lock:
            wanted = self.changes.admission.set_by_others(PauseState.PAUSED_NEW)
            self.scheduler.set_pause_state(wanted)
            self.show_limits()
        return {}

    def hold(self, ops: list[int]) -> dict[str, Any]:
        """Take questions of these kinds, and do nothing about them for now."""
        self.let_go.clear()
        self.held = set(ops)
        return {}

    def holds(self) -> dict[str, Any]:
        """Whether a question is held now."""
        return {"holds": self.holding}

    def release(self, carry_out: bool) -> dict[str, Any]:
        """Go on, with what was held or without it."""
        self.held = set()
        self.drop = not carry_out
        self.let_go.set()
        return {}

    def do(self, **request: Any) -> dict[str, Any]:
        """What somebody asks the probe directly."""
        with self.lock:
            answer = self.handle(wire.Request(request_id=1, **request))
        return {"status": int(answer.status), "text": answer.text}

    def state(self) -> dict[str, Any]:
        """The limits as the engine itself has them."""
        targets, trial = self.scheduler.limits.targets, self.changes.trial
        return {
            "generation": self.scheduler.limits.generation,
            "max_num_seqs": targets.max_num_seqs,
            "caps": list(targets.caps),
            "trial": trial.change_id if trial else "",
            "closed": self.changes.admission.closed,
        }

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
            if request.op in self.held and not request.flags & wire.Flag.VALIDATE_ONLY:
                self.holding = True
                self.let_go.wait()
                self.holding = False
                if self.drop:
                    connection.close()
                    continue
            with self.lock:
                answer = self.handle(request)
            with contextlib.suppress(OSError):  # Whoever asked may have died.
                connection.send(wire.pack_answer(answer))
            connection.close()

    def handle(self, request: wire.Request) -> wire.Answer:
        if request.op == wire.Op.LIST_REQUESTS and self.answers != "old probe":
            self.asked += 1
            self.ring.write_requests(time.monotonic_ns(), time.time_ns(), self.step, *self.requests)
            return wire.Answer(wire.Status.OK, request.request_id, 0, self.step, "")
        answer = self.changes.handle(request, self.step)
        self.show_limits()
        return answer

    def tick(self) -> None:
        """What the probe's own thread does."""
        seen = 0
        for number in itertools.count():
            time.sleep(TICK_S)
            with self.lock:
                if self.ring._map.closed:
                    return
                if self.changes.timed and self.changes.tick(self.step):
                    self.show_limits()
                if number % LOOK_TICKS == 0:
                    if seen == self.step:
                        self.sample()
                    seen = self.step

    def detached(self) -> None:
        self.ring.set_live(Live.STATE, ProbeState.DETACHED)

    def show_limits(self) -> None:
        self.ring.write_limits(limits_block(self.changes))


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
