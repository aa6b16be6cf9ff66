"""A model of the step times of a pipeline of NPUs: how long a batch holds each stage, and when it is out."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping

ENVIRONMENT_VARIABLE = "RBLNTOP_SIM_NPU"
_NS_PER_US = 1000


@dataclasses.dataclass(frozen=True)
class StageTimes:
    """How long one pipeline stage takes, in microseconds.

    The defaults are in the range of an 8B model over four devices: decodes cost by their padded rows and far
    more for being there at all, prefills by their tokens.
    """

    decode_us: float = 4000.0
    """Of any decode batch: reading the weights."""
    decode_row_us: float = 100.0
    """More for each padded row."""
    prefill_us: float = 4000.0
    """Of any prefill chunk."""
    prefill_token_us: float = 40.0
    """More for each prompt token."""
    transfer_us: float = 200.0
    """Sending a batch to the next stage."""
    empty_us: float = 50.0
    """Of an empty step: it passes by the workers and comes back."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not getattr(self, field.name) >= 0:
                raise ValueError(f"{field.name} is {getattr(self, field.name)}, it must be 0 or more")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> StageTimes:
        """The times named in ``$RBLNTOP_SIM_NPU``, a JSON object of field names; others at their defaults.

        Raises:
            ValueError: it is no JSON object, or names an unknown field or a negative time.
        """
        text = environ.get(ENVIRONMENT_VARIABLE)
        if not text:
            return cls()
        names = [field.name for field in dataclasses.fields(cls)]
        try:
            given = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{ENVIRONMENT_VARIABLE} is not JSON: {error}") from error
        if not isinstance(given, dict) or not given.keys() <= set(names):
            raise ValueError(
                f"{ENVIRONMENT_VARIABLE} must be an object with some of {', '.join(names)}: {text}"
            )
        return cls(**{name: float(value) for name, value in given.items()})

    def busy_ns(self, prefill_tokens: int, decode_rows: int) -> int:
        """Time that a batch holds one stage; a mixed batch takes the time of both parts, started once."""
        time_us = max(self.prefill_us if prefill_tokens else 0.0, self.decode_us if decode_rows else 0.0)
        time_us += prefill_tokens * self.prefill_token_us + decode_rows * self.decode_row_us
        return int(time_us * _NS_PER_US)


class Pipeline:
    """Stages in a row. Each takes batches in the order they were sent, one at a time."""

    def __init__(self, stages: int, times: StageTimes) -> None:
        self._times = times
        self._free_ns = [0] * stages
        self._latest_ns = 0

    def send(self, now_ns: int, prefill_tokens: int, decode_rows: int) -> int:
        """Send a batch in at ``now_ns``; return when its output is there.

        Results come back in the order of the batches. An empty batch holds no stage, but it waits for the
        batches before it like any other.
        """
        if not prefill_tokens and not decode_rows:
            self._latest_ns = max(now_ns, self._latest_ns) + int(self._times.empty_us * _NS_PER_US)
            return self._latest_ns
        busy_ns = self._times.busy_ns(prefill_tokens, decode_rows)
        transfer_ns = int(self._times.transfer_us * _NS_PER_US)
        arrival_ns = now_ns
        for stage, free_ns in enumerate(self._free_ns):
            done_ns = max(arrival_ns, free_ns) + busy_ns
            self._free_ns[stage] = done_ns
            arrival_ns = done_ns + transfer_ns
        self._latest_ns = max(done_ns, self._latest_ns)
        return self._latest_ns
