"""The rules of vLLM 0.30.0's V1 scheduler (``vllm.v1.core.sched.scheduler.Scheduler``).

First come, first served. Left out is what a text engine without extras does not use: prefix caching,
speculative decoding, encoders, LoRA, KV connectors, structured output, asynchronous scheduling, priorities.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from itertools import chain

from rblntopd.sim.engine.batch import CachedRequestData, NewRequestData, SchedulerOutput
from rblntopd.sim.engine.config import VllmConfig
from rblntopd.sim.engine.kv_blocks import KVBlocks
from rblntopd.sim.engine.request import Request, RequestQueue, RequestStatus


class PauseState(enum.IntEnum):
    """``vllm.v1.core.sched.interface.PauseState``."""

    UNPAUSED = 0
    PAUSED_NEW = 1
    """Running requests go on, none is admitted."""
    PAUSED_ALL = 2


class Scheduler:
    """Decides step by step which requests compute how many tokens."""

    def __init__(self, vllm_config: VllmConfig) -> None:
        self.vllm_config = vllm_config
        self.scheduler_config = vllm_config.scheduler_config
        self.parallel_config = vllm_config.parallel_config
        self.cache_config = vllm_config.cache_config
        self.max_num_running_reqs = self.scheduler_config.max_num_seqs
        self.max_num_scheduled_tokens = self.scheduler_config.max_num_batched_tokens
        self.max_model_len = vllm_config.model_config.max_model_len
        self.block_size = self.hash_block_size = self.cache_config.block_size
        self.connector = None
        self.requests: dict[str, Request] = {}
        self.waiting = RequestQueue()
        self.skipped_waiting = RequestQueue()
        """Passed over by an earlier step; they come before those in ``waiting``."""
        self.running: list[Request] = []
        self.finished_req_ids: set[str] = set()
        """Ended since the last ``schedule()``."""
        self.kv_cache_manager = KVBlocks(self.cache_config.num_gpu_blocks, self.block_size)
        self.current_step = 0
        self._pause_state = PauseState.UNPAUSED

    # --- one step -----------------------------------------------------------------------------------------

    def schedule(self, throttle_prefills: bool = False) -> SchedulerOutput:
        """The next batch: running requests in order, then waiting ones, as far as the tokens of a step go.

        Decodes and prefill chunks share a batch. ``throttle_prefills`` is for data parallelism and not
        followed.
        """
        self.current_step += 1
        budget = self._token_budget()
        tokens: dict[str, int] = {}
        scheduled: list[Request] = []
        new: list[Request] = []
        resumed: list[Request] = []
        preempted: list[Request] = []

        position = 0
        while position < len(self.running) and budget:
            request = self.running[position]
            position += 1
            if self.current_step < request.next_decode_eligible_step:
                continue
            if request.num_computed_tokens == request.num_tokens:
                # Its last token is in flight.
                continue
            wanted = self._tokens_left(request, budget)
            if not wanted:
                continue
            if not self._allocate(request, wanted, preempted):
                break
            scheduled.append(request)
            tokens[request.request_id] = wanted
            budget -= wanted

        if not preempted and self._pause_state == PauseState.UNPAUSED:
            passed_over: list[Request] = []
            while budget and len(self.running) < self.max_num_running_reqs:
                queue = self._select_waiting_queue_for_scheduling()
                if queue is None:
                    break
                request = queue.peek_request()
                if request.num_stale_output_tokens:
                    # Tokens from before its preemption are under way: resumed now, it would make them twice.
                    passed_over.append(queue.pop_request())
                    continue
                wanted = min(request.num_tokens, budget)
                if not self._allocate_waiting(request, wanted):
                    break
                (new if request.status is RequestStatus.WAITING else resumed).append(request)
                self._admit(queue.pop_request())
                tokens[request.request_id] = wanted
                budget -= wanted
            self.skipped_waiting.extendleft(reversed(passed_over))

        return self._commit(tokens, scheduled, new, resumed, preempted)

    def _token_budget(self) -> int:
        return 0 if self._pause_state == PauseState.PAUSED_ALL else self.max_num_scheduled_tokens

    def _tokens_left(self, request: Request, budget: int) -> int:
        """Tokens that ``request`` computes next; the last position of the context is for its last token."""
        computed = request.num_computed_tokens
        return min(request.num_tokens - computed, budget, self.max_model_len - 1 - computed)

    def _allocate(self, request: Request, wanted: int, preempted: list[Request]) -> bool:
        """Find KV blocks for ``wanted`` more tokens, preempting from the end of the running list if need be.

        False when ``request`` itself had to go.
        """
        while not self.kv_cache_manager.allocate(request, request.num_computed_tokens + wanted):
            victim = self.running.pop()
            self._preempt(victim)
            preempted.append(victim)
            if victim is request:
                return False
        return True

    def _allocate_waiting(self, request: Request, wanted: int) -> bool:
        """Find KV blocks for a first chunk, only where the whole sequence would fit."""
        return self.kv_cache_manager.fits(request.num_tokens) and self.kv_cache_manager.allocate(
            request, wanted
        )

    def _preempt(self, request: Request) -> None:
        """Send a running request back to the front of the queue, to be computed again from its start."""
        self.kv_cache_manager.free(request)
        request.status = RequestStatus.PREEMPTED
        request.num_computed_tokens = 0
        request.num_stale_output_tokens = request.num_in_flight_tokens
        request.num_preemptions += 1
        self.waiting.prepend_request(request)

    def _admit(self, request: Request) -> None:
        request.status = RequestStatus.RUNNING
        self.running.append(request)

    def _select_waiting_queue_for_scheduling(self) -> RequestQueue | None:
        return self.skipped_waiting or self.waiting or None

    def _commit(
        self,
        tokens: dict[str, int],
        scheduled: list[Request],
        new: list[Request],
        resumed: list[Request],
        preempted: list[Request],
    ) -> SchedulerOutput:
        """Describe the batch, and count its tokens as computed: the next step may go on with its requests."""
        assert len(self.running) <= self.max_num_running_reqs
        resumed_ids = {request.request_id for request in resumed}
        if self.vllm_config.use_v2_model_runner:
            # That runner has forgotten a preempted request, and gets it as a new one.
            new, resumed, resumed_ids = new + resumed, [], set()
        new_data = [NewRequestData(request.request_id, 0) for request in new]
        cached = CachedRequestData([], resumed_ids, [])
        prefill_tokens = decodes = 0
        sampled: list[str] = []
        for request in chain(scheduled, resumed, new):
            request_id, computed = request.request_id, request.num_computed_tokens
            count = tokens[request_id]
            if computed < request.num_tokens - 1:
                prefill_tokens += count
            else:
                decodes += 1
            if computed + count >= request.num_tokens:
                sampled.append(request_id)
            cached.req_ids.append(request_id)
            cached.num_computed_tokens.append(computed)
            request.num_computed_tokens = computed + count
            request.num_in_flight_tokens += count
        if new:
            del cached.req_ids[-len(new) :], cached.num_computed_tokens[-len(new) :]
        finished, self.finished_req_ids = self.finished_req_ids, set()
        return SchedulerOutput(
            new_data,
            cached,
            tokens,
            sum(tokens.values()),
            {request.request_id for request in preempted},
            finished,
            prefill_tokens,
            decodes,
            sampled,
        )

    def update_from_output(self, scheduler_output: SchedulerOutput, sampled_req_ids: Collection[str]) -> None:
        """Take in the output of a batch: a token for each of ``sampled_req_ids``; end those that are done."""
        stopped: list[Request] = []
        for request_id, count in scheduler_output.num_scheduled_tokens.items():
            request = self.requests.get(request_id)
            if request is None:
                # It was given up while the batch was in flight.
                continue
            request.num_in_flight_tokens -= count
            if request.num_stale_output_tokens:
                request.num_stale_output_tokens -= count
            if request_id in sampled_req_ids:
                request.num_tokens += 1
                request.num_output_tokens += 1
                if (
                    request.num_output_tokens >= request.max_tokens
                    or request.num_tokens >= self.max_model_len
                ):
                    stopped.append(request)
        if stopped:
            self._end(stopped, RequestStatus.FINISHED_LENGTH_CAPPED)

    # --- requests that come and go ------------------------------------------------------------------------

    def add_request(self, request: Request) -> None:
        """A new request, at the end of the queue."""
        self.requests[request.request_id] = request
        self.waiting.add_request(request)

    def finish_requests(
        self,
        request_ids: Iterable[str],
        finished_status: RequestStatus = RequestStatus.FINISHED_ABORTED,
    ) -> None:
        """End requests from outside, as when a client goes away; unknown ones are passed over."""
        known = [self.requests[request_id] for request_id in request_ids if request_id in self.requests]
        self._end(known, finished_status)

    def _end(self, requests: list[Request], status: RequestStatus) -> None:
        running = [request for request in requests if request.status is RequestStatus.RUNNING]
        if len(running) == 1:
            self.running.remove(running[0])
        elif running:
            gone = set(running)
            self.running = [request for request in self.running if request not in gone]
        if len(running) < len(requests):
            # Given up before its turn came; or preempted, and its last token was under way.
            self.waiting.remove_requests(requests)
            self.skipped_waiting.remove_requests(requests)
        for request in requests:
            request.status = status
            self.kv_cache_manager.free(request)
            self.finished_req_ids.add(request.request_id)
            del self.requests[request.request_id]

    # --- what the engine asks -----------------------------------------------------------------------------

    def get_request_counts(self) -> tuple[int, int]:
        """(running, waiting)."""
        return len(self.running), len(self.waiting) + len(self.skipped_waiting)

    def get_num_unfinished_requests(self) -> int:
        """Requests that a step could do something for."""
        if self._pause_state == PauseState.PAUSED_ALL:
            return 0
        if self._pause_state == PauseState.PAUSED_NEW:
            return len(self.running)
        return len(self.running) + len(self.waiting) + len(self.skipped_waiting)

    def has_requests(self) -> bool:
        """Whether to call ``schedule()``: unfinished requests, or ended ones that no batch announced yet."""
        return self.get_num_unfinished_requests() > 0 or bool(self.finished_req_ids)

    @property
    def pause_state(self) -> PauseState:
        """Whether admission, or everything, is paused."""
        return self._pause_state

    def set_pause_state(self, pause_state: PauseState) -> None:
        """Pause or go on."""
        self._pause_state = pause_state

    def shutdown(self) -> None:
        """Nothing to release."""
