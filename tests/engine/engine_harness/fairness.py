"""What must hold in every single step, whatever the limits: nobody starves, nothing outgrows its bounds."""

from __future__ import annotations

from collections.abc import Iterable

from engine_harness.observer import SeenStep
from rblntopd.probe.ring_format import Kind


def longest_wait_in_decode_steps(steps: Iterable[SeenStep]) -> int:
    """Most decode steps of others between two decodes of one request."""
    last: dict[str, int] = {}
    longest = decode_steps = 0
    for seen in steps:
        if seen.kind != Kind.DECODE:
            continue
        for request_id in seen.decoding:
            if request_id in last:
                longest = max(longest, decode_steps - last[request_id] - 1)
            last[request_id] = decode_steps
        decode_steps += 1
    return longest


def settled_decodes(steps: list[SeenStep], quiet: int) -> dict[int, set[int]]:
    """Decode batch sizes by group, of steps that had nothing but decodes in the ``quiet`` steps before."""
    batches: dict[int, set[int]] = {}
    since_other = 0
    for seen in steps:
        since_other = since_other + 1 if seen.kind == Kind.DECODE else 0
        if since_other > quiet:
            batches.setdefault(seen.group, set()).add(seen.requests)
    return batches


def admissions_above(steps: Iterable[SeenStep], limit: int) -> list[int]:
    """Steps that admitted a waiting request although more than ``limit`` requests run then."""
    return [seen.step for seen in steps if seen.new_requests and seen.running > limit]
