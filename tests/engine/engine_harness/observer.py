"""The independent observer: says what each step was, from what the scheduler hands out.

Written from the definitions alone, without the recorder's code. It wraps ``schedule`` and
``update_from_output`` of one scheduler object from outside and looks at ``SchedulerOutput``, at the requests
before the step, and at vllm-rbln's own bucket manager.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

from rblntopd.probe.ring_format import NO_GROUP, Kind


@dataclasses.dataclass
class SeenStep:
    """One ``schedule()`` call and, when its output has been processed, its end."""

    step: int
    kind: Kind
    group: int
    row: int
    requests: int
    prefill_requests: int
    tokens: int
    padded: int
    max_seq_len: int
    running: int
    waiting: int
    preempted: int
    new_requests: int
    in_flight: int
    scheduled_ns: int
    completed_ns: int = 0
    finished: int = 0
    request_ids: tuple[str, ...] = ()
    decoding: tuple[str, ...] = ()
    unscheduled_decodes: tuple[str, ...] = ()
    """Decodes that were runnable in this step and did not run."""
    max_num_running_reqs: int = 0
    group_running: tuple[int, ...] = ()


class Observer:
    """Watches one scheduler."""

    def __init__(
        self, scheduler: Any, now_ns: Callable[[], int], padding: Callable[[int], int] | None
    ) -> None:
        """``padding`` is the bucket of a decode batch; None where nothing is padded."""
        self.scheduled: list[SeenStep] = []
        self.completed: list[SeenStep] = []
        self.preemptions: Counter[str] = Counter()
        self._scheduler = scheduler
        self._now_ns = now_ns
        self._padding = padding
        depth = scheduler.vllm_config.max_concurrent_batches
        self._rows: list[SeenStep | None] = [None] * depth
        self._group_of: dict[str, int] = {}
        self._prefill_row_of: dict[str, int] = {}
        self._under_way: list[tuple[Any, SeenStep]] = []
        self._schedule = scheduler.schedule
        self._update = scheduler.update_from_output
        scheduler.schedule = self._observed_schedule
        scheduler.update_from_output = self._observed_update

    def _observed_schedule(self, *args: Any, **kwargs: Any) -> Any:
        before = {
            request_id: (request.num_computed_tokens, request.num_tokens)
            for request_id, request in self._scheduler.requests.items()
        }
        runnable = {request.request_id for request in self._scheduler.running if self._wants_decode(request)}
        scheduled_ns = self._now_ns()
        output = self._schedule(*args, **kwargs)
        seen = self._describe(output, before, scheduled_ns)
        seen.unscheduled_decodes = tuple(
            runnable - set(seen.request_ids) - set(output.preempted_req_ids or ())
        )
        self.scheduled.append(seen)
        self._under_way.append((output, seen))
        return output

    @staticmethod
    def _wants_decode(request: Any) -> bool:
        """One token is left to compute, and none of its batches is in flight."""
        return request.num_tokens - request.num_computed_tokens == 1

    def _describe(self, output: Any, before: dict[str, tuple[int, int]], scheduled_ns: int) -> SeenStep:
        computed = {new.req_id: new.num_computed_tokens for new in output.scheduled_new_reqs}
        cached = output.scheduled_cached_reqs
        computed |= dict(zip(cached.req_ids, cached.num_computed_tokens, strict=True))
        scheduled: dict[str, int] = output.num_scheduled_tokens
        assert computed.keys() == scheduled.keys()
        prefills = [rid for rid in scheduled if computed[rid] < before[rid][1] - 1]
        decodes = [rid for rid in scheduled if rid not in set(prefills)]
        kind = self._kind(len(prefills), len(decodes))
        group, row = self._place(kind, list(scheduled))
        running, waiting = self._scheduler.get_request_counts()
        preempted = output.preempted_req_ids or set()
        self.preemptions.update(preempted)
        seen = SeenStep(
            step=len(self.scheduled) + 1,
            kind=kind,
            group=group,
            row=row,
            requests=len(scheduled),
            prefill_requests=len(prefills),
            tokens=sum(scheduled.values()),
            padded=self._padding(len(decodes)) if self._padding and kind == Kind.DECODE else 0,
            max_seq_len=max((computed[rid] + tokens for rid, tokens in scheduled.items()), default=0),
            running=running,
            waiting=waiting,
            preempted=len(preempted),
            new_requests=len(output.scheduled_new_reqs),
            in_flight=sum(row is not None for row in self._rows) + bool(scheduled),
            scheduled_ns=scheduled_ns,
            request_ids=tuple(scheduled),
            decoding=tuple(decodes),
            max_num_running_reqs=self._scheduler.max_num_running_reqs,
        )
        if kind != Kind.EMPTY:
            self._rows[row] = seen
            for request_id in scheduled:
                if group == NO_GROUP:
                    self._prefill_row_of[request_id] = row
                else:
                    self._group_of[request_id] = group
        seen.group_running = self._group_running()
        return seen

    @staticmethod
    def _kind(prefills: int, decodes: int) -> Kind:
        if prefills and decodes:
            return Kind.MIXED
        if prefills:
            return Kind.PREFILL
        return Kind.DECODE if decodes else Kind.EMPTY

    def _place(self, kind: Kind, request_ids: list[str]) -> tuple[int, int]:
        """Group and row: the group of the first request if its row is free, else the lowest free row."""
        if kind == Kind.EMPTY:
            return NO_GROUP, 0
        lowest_free = self._rows.index(None)
        if kind == Kind.PREFILL and len(request_ids) == 1:
            return NO_GROUP, lowest_free
        own = self._group_of.get(request_ids[0])
        row = own if own is not None and self._rows[own] is None else lowest_free
        return row, row

    def _observed_update(self, output: Any, *args: Any, **kwargs: Any) -> Any:
        position = next(i for i, (known, _) in enumerate(self._under_way) if known is output)
        seen = self._under_way.pop(position)[1]
        unfinished = set(self._scheduler.requests)
        result = self._update(output, *args, **kwargs)
        seen.finished = len(unfinished - set(self._scheduler.requests))
        seen.completed_ns = self._now_ns()
        if seen.kind != Kind.EMPTY:
            assert self._rows[seen.row] is seen
            self._rows[seen.row] = None
        self.completed.append(seen)
        return result

    def queue_was_cleared(self) -> None:
        """A fault path: what is in flight will not complete."""
        self._under_way.clear()
        self._rows = [None] * len(self._rows)

    def _group_running(self) -> tuple[int, ...]:
        """Running requests by the group they last ran in, else by the row of their prefill."""
        ids = [request.request_id for request in self._scheduler.running]
        counts = Counter(self._group_of.get(rid, self._prefill_row_of.get(rid)) for rid in ids)
        return tuple(counts[row] for row in range(len(self._rows)))
