"""What costs more than O(1), looked at ten times a second at most: groups, KV usage, the oldest wait."""

from __future__ import annotations

import itertools
import operator
import time
from typing import Any

from rblntopd.probe.description import EngineFacts
from rblntopd.probe.enforcement import Enforcement
from rblntopd.probe.recorder import U32, Recorder
from rblntopd.probe.ring_format import Live, Sample
from rblntopd.probe.waiting import second_queue

INTERVAL_NS = 100_000_000
REQUEST_ID = operator.attrgetter("request_id")
#: A priority queue is searched this far for its oldest request.
MAX_WAITING_SEEN = 256


class Sampler:
    """Writes the sample block, the table of batches in flight and the figures of the live block."""

    def __init__(
        self, scheduler: Any, facts: EngineFacts, recorder: Recorder, enforcement: Enforcement
    ) -> None:
        self._scheduler = scheduler
        self._facts = facts
        self._recorder = recorder
        self._enforcement = enforcement

    def sample(self, now_ns: int) -> None:
        """Look at the scheduler now. To be called under the lock that is held during ``schedule()``."""
        scheduler, recorder = self._scheduler, self._recorder
        # Copies made in one go: the control thread samples while the engine's thread may add a request.
        running = list(scheduler.running)
        groups, unassigned = recorder.rows.running_per_group(map(REQUEST_ID, running))
        waiting, skipped = scheduler.waiting, second_queue(scheduler)
        waiting_count = len(waiting) + len(skipped)
        usage = float(scheduler.kv_cache_manager.usage)
        recorder.kv_usage = usage
        blocks = self._facts.description["num_blocks"]
        preempted, remote_kv, oldest_ms = (
            self._look_at_waiting(waiting, skipped) if waiting_count else (0, 0, 0)
        )
        enforcement = self._enforcement
        held = enforcement.held
        ring = recorder.ring
        # Before the sample, which says as of when.
        ring.write_in_flight(recorder.batches_in_flight())
        ring.write_sample(
            Sample(
                now_ns, recorder.step, len(running), waiting_count, preempted, remote_kv, held, unassigned,
                recorder.max_seq_len, usage, oldest_ms, round(usage * max(0, blocks - 1)),
                enforcement.turns.longest_wait(running) if held else 0,
                tuple(groups),
            )
        )  # fmt: skip
        for word, value in (
            (Live.STEP, recorder.step),
            (Live.SCHEDULE_NS, recorder.scheduled_ns),
            (Live.COMPLETE_NS, recorder.completed_ns),
            (Live.LOST_BATCHES, recorder.lost_batches),
            (Live.RUNNING, len(running)),
            (Live.WAITING, waiting_count),
            (Live.UNFINISHED, len(running) + waiting_count),
        ):
            ring.set_live(word, value)
        recorder.forget_finished()
        enforcement.turns.forget(running)
        if recorder.prefilling:
            # Those that were aborted in the middle of it.
            recorder.prefilling.intersection_update(scheduler.requests)

    def _look_at_waiting(self, waiting: Any, skipped: Any) -> tuple[int, int, int]:
        """(preempted, loading remote KV, age of the oldest in ms) of the first waiting requests."""
        # A first-come-first-served queue is a deque in order; a priority queue sorts a copy when it is
        # iterated, so its heap is taken as it lies.
        heads = [
            *itertools.islice(getattr(skipped, "_heap", skipped), MAX_WAITING_SEEN),
            *itertools.islice(getattr(waiting, "_heap", waiting), MAX_WAITING_SEEN),
        ]
        preempted = remote_kv = 0
        oldest_s = now_s = time.time()
        for request in heads:
            oldest_s = min(oldest_s, request.arrival_time)
            name = request.status.name
            preempted += name == "PREEMPTED"
            remote_kv += name == "WAITING_FOR_REMOTE_KVS"
        # Another host's clock, or a front end that sends no arrival time, may be far off.
        return preempted, remote_kv, min(int((now_s - oldest_s) * 1000), U32)
