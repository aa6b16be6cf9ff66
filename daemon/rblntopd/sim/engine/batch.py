"""What ``schedule()`` hands out: one batch, with the names of ``vllm.v1.core.sched.output``."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import NamedTuple


class NewRequestData(NamedTuple):
    """A request that is scheduled for the first time."""

    req_id: str
    num_computed_tokens: int


class CachedRequestData(NamedTuple):
    """Requests that were scheduled before, as they were before this step."""

    req_ids: list[str]
    resumed_req_ids: set[str]
    num_computed_tokens: list[int]


@dataclasses.dataclass(slots=True, eq=False)
class SchedulerOutput:
    """One batch. An empty one is executed and processed like any other."""

    scheduled_new_reqs: list[NewRequestData]
    scheduled_cached_reqs: CachedRequestData
    num_scheduled_tokens: dict[str, int]
    total_num_scheduled_tokens: int
    preempted_req_ids: set[str]
    finished_req_ids: set[str]
    """Requests that ended since the step before."""
    prefill_tokens: int
    """Tokens of the requests that were prefilling before the step."""
    decodes: int
    """The other requests."""
    sampled_req_ids: Collection[str]
    """Requests whose sequence is computed to its end by this batch: each gets a token. A model runner judges
    a resumed request by its whole sequence, prompt and output."""
