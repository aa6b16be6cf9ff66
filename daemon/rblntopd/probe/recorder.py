"""Turns what the scheduler did into step records. Runs on the engine's thread in every step.

The hot path is written for CPython: bound methods and plain ints instead of attribute chains and enums, sets
and dicts instead of loops over the batch. Whatever costs more than O(1) is in the sampler.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from rblntopd.probe import clock
from rblntopd.probe.description import EngineFacts
from rblntopd.probe.empty_cause import CAUSES, empty_cause
from rblntopd.probe.ring_format import NO_GROUP, AdmissionStop, InFlight, Kind, Live
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.rows import Rows

EMPTY, PREFILL, DECODE, MIXED, LOST = (int(kind) for kind in Kind)
STOP_NONE, STOP_MAX_NUM_SEQS, STOP_GROUP_CAPS, STOP_KV, STOP_TOKENS, STOP_CLOSED = (
    int(stop) for stop in AdmissionStop
)
_STEP, _SCHEDULE_NS, _COMPLETE_NS, _LOST = (
    int(word) for word in (Live.STEP, Live.SCHEDULE_NS, Live.COMPLETE_NS, Live.LOST_BATCHES)
)
U16, U32 = 0xFFFF, 0xFFFFFFFF
#: An empty run is published at the latest after this long, so that a spinning engine shows.
MAX_RUN_NS = 1_000_000_000


class Batch(NamedTuple):
    """A batch in flight: what is known of it when it is scheduled."""

    output: Any
    """Kept so that its id stays unique for as long as it is a key."""
    step: int
    scheduled_ns: int
    schedule_ns: int
    generation: int
    tokens: int
    waiting: int
    max_seq_len: int
    queue_wait_us: int
    requests: int
    prefills: int
    padded: int
    running: int
    ready: int
    preempted: int
    new_requests: int
    kind: int
    group: int
    row: int
    stop: int
    in_flight: int
    prefill_ids: tuple[str, ...]
    cause: int


class EmptyRun:
    """Consecutive completed empty steps that have not been published yet."""

    def __init__(self) -> None:
        self.length = 0
        self.first: Batch | None = None
        self.completed_ns = 0
        self.counts = [0] * len(CAUSES)
        self.slot_us = [0] * len(CAUSES)

    def add(self, batch: Batch, completed_ns: int) -> None:
        """Count one more empty step."""
        if self.first is None:
            self.first = batch
        self.length += 1
        self.completed_ns = completed_ns
        self.counts[batch.cause] += 1
        self.slot_us[batch.cause] += (completed_ns - batch.scheduled_ns) // 1000


class Recorder:
    """Records the steps of one scheduler into a ring."""

    def __init__(self, scheduler: Any, facts: EngineFacts, ring: RingWriter) -> None:
        self.ring = ring
        self.rows = Rows(facts.group_count)
        self.step = 0
        self.generation = 0
        self.kv_usage = 0.0
        self.last_max_seq_len = 0
        self.in_flight: dict[int, Batch] = {}
        self.prefilling: set[str] = set()
        """Requests whose prefill is not done after the chunks scheduled so far."""
        self.admission_stop_at_limit: int = STOP_MAX_NUM_SEQS
        self.limit_holds: Callable[[], bool] = bool
        """Whether a limit that was set through us holds requests back."""
        self.lost_batches = 0
        self._scheduler = scheduler
        self._facts = facts
        self._now: Callable[[], int] = clock.monotonic_ns
        self._decodes_in_flight = 0
        self._batches_in_flight = 0
        self._prefill_flights: dict[str, int] = {}
        self._run = EmptyRun()
        self._finished_before = 0
        self._arrived_ns = 0
        self._padded = _padded_sizes(facts.buckets)
        self._largest = facts.max_num_seqs // facts.pp_size
        self._has_connector = getattr(scheduler, "connector", None) is not None

    # --- schedule() -------------------------------------------------------------------------------------

    def scheduled(self, output: Any, started_ns: int, ended_ns: int) -> None:
        """Note the batch that ``schedule()`` made. Its record is published when its output is processed."""
        self.step = step = self.step + 1
        set_live = self.ring.set_live
        set_live(_STEP, step)
        set_live(_SCHEDULE_NS, started_ns)
        if len(self.in_flight) >= self._facts.queue_depth:
            self._lose_oldest()
        members = output.num_scheduled_tokens
        if not members:
            self._scheduled_empty(output, started_ns, ended_ns)
            return
        scheduler = self._scheduler
        requests = len(members)
        cached = output.scheduled_cached_reqs
        new = output.scheduled_new_reqs
        prefill_ids: tuple[str, ...] = ()
        if new or cached.resumed_req_ids or self.prefilling or self._has_connector:
            prefill_ids = self._prefills_of(members, new, cached.resumed_req_ids)
        prefills = len(prefill_ids)
        decodes = requests - prefills
        if not prefills:
            kind = DECODE
            row = group = self.rows.take(members)
            padded = self._padded[requests] if requests < len(self._padded) else 0
        elif requests == 1:
            kind, group, padded = PREFILL, NO_GROUP, 0
            row = self.rows.take_for_prefill(prefill_ids[0])
        else:
            kind, padded = MIXED if decodes else PREFILL, 0
            row = group = self.rows.take(members)

        running = len(scheduler.running)
        waiting = len(scheduler.waiting) + len(scheduler.skipped_waiting)
        preempted = len(output.preempted_req_ids) if output.preempted_req_ids else 0
        flights = self._prefill_flights
        if prefills:
            for request_id in prefill_ids:
                flights[request_id] = flights.get(request_id, 0) + 1
        if preempted:
            self.prefilling -= output.preempted_req_ids
        prefilling_now = len(flights)
        if self.prefilling:
            prefilling_now += len(self.prefilling.difference(flights))
        idle_decodes = running - decodes - self._decodes_in_flight - prefilling_now

        tokens = output.total_num_scheduled_tokens
        max_seq_len = 0
        if computed := cached.num_computed_tokens:
            # The list is from before this step (vllm Scheduler._make_cached_request_data).
            if tokens == requests:
                max_seq_len = max(computed) + 1
            else:
                max_seq_len = max(map(operator.add, computed, map(members.__getitem__, cached.req_ids)))
        queue_wait_us = 0
        if new:
            wall_s = time.time()
            for data in new:
                request_id = data.req_id
                max_seq_len = max(max_seq_len, data.num_computed_tokens + members[request_id])
                request = scheduler.requests.get(request_id)
                if request is not None:
                    queue_wait_us = max(queue_wait_us, int((wall_s - request.arrival_time) * 1e6))
        self.last_max_seq_len = max_seq_len

        stop = STOP_NONE
        if waiting:
            stop = self._admission_stop(scheduler, running, requests, prefills, preempted, tokens)
        self._decodes_in_flight += decodes
        self._batches_in_flight = in_flight = self._batches_in_flight + 1
        self.in_flight[id(output)] = Batch(
            output, step, started_ns, ended_ns - started_ns, self.generation, tokens, waiting, max_seq_len,
            queue_wait_us, requests, prefills, padded, running,
            decodes + idle_decodes if idle_decodes > 0 else decodes,
            preempted, len(new), kind, group, row, stop, in_flight, prefill_ids, 0,
        )  # fmt: skip

    def _scheduled_empty(self, output: Any, started_ns: int, ended_ns: int) -> None:
        scheduler = self._scheduler
        running = len(scheduler.running)
        waiting = len(scheduler.waiting) + len(scheduler.skipped_waiting)
        if output.preempted_req_ids:
            self.prefilling -= output.preempted_req_ids
        cause = empty_cause(
            scheduler,
            slots=self._facts.group_count,
            prefill_in_flight=bool(self._prefill_flights),
            limit_holds=self.limit_holds(),
        )
        self.in_flight[id(output)] = Batch(
            output, self.step, started_ns, ended_ns - started_ns, self.generation, 0, waiting, 0, 0, 0, 0, 0,
            running, 0, 0, 0, EMPTY, NO_GROUP, 0, STOP_NONE, self._batches_in_flight, (), cause,
        )  # fmt: skip

    def _prefills_of(self, members: dict[str, int], new: Any, resumed: Any) -> tuple[str, ...]:
        """Requests of this batch that were prefilling before it: more than one token was left to compute.

        vllm_rbln's ``is_prefill`` (v1/core/utils.py), on the state before ``schedule()`` advanced it. From
        the state and not from the token counts, because drafts and chunks of one token break those. Looks
        only at requests that can be prefilling: new, resumed, or known to be in the middle of one.
        """
        prefilling = self.prefilling
        candidates: Any
        if self._has_connector:
            # A failed remote KV load sends a running request back to prefill.
            candidates = list(members)
        else:
            candidates = [data.req_id for data in new]
            candidates += resumed
            if prefilling and not members.keys().isdisjoint(prefilling):
                candidates += [key for key in prefilling if key in members and key not in candidates]
        found = []
        for request_id in candidates:
            request = self._scheduler.requests.get(request_id)
            if request is None or request_id not in members:
                continue
            computed, total = request.num_computed_tokens, request.num_tokens
            if computed - members[request_id] < total - 1:
                found.append(request_id)
            if computed < total - 1:
                prefilling.add(request_id)
            else:
                prefilling.discard(request_id)
        return tuple(found)

    def _admission_stop(
        self, scheduler: Any, running: int, requests: int, prefills: int, preempted: int, tokens: int
    ) -> int:
        """Why the requests that wait were not admitted in this step."""
        if scheduler._pause_state:
            return STOP_CLOSED
        if running >= scheduler.max_num_running_reqs:
            return self.admission_stop_at_limit
        if preempted:
            return STOP_KV
        if self._facts.is_rbln:
            if prefills:
                return STOP_TOKENS
            # The decode budget's hard cap gates every admission (RBLNScheduler.schedule).
            return self.admission_stop_at_limit if requests >= self._largest else STOP_KV
        return STOP_TOKENS if tokens >= scheduler.max_num_scheduled_tokens else STOP_KV

    # --- update_from_output() ---------------------------------------------------------------------------

    def output_arrived(self) -> None:
        """The output of a batch is about to be processed."""
        self._arrived_ns = self._now()
        self._finished_before = len(self._scheduler.finished_req_ids)

    def completed(self, output: Any) -> None:
        """The output of a batch was processed: publish its record."""
        batch = self.in_flight.pop(id(output), None)
        if batch is None:
            return
        now_ns = self._arrived_ns
        self.ring.set_live(_COMPLETE_NS, now_ns)
        if batch.kind == EMPTY:
            self._run.add(batch, now_ns)
            run = self._run
            if run.length >= U16 or now_ns - run.first.scheduled_ns > MAX_RUN_NS:  # type: ignore[union-attr]
                self.flush()
            return
        if self.in_flight:
            self._lose_before(batch)
        if self._run.length:
            self.flush()
        self._release(batch)
        scheduler = self._scheduler
        self._publish(
            batch,
            now_ns,
            len(scheduler.finished_req_ids) - self._finished_before,
            len(scheduler.running) + len(scheduler.waiting) + len(scheduler.skipped_waiting),
        )

    def flush(self) -> None:
        """Publish the run of empty steps, if there is one."""
        run = self._run
        if run.first is None:
            return
        first = run.first
        scheduler = self._scheduler
        unfinished = len(scheduler.running) + len(scheduler.waiting) + len(scheduler.skipped_waiting)
        self.ring.publish_empty(
            (
                first.step, first.scheduled_ns, run.completed_ns, min(first.schedule_ns, U32),
                first.generation & U32, 0, first.waiting, 0, 0, 0, 0, 0, first.running, 0, 0, 0, 0,
                unfinished, 0, run.length, self.kv_usage, EMPTY, NO_GROUP, 0, STOP_NONE, first.in_flight,
            ),
            run.counts,
            [min(us, U32) for us in run.slot_us],
        )  # fmt: skip
        self._run = EmptyRun()

    def batches_in_flight(self) -> list[InFlight]:
        """The non-empty batches in flight, oldest first."""
        return [
            InFlight(b.step, b.scheduled_ns, b.tokens, b.requests, b.padded, b.kind, b.group, b.row)
            for b in self.in_flight.values()
            if b.kind != EMPTY
        ]

    def _publish(self, batch: Batch, now_ns: int, finished: int, unfinished: int, kind: int = -1) -> None:
        self.ring.publish(
            (
                batch.step, batch.scheduled_ns, now_ns, batch.schedule_ns & U32, batch.generation & U32,
                batch.tokens, batch.waiting, batch.max_seq_len, batch.queue_wait_us & U32, batch.requests,
                batch.prefills, batch.padded, batch.running, 0, batch.ready, batch.preempted, finished,
                unfinished, batch.new_requests, 1, self.kv_usage, batch.kind if kind < 0 else kind,
                batch.group, batch.row, batch.stop, batch.in_flight,
            )
        )  # fmt: skip

    def _release(self, batch: Batch) -> None:
        self.rows.free(batch.row)
        self._batches_in_flight -= 1
        self._decodes_in_flight -= batch.requests - batch.prefills
        for request_id in batch.prefill_ids:
            left = self._prefill_flights.get(request_id, 1) - 1
            if left:
                self._prefill_flights[request_id] = left
            else:
                self._prefill_flights.pop(request_id, None)

    # --- batches whose output never comes ---------------------------------------------------------------

    def _lose_before(self, batch: Batch) -> None:
        """The queue is first in, first out: what was scheduled before a completed batch will not complete."""
        while self.in_flight:
            oldest = next(iter(self.in_flight.values()))
            if oldest.step > batch.step:
                return
            self._lose_oldest()

    def _lose_oldest(self) -> None:
        """A fault path of the engine cleared its queue without ``update_from_output``: say so in a record."""
        oldest = self.in_flight.pop(next(iter(self.in_flight)))
        self.lost_batches += 1
        self.ring.set_live(_LOST, self.lost_batches)
        if oldest.kind == EMPTY:
            self._run.add(oldest, self._now())
            return
        self.flush()
        self._release(oldest)
        scheduler = self._scheduler
        unfinished = len(scheduler.running) + len(scheduler.waiting) + len(scheduler.skipped_waiting)
        self._publish(oldest, self._now(), 0, unfinished, LOST)


def _padded_sizes(buckets: tuple[int, ...]) -> list[int]:
    """The bucket of every decode batch size, as ``find_decode_batch_bucket`` finds it; index is the size."""
    if not buckets:
        return []
    sizes = [0]
    for bucket in buckets:
        sizes += [bucket] * (bucket - len(sizes) + 1)
    return sizes
