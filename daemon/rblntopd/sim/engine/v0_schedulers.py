"""vLLM 0.9's V0 engine: one scheduler for each virtual engine, and each with ``max_num_seqs`` of its own.

So as many as ``max_num_seqs * pp`` requests run. For the probe they look like one scheduler, which lends each
turn to a virtual engine that has no batch in flight. Written from the rules and not held to the real one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rblntopd.sim.engine.batch import SchedulerOutput
from rblntopd.sim.engine.config import VllmConfig
from rblntopd.sim.engine.kv_blocks import KVBlocks
from rblntopd.sim.engine.request import Request, RequestStatus
from rblntopd.sim.engine.scheduler import PauseState, Scheduler


class VirtualEngineScheduler(Scheduler):
    """One of them: whole prompts first, as many as a step holds; decodes when none can be admitted."""

    def __init__(self, vllm_config: VllmConfig) -> None:
        super().__init__(vllm_config)
        share = self.cache_config.num_gpu_blocks // self.parallel_config.pipeline_parallel_size
        self.kv_cache_manager = KVBlocks(share, self.block_size)

    def schedule(self, throttle_prefills: bool = False) -> SchedulerOutput:
        """The next batch: prefills only, or all decodes."""
        budget = self.max_num_scheduled_tokens
        tokens: dict[str, int] = {}
        new: list[Request] = []
        resumed: list[Request] = []
        preempted: list[Request] = []
        open_ = self._pause_state == PauseState.UNPAUSED
        while open_ and self.waiting and len(self.running) < self.max_num_running_reqs:
            request = self.waiting.peek_request()
            wanted = request.num_tokens
            # A prompt longer than a step's tokens runs alone.
            if (tokens and wanted > budget) or not self.kv_cache_manager.allocate(request, wanted):
                break
            (new if request.status is RequestStatus.WAITING else resumed).append(request)
            self._admit(self.waiting.pop_request())
            tokens[request.request_id] = wanted
            budget -= wanted
        scheduled: list[Request] = []
        if not tokens:
            position = 0
            while position < len(self.running):
                request = self.running[position]
                position += 1
                if not self._allocate(request, 1, preempted):
                    break
                scheduled.append(request)
                tokens[request.request_id] = 1
        return self._commit(tokens, scheduled, new, resumed, preempted)

    def has_requests(self) -> bool:
        """Whether there is a batch to make: ended requests are announced with the next one."""
        return self.get_num_unfinished_requests() > 0


class V0Schedulers(Scheduler):
    """All of them."""

    def __init__(self, vllm_config: VllmConfig) -> None:
        super().__init__(vllm_config)
        engines = range(self.parallel_config.pipeline_parallel_size)
        self.virtual_engines = [VirtualEngineScheduler(vllm_config) for _ in engines]
        self.max_num_running_reqs = self.scheduler_config.max_num_seqs * len(engines)
        self._in_flight: dict[int, VirtualEngineScheduler] = {}
        self._turn = 0

    def schedule(self, throttle_prefills: bool = False) -> SchedulerOutput:
        """The next batch of the next virtual engine that has something to do and nothing in flight."""
        self.current_step += 1
        self.finished_req_ids = set()
        self._pass_pause_on()
        for _ in self.virtual_engines:
            engine = self.virtual_engines[self._turn]
            self._turn = (self._turn + 1) % len(self.virtual_engines)
            if engine.has_requests() and engine not in self._in_flight.values():
                output = engine.schedule()
                self._in_flight[id(output)] = engine
                self._gather()
                return output
        return self._commit({}, [], [], [], [])

    def update_from_output(self, scheduler_output: SchedulerOutput, sampled_req_ids: Collection[str]) -> None:
        """Give the output to the virtual engine whose batch it was."""
        engine = self._in_flight.pop(id(scheduler_output), None)
        if engine is not None:
            engine.update_from_output(scheduler_output, sampled_req_ids)
            self._gather()

    def add_request(self, request: Request) -> None:
        """A new request goes to the virtual engine that has the fewest."""
        self.requests[request.request_id] = request
        min(self.virtual_engines, key=_unfinished).add_request(request)
        self._gather()

    def finish_requests(
        self,
        request_ids: Iterable[str],
        finished_status: RequestStatus = RequestStatus.FINISHED_ABORTED,
    ) -> None:
        """End requests wherever they are."""
        wanted = list(request_ids)
        for engine in self.virtual_engines:
            engine.finish_requests(wanted, finished_status)
        self._gather()

    def has_requests(self) -> bool:
        """Whether a virtual engine has."""
        self._pass_pause_on()
        return any(engine.has_requests() for engine in self.virtual_engines)

    def _pass_pause_on(self) -> None:
        """V0 itself knows no pause."""
        for engine in self.virtual_engines:
            engine.set_pause_state(self._pause_state)

    def _gather(self) -> None:
        """Show requests and blocks of all virtual engines as those of one scheduler."""
        engines = self.virtual_engines
        self.running = [request for engine in engines for request in engine.running]
        self.waiting.clear()
        for engine in engines:
            self.waiting.extend(engine.waiting)
            for request_id in engine.finished_req_ids:
                del self.requests[request_id]
            self.finished_req_ids |= engine.finished_req_ids
            engine.finished_req_ids = set()
        self.kv_cache_manager.num_free = sum(engine.kv_cache_manager.num_free for engine in engines)


def _unfinished(engine: VirtualEngineScheduler) -> int:
    return len(engine.running) + len(engine.waiting)
