"""A load that never ends by itself: there is always somebody waiting, so that limits are what binds."""

from __future__ import annotations

import random
from collections.abc import Callable

from engine_harness.engine_in_process import EngineInProcess
from engine_harness.request_load import FIRST_BYTE_TOKEN, PlannedRequest


class SustainedLoad:
    """Keeps ``waiting`` requests in the engine's queue until :meth:`finish`."""

    def __init__(
        self,
        engine: EngineInProcess,
        *,
        waiting: int = 6,
        prompt_tokens: tuple[int, int] = (10, 300),
        output_tokens: tuple[int, int] = (100, 300),
    ) -> None:
        self.sent: dict[str, PlannedRequest] = {}
        self._engine = engine
        self._waiting = waiting
        self._prompt_tokens = prompt_tokens
        self._output_tokens = output_tokens
        self._chance = random.Random(1)

    def step(self) -> None:
        """Top the queue up, and let the engine run one turn."""
        while self._engine.scheduler.get_request_counts()[1] < self._waiting:
            self._send()
        self._engine.step()

    def step_until(self, reached: Callable[[], bool], at_most: int = 20_000) -> None:
        """Step until ``reached``; failing that after so many steps is a failure."""
        for _ in range(at_most):
            if reached():
                return
            self.step()
        raise AssertionError(f"not reached within {at_most} steps")

    def finish(self) -> None:
        """Send no more, and run until everything is done."""
        while self._engine.busy:
            self._engine.step()

    def _send(self) -> None:
        chance = self._chance
        length = chance.randint(*self._prompt_tokens)
        prompt = tuple(chance.randrange(FIRST_BYTE_TOKEN, 320) for _ in range(length))
        planned = PlannedRequest(f"s{len(self.sent)}", 0, prompt, chance.randint(*self._output_tokens))
        self.sent[planned.request_id] = planned
        self._engine.add(planned)
