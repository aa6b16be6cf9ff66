"""Turns what the scheduler did into step records, on the engine's thread.

Written for CPython: few calls, few objects, plain ints instead of enums, sets and dicts instead of loops over
the batch, and one ``struct.pack`` of the whole record when the batch is scheduled. Whatever costs more than
O(1) is in the sampler. Records lag by some steps, see :mod:`rblntopd.probe.step_log`.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from rblntopd.probe import clock
from rblntopd.probe.description import EngineFacts
from rblntopd.probe.empty_cause import CAUSES, empty_cause
from rblntopd.probe.ring_format import NO_GROUP, STEP, AdmissionStop, InFlight, Kind, Step
from rblntopd.probe.ring_writer import RingWriter
from rblntopd.probe.rows import MAX_PENDING, Rows
from rblntopd.probe.step_log import Completed, Scheduled
from rblntopd.probe.waiting import waiting_count

EMPTY, PREFILL, DECODE, MIXED, LOST = (int(kind) for kind in Kind)
STOP_NONE, STOP_MAX_NUM_SEQS, STOP_GROUP_CAPS, STOP_KV, STOP_TOKENS, STOP_CLOSED = (
    int(stop) for stop in AdmissionStop
)
U16, U32 = 0xFFFF, 0xFFFFFFFF
#: An empty run is published at the latest after this long, so that a spinning engine shows.
MAX_RUN_NS = 100_000_000
_NO_PREFILLS: tuple[str, ...] = ()
_pack = STEP.pack


class Batch(NamedTuple):
    """A batch in flight, read from the plain tuple that the hot path keeps of it."""

    record: bytes
    """Its record; completion, finished and unfinished are filled in when the output is processed."""
    row: int
    decodes: int
    prefill_ids: tuple[str, ...]
    empty_cause: int
    """-1 for a batch that is not empty."""

    @property
    def step(self) -> Step:
        """The fields of its record."""
        return Step(*STEP.unpack(self.record))


class EmptyRun:
    """Consecutive completed empty steps that have not been published yet."""

    def __init__(self) -> None:
        self.length = 0
        self.first: Step | None = None
        self.completed_ns = self.unfinished = 0
        self.counts = [0] * len(CAUSES)
        self.slot_us = [0] * len(CAUSES)

    def add(self, batch: Batch, completed_ns: int, unfinished: int) -> None:
        """Count one more empty step, after which ``unfinished`` requests were left."""
        step = batch.step
        if self.first is None:
            self.first = step
        self.length += 1
        self.completed_ns = completed_ns
        self.unfinished = unfinished
        self.counts[batch.empty_cause] += 1
        self.slot_us[batch.empty_cause] += (completed_ns - step.scheduled_ns) // 1000


class Recorder:
    """Records the steps of one scheduler into a ring."""

    def __init__(self, scheduler: Any, facts: EngineFacts, ring: RingWriter) -> None:
        self.ring = ring
        self.rows = Rows(facts.group_count)
        self.step = 0
        """Number of the latest ``schedule()``, empty ones included; the first is 1."""
        self.generation = 0
        self.kv_usage = 0.0
        self.max_seq_len = 0
        """Of the latest batch."""
        self.latest_kind = EMPTY
        self.held: Callable[[], int] = int
        """Runnable decodes that hold kept out of the latest step."""
        self.scheduled_ns = self.completed_ns = 0
        self.in_flight: dict[int, tuple[bytes, int, int, tuple[str, ...], int]] = {}
        """:class:`Batch` fields by the id of the output, oldest first. The engine holds an output until it is
        processed; an id that comes again is that of a batch whose output never came."""
        self.prefilling: set[str] = set()
        """Requests whose prefill is not done after the chunks scheduled so far."""
        self.waits_us: dict[str, int] = {}
        """How long requests waited until they were first scheduled."""
        self.lost_batches = 0
        self.admission_stop_at_limit: int = STOP_MAX_NUM_SEQS
        self.limit_holds: Callable[[], bool] = bool
        """Whether a limit that was set through us holds requests back."""
        self._scheduler = scheduler
        self._facts = facts
        self._now: Callable[[], int] = clock.monotonic_ns
        self._depth = facts.queue_depth
        self._decodes_in_flight = 0
        self._batches_in_flight = 0
        self._prefill_flights: dict[str, int] = {}
        self._run = EmptyRun()
        self._padded = _padded_sizes(facts.buckets, facts.max_num_seqs)
        self._largest = facts.max_num_seqs // facts.pp_size
        self._has_connector = getattr(scheduler, "connector", None) is not None

    # --- schedule() -------------------------------------------------------------------------------------

    @property
    def needs_requests(self) -> bool:
        """Whether the next step must be looked at while the scheduler's requests are as it left them."""
        return bool(self.prefilling or self._has_connector)

    def scheduled(self, event: Scheduled) -> None:
        """Note the batch that ``schedule()`` made. Its record is published when its output is processed."""
        (
            key, members, new, resumed, cached_ids, computed, tokens, preempted_ids,
            started_ns, ended_ns, running, waiting, limit, paused,
        ) = event  # fmt: skip
        self.scheduled_ns = started_ns
        self.step = step = self.step + 1
        flying = self.in_flight
        while len(flying) >= self._depth or key in flying:
            self._lose_oldest()
        preempted = 0
        if preempted_ids:
            preempted = len(preempted_ids)
            self.prefilling -= preempted_ids
        if not members:
            self.latest_kind = EMPTY
            self._scheduled_empty(key, started_ns, ended_ns, running, waiting, preempted)
        else:
            requests = len(members)
            prefill_ids = _NO_PREFILLS
            prefilling = 0
            more = tokens != requests
            if more or new or resumed or self.prefilling or self._prefill_flights or self._has_connector:
                prefill_ids, prefilling = self._note_prefills(members, new, resumed, more)
            if not prefill_ids:
                kind = DECODE
                decodes = requests
                row = group = self.rows.take(members)
                padded = self._padded[requests]
            else:
                decodes = requests - len(prefill_ids)
                kind = MIXED if decodes else PREFILL
                padded = 0
                if requests == 1:
                    group = NO_GROUP
                    row = self.rows.take_for_prefill(prefill_ids[0])
                else:
                    row = group = self.rows.take(members)
            max_seq_len = 0
            if computed:
                # The list is from before this step (vllm Scheduler._make_cached_request_data).
                if tokens == requests:
                    max_seq_len = max(computed) + 1
                else:
                    lengths = map(operator.add, computed, map(members.__getitem__, cached_ids))
                    max_seq_len = max(lengths)
            queue_wait_us = 0
            if new:
                longest, queue_wait_us = self._look_at_new(members, new)
                max_seq_len = max(max_seq_len, longest)
            self.max_seq_len = max_seq_len
            self.latest_kind = kind
            in_flight = self._batches_in_flight + 1
            # Decodes that could have run too: neither in this batch nor in flight nor prefilling.
            left = running - decodes - self._decodes_in_flight - prefilling
            self._batches_in_flight = in_flight
            self._decodes_in_flight += decodes
            stop = STOP_NONE
            if waiting:
                stop = STOP_CLOSED
                if not paused:
                    full = running >= limit
                    stop = self._admission_stop(requests, decodes, preempted, tokens, full)
            flying[key] = (
                _pack(
                    step, started_ns, 0, (ended_ns - started_ns) & U32, self.generation, tokens, waiting,
                    max_seq_len, queue_wait_us, requests, requests - decodes, padded, running, self.held(),
                    decodes + left if left > 0 else decodes, preempted, 0, 0, len(new), 1, self.kv_usage,
                    kind, group, row, stop, in_flight,
                ),
                row, decodes, prefill_ids, -1,
            )  # fmt: skip

    def _scheduled_empty(
        self, key: int, started_ns: int, ended_ns: int, running: int, waiting: int, preempted: int
    ) -> None:
        cause = empty_cause(
            self._scheduler,
            slots=self._facts.group_count,
            prefill_in_flight=bool(self._prefill_flights),
            limit_holds=self.limit_holds(),
        )
        record = _pack(
            self.step, started_ns, 0, (ended_ns - started_ns) & U32, self.generation, 0, waiting, 0, 0, 0, 0,
            0, running, 0, 0, preempted, 0, 0, 0, 1, self.kv_usage, EMPTY, NO_GROUP, 0, STOP_NONE,
            self._batches_in_flight,
        )  # fmt: skip
        self.in_flight[key] = (record, 0, 0, _NO_PREFILLS, cause)

    def _note_prefills(
        self, members: dict[str, int], new: Any, resumed: Any, more: bool
    ) -> tuple[tuple[str, ...], int]:
        """Requests of this batch that were prefilling before it, and how many prefill now in all.

        Prefilling is to have more than one token left to compute: vllm_rbln's ``is_prefill``
        (v1/core/utils.py), on the state before ``schedule()`` advanced it. From the state and not from the
        token counts, because drafts and chunks of one token break those. Looks only at requests that can be
        prefilling: new, resumed, known to be in the middle of one, or with more than one token in this step
        (``more``: there are such).
        """
        prefilling, flights = self.prefilling, self._prefill_flights
        if self._has_connector:
            # A failed remote KV load sends a running request back to prefill.
            candidates = list(members)
        else:
            candidates = [data.req_id for data in new]
            candidates += resumed
            if prefilling and not members.keys().isdisjoint(prefilling):
                candidates += [key for key in prefilling if key in members and key not in candidates]
            if more:
                # A request preempted in flight may get that batch's token after it was resumed, and then has
                # two tokens left once more.
                candidates += [key for key, count in members.items() if count > 1 and key not in candidates]
        found = []
        for request_id in candidates:
            request = self._scheduler.requests.get(request_id)
            if request is None or request_id not in members:
                continue
            computed, total = request.num_computed_tokens, request.num_tokens
            if computed - members[request_id] < total - 1:
                found.append(request_id)
                flights[request_id] = flights.get(request_id, 0) + 1
            if computed < total - 1:
                prefilling.add(request_id)
            else:
                prefilling.discard(request_id)
        return tuple(found), len(flights) + (len(prefilling.difference(flights)) if prefilling else 0)

    def _look_at_new(self, members: dict[str, int], new: Any) -> tuple[int, int]:
        """(longest sequence, longest time in the queue in us) of requests scheduled for the first time."""
        now_s = time.time()
        longest = wait_us = 0
        for data in new:
            longest = max(longest, data.num_computed_tokens + members[data.req_id])
            request = self._scheduler.requests.get(data.req_id)
            if request is not None:
                waited_us = min(max(0, int((now_s - request.arrival_time) * 1e6)), U32)
                self.waits_us[data.req_id] = waited_us
                wait_us = max(wait_us, waited_us)
        return longest, wait_us

    def _admission_stop(self, requests: int, decodes: int, preempted: int, tokens: int, full: bool) -> int:
        """Why the requests that wait were not admitted in this step, with admission open."""
        if full:
            return self.admission_stop_at_limit
        if preempted:
            return STOP_KV
        if self._facts.is_rbln:
            if requests != decodes:
                return STOP_TOKENS
            # The decode budget's hard cap gates every admission (RBLNScheduler.schedule).
            return self.admission_stop_at_limit if requests >= self._largest else STOP_KV
        return STOP_TOKENS if tokens >= self._scheduler.max_num_scheduled_tokens else STOP_KV

    # --- update_from_output() ---------------------------------------------------------------------------

    def completed(self, event: Completed) -> None:
        """The output of a batch was processed: publish its record."""
        key, arrived_ns, finished, unfinished = event
        flying = self.in_flight
        if key not in flying:
            return
        self.completed_ns = arrived_ns
        while next(iter(flying)) != key:
            # The queue is first in, first out: what was scheduled before will not complete any more.
            self._lose_oldest()
        record, row, decodes, prefill_ids, cause = fields = flying.pop(key)
        if cause >= 0:
            self._add_empty(Batch(*fields), arrived_ns, unfinished)
            return
        if self._run.length:
            self.flush()
        self.rows.free(row)
        self._batches_in_flight -= 1
        self._decodes_in_flight -= decodes
        if prefill_ids:
            self._land_prefills(prefill_ids)
        self.ring.publish_packed(record, arrived_ns, finished, unfinished)

    def _add_empty(self, batch: Batch, completed_ns: int, unfinished: int) -> None:
        run = self._run
        run.add(batch, completed_ns, unfinished)
        if run.length >= U16 or completed_ns - run.first.scheduled_ns > MAX_RUN_NS:  # type: ignore[union-attr]
            self.flush()

    def flush(self) -> None:
        """Publish the run of empty steps, if there is one."""
        run = self._run
        if run.first is None:
            return
        self._run = EmptyRun()
        record = run.first._replace(
            completed_ns=run.completed_ns, run_length=run.length, unfinished=run.unfinished
        )
        self.ring.publish_empty(record, run.counts, [min(us, U32) for us in run.slot_us])

    def batches_in_flight(self) -> list[InFlight]:
        """The non-empty batches in flight, oldest first."""
        steps = [Batch(*fields).step for fields in self.in_flight.values() if fields[4] < 0]
        return [
            InFlight(s.step, s.scheduled_ns, s.tokens, s.requests, s.padded, s.kind, s.group, s.row)
            for s in steps
        ]

    def forget_finished(self) -> None:
        """Drop requests that the scheduler no longer knows, once they outnumber those it does."""
        known, waits = self._scheduler.requests, self.waits_us
        self.rows.forget_finished(known)
        if len(waits) > 2 * len(known) + MAX_PENDING:
            for key in [key for key in waits if key not in known]:
                del waits[key]

    def _unfinished(self) -> int:
        return len(self._scheduler.running) + waiting_count(self._scheduler)

    def _land_prefills(self, prefill_ids: tuple[str, ...]) -> None:
        flights = self._prefill_flights
        for request_id in prefill_ids:
            left = flights.get(request_id, 1) - 1
            if left:
                flights[request_id] = left
            else:
                flights.pop(request_id, None)

    def _lose_oldest(self) -> None:
        """A fault path of the engine cleared its queue without ``update_from_output``: say so in a record."""
        batch = Batch(*self.in_flight.pop(next(iter(self.in_flight))))
        now_ns = self._now()
        self.lost_batches += 1
        if batch.empty_cause >= 0:
            self._add_empty(batch, now_ns, self._unfinished())
            return
        self.flush()
        self.rows.free(batch.row)
        self._batches_in_flight -= 1
        self._decodes_in_flight -= batch.decodes
        self._land_prefills(batch.prefill_ids)
        self.ring.publish(batch.step._replace(completed_ns=now_ns, unfinished=self._unfinished(), kind=LOST))


def _padded_sizes(buckets: tuple[int, ...], max_num_seqs: int) -> list[int]:
    """The bucket of every decode batch size, as ``find_decode_batch_bucket`` finds it; index is the size.

    0 where there is no bucket: decodes are not padded, or nothing is known.
    """
    sizes = [0]
    for bucket in buckets:
        sizes += [bucket] * (bucket - len(sizes) + 1)
    return sizes + [0] * (max_num_seqs - len(sizes) + 1)
