"""Where a scheduler keeps the requests that wait: in ``waiting``, and in a second queue of changing names."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

SECOND_QUEUES = ("skipped_waiting", "kv_holding_waiting")
"""vLLM 0.24 to 0.31; 0.32, which keeps those that hold KV blocks apart."""


def second_queue(scheduler: Any) -> Sized:
    """The queue beside ``scheduler.waiting``; empty for ever where there is none. Both are made once."""
    for name in SECOND_QUEUES:
        found = getattr(scheduler, name, None)
        if found is not None:
            return found  # type: ignore[no-any-return]
    return ()


def waiting_count(scheduler: Any) -> int:
    """Requests that wait."""
    return len(scheduler.waiting) + len(second_queue(scheduler))
