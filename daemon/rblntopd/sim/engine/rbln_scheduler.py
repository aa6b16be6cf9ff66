"""The rules of vllm-rbln 0.12.0 (``vllm_rbln.v1.core.rbln_scheduler.RBLNScheduler``) on vLLM's scheduler.

An NPU runs compiled shapes: a step is one prefill chunk of one request, or decodes only, and no more of them
than the largest compiled batch, ``max_num_seqs // pp``.
"""

from __future__ import annotations

from rblntopd.sim.engine.batch import SchedulerOutput
from rblntopd.sim.engine.request import Request, RequestStatus
from rblntopd.sim.engine.scheduler import PauseState, Scheduler


class DecodeBatchBudget:
    """How many decodes one step may take, over both loops of ``schedule()``.

    The hard cap is what is compiled. The soft cap spreads the decodes that there are over the batches of the
    pipeline. Interface and rules are those of ``vllm_rbln.v1.core.utils.DecodeBatchBudget``.
    """

    def __init__(self, hard_cap: int, soft_cap: int) -> None:
        assert hard_cap >= 1, f"hard cap {hard_cap}"
        assert soft_cap >= 1, f"soft cap {soft_cap}"
        self._hard_cap = hard_cap
        self._soft_cap = soft_cap
        self._count = 0

    @classmethod
    def for_step(cls, max_num_seqs: int, pipeline_parallel_size: int, demand: int) -> DecodeBatchBudget:
        """The budget of a step that ``demand`` decodes want to be part of."""
        return cls(
            hard_cap=max_num_seqs // pipeline_parallel_size,
            soft_cap=max(1, -(-demand // pipeline_parallel_size)),
        )

    def can_admit(self, *, apply_soft_cap: bool = True) -> bool:
        """Whether there is room for one more."""
        if self._count >= self._hard_cap:
            return False
        return not apply_soft_cap or self._count < self._soft_cap

    def admit(self) -> None:
        """One joined the batch."""
        self._count += 1

    def reset(self) -> None:
        """The batch was given up for a prefill."""
        self._count = 0


class Marked:
    """Tells the probe that the rules are vllm-rbln's: it looks for a base class from that module."""

    __module__ = "vllm_rbln.v1.core.rbln_scheduler"


class RBLNScheduler(Scheduler, Marked):
    """No mixed steps, prefills one at a time, decodes in batches that the pipeline shares."""

    def schedule(self, throttle_prefills: bool = False) -> SchedulerOutput:
        """The next batch.

        A running prefill goes first and alone. Otherwise decodes are taken in the order of the running list,
        as far as the decode budget goes; then the first waiting request that can be admitted throws them out
        again, and its first chunk runs alone.
        """
        budget = self._token_budget()
        tokens: dict[str, int] = {}
        scheduled: list[Request] = []
        new: list[Request] = []
        resumed: list[Request] = []
        preempted: list[Request] = []
        demand = sum([request.num_computed_tokens >= request.num_tokens - 1 for request in self.running])
        decodes = self._decode_budget(demand)

        # A request that prefills is the last of the running list.
        position = len(self.running) - 1 if self.running and self.running[-1].is_prefill else 0
        while position < len(self.running) and budget:
            request = self.running[position]
            position += 1
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
            decodes.admit()
            if not decodes.can_admit():
                break

        may_admit = not preempted and self._pause_state == PauseState.UNPAUSED
        if may_admit and not (scheduled and scheduled[0].is_prefill):
            while budget and len(self.running) != self.max_num_running_reqs:
                queue = self._select_waiting_queue_for_scheduling()
                # The hard cap holds for whoever wants in, also for a prefill that would run alone.
                if queue is None or not decodes.can_admit(apply_soft_cap=False):
                    break
                request = queue.peek_request()
                alone = request.is_prefill
                if alone and (new or resumed):
                    # Decodes were admitted in this very step; they stay.
                    break
                wanted = min(request.num_tokens, self.max_num_scheduled_tokens)
                if not self._allocate_waiting(request, wanted):
                    break
                (new if request.status is RequestStatus.WAITING else resumed).append(request)
                self._admit(queue.pop_request())
                if alone:
                    # The decodes keep the blocks that they got, and their turn comes again.
                    scheduled.clear()
                    tokens = {request.request_id: wanted}
                    decodes.reset()
                    break
                # A prompt of one token has nothing to prefill.
                tokens[request.request_id] = wanted
                budget -= wanted
                decodes.admit()

        return self._commit(tokens, scheduled, new, resumed, preempted)

    def _decode_budget(self, demand: int) -> DecodeBatchBudget:
        # Looked up by its name in this module at every step, as in vllm-rbln: the probe puts its own there.
        return DecodeBatchBudget.for_step(
            max_num_seqs=self.max_num_running_reqs,
            pipeline_parallel_size=self.parallel_config.pipeline_parallel_size,
            demand=demand,
        )
