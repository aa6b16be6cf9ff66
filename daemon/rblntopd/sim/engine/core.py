"""The engine's loop, which keeps batches in flight (``vllm.v1.engine.core.EngineCore``)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol

from rblntopd.sim.engine.batch import SchedulerOutput
from rblntopd.sim.engine.config import VllmConfig
from rblntopd.sim.engine.device import Device
from rblntopd.sim.engine.request import Request
from rblntopd.sim.sim_clock import SimClock


class StepScheduler(Protocol):
    """What the loop needs of a scheduler."""

    def schedule(self) -> SchedulerOutput:
        """The next batch."""
        ...

    def update_from_output(self, scheduler_output: SchedulerOutput, sampled_req_ids: Collection[str]) -> None:
        """Take in the output of a batch."""
        ...

    def has_requests(self) -> bool:
        """Whether to call :meth:`schedule`."""
        ...

    def add_request(self, request: Request) -> None:
        """A new request."""
        ...

    def finish_requests(self, request_ids: Collection[str]) -> None:
        """Requests that were given up."""
        ...


class InFlight(NamedTuple):
    """A batch on the device."""

    output: SchedulerOutput
    done_ns: int


class EngineCore:
    """One engine: scheduler, device and the batches between them.

    It makes its scheduler itself, as vLLM's does: the probe looks for an EngineCore under construction.
    """

    def __init__(
        self, scheduler: type[StepScheduler], config: VllmConfig, device: Device, clock: SimClock
    ) -> None:
        make: Callable[[VllmConfig], StepScheduler] = scheduler
        self.scheduler = make(config)
        self.clock = clock
        self.batch_queue: deque[InFlight] = deque()
        self.steps = 0
        """``schedule()`` calls so far, empty batches included."""
        self._device = device
        self._depth = config.max_concurrent_batches

    @property
    def busy(self) -> bool:
        """Whether there is anything to step for."""
        return bool(self.batch_queue) or self.scheduler.has_requests()

    def step(self) -> bool:
        """One turn; true if it sent a batch that was not empty.

        Filling the queue comes first. Only when it is full, or nothing is left to schedule, it waits for the
        oldest batch. With pp 1 that is the batch just sent.
        """
        executed = False
        if self.scheduler.has_requests():
            self.steps += 1
            output = self.scheduler.schedule()
            executed = bool(output.num_scheduled_tokens)
            self.batch_queue.append(InFlight(output, self._device.send(self.clock.now_ns(), output)))
            if len(self.batch_queue) < self._depth and (executed or self.scheduler.has_requests()):
                return executed
        elif not self.batch_queue:
            return False
        oldest = self.batch_queue.popleft()
        self.clock.wait_until(oldest.done_ns)
        self.scheduler.update_from_output(oldest.output, oldest.output.sampled_req_ids)
        return executed
