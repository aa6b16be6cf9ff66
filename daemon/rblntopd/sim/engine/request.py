"""A request as the scheduler sees it: numbers of tokens, and no tokens."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable


class RequestStatus(enum.IntEnum):
    """Where a request is; those after ``PREEMPTED`` have ended."""

    WAITING = enum.auto()
    RUNNING = enum.auto()
    PREEMPTED = enum.auto()
    FINISHED_LENGTH_CAPPED = enum.auto()
    FINISHED_ABORTED = enum.auto()


class Request:
    """One request, with the names of ``vllm.v1.request.Request``."""

    __slots__ = (
        "arrival_time",
        "max_tokens",
        "next_decode_eligible_step",
        "num_blocks",
        "num_computed_tokens",
        "num_in_flight_tokens",
        "num_output_tokens",
        "num_preemptions",
        "num_prompt_tokens",
        "num_stale_output_tokens",
        "num_tokens",
        "priority",
        "request_id",
        "spec_token_ids",
        "status",
    )

    def __init__(
        self, request_id: str, num_prompt_tokens: int, max_tokens: int, arrival_time: float = 0.0
    ) -> None:
        self.request_id = request_id
        self.arrival_time = arrival_time
        """Unix time in s."""
        self.priority = 0
        self.status = RequestStatus.WAITING
        self.num_prompt_tokens = num_prompt_tokens
        self.max_tokens = max_tokens
        self.num_output_tokens = 0
        self.num_tokens = num_prompt_tokens
        """Of prompt and output together."""
        self.num_computed_tokens = 0
        """Counts the tokens of batches in flight as computed."""
        self.num_in_flight_tokens = 0
        self.num_stale_output_tokens = 0
        """Of the tokens in flight, those of batches from before the request was preempted."""
        self.num_preemptions = 0
        self.next_decode_eligible_step = 0
        """The plain scheduler leaves the request out before this step of its own count."""
        self.spec_token_ids: tuple[int, ...] = ()
        """Drafts: none here."""
        self.num_blocks = 0
        """KV blocks that it holds."""

    @property
    def is_prefill(self) -> bool:
        """Whether more than one token is left to compute (vllm_rbln.v1.core.utils.is_prefill)."""
        return self.num_computed_tokens < self.num_tokens - 1


class RequestQueue(deque[Request]):
    """First come, first served; preempted requests go to the front."""

    def peek_request(self) -> Request:
        """The next one, left in its place."""
        return self[0]

    def pop_request(self) -> Request:
        """The next one, taken out."""
        return self.popleft()

    def add_request(self, request: Request) -> None:
        """At the end."""
        self.append(request)

    def prepend_request(self, request: Request) -> None:
        """At the front."""
        self.appendleft(request)

    def remove_requests(self, requests: Iterable[Request]) -> None:
        """Take out those of ``requests`` that are here."""
        gone = set(requests)
        kept = [request for request in self if request not in gone]
        self.clear()
        self.extend(kept)
