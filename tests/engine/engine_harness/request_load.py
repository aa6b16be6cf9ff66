"""Random loads: when requests arrive, how long they are, which are given up. The seed decides it all."""

from __future__ import annotations

import dataclasses
import random

FIRST_BYTE_TOKEN = 3
"""Ids below are special."""


@dataclasses.dataclass(frozen=True)
class PlannedRequest:
    """One request to send."""

    request_id: str
    arrival_ns: int
    """Since the start of the load."""
    prompt: tuple[int, ...]
    output_tokens: int
    abort_after_ns: int | None = None
    """Given up this long after its arrival, if it still runs then."""


def random_load(
    seed: int,
    requests: int,
    *,
    prompt_tokens: tuple[int, int] = (2, 400),
    output_tokens: tuple[int, int] = (1, 120),
    mean_gap_ms: float = 30.0,
    abort_ratio: float = 0.05,
    repeat_ratio: float = 0.1,
    vocabulary: int = 320,
) -> list[PlannedRequest]:
    """Arrivals in bursts and gaps; some requests repeat the prompt of an earlier one, so prefixes match."""
    chance = random.Random(seed)
    planned: list[PlannedRequest] = []
    arrival_ns = 0
    for number in range(requests):
        if chance.random() < 0.7:
            arrival_ns += int(chance.expovariate(1 / mean_gap_ms) * 1e6)
        if planned and chance.random() < repeat_ratio:
            prompt = chance.choice(planned).prompt
        else:
            length = chance.randint(*prompt_tokens)
            prompt = tuple(chance.randrange(FIRST_BYTE_TOKEN, vocabulary) for _ in range(length))
        outputs = chance.randint(*output_tokens)
        abort_after_ns = int(chance.uniform(0, 2e9)) if chance.random() < abort_ratio else None
        planned.append(PlannedRequest(f"r{seed}-{number}", arrival_ns, prompt, outputs, abort_after_ns))
    return planned


def burst(
    requests: int, prompt_tokens: int, output_tokens: int, *, name: str = "b", arrival_ns: int = 0
) -> list[PlannedRequest]:
    """Equal requests that arrive together, each with a prompt of its own."""
    chance = random.Random(f"{name}{arrival_ns}")
    return [
        PlannedRequest(
            f"{name}-{number}",
            arrival_ns,
            tuple(chance.randrange(FIRST_BYTE_TOKEN, 320) for _ in range(prompt_tokens)),
            output_tokens,
        )
        for number in range(requests)
    ]
