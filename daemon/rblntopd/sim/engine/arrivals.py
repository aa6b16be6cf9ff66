"""Requests as they come to an engine: a stream without end, the same for the same seed."""

from __future__ import annotations

import dataclasses
import heapq
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Arrival(NamedTuple):
    """One request."""

    at_ns: int
    """Since the stream began."""
    prompt_tokens: int
    output_tokens: int
    gives_up_ns: int
    """When its client goes away, on the same clock; 0: it waits."""


@dataclasses.dataclass(frozen=True)
class Traffic:
    """Clients of one kind: they come at random moments, each with a number of requests at once."""

    per_second: float
    """Moments at which requests come, in the mean; 0: none after those at the start."""
    prompt_tokens: tuple[int, int]
    """Shortest and longest; short ones are more frequent (evenly spread on a logarithmic scale)."""
    output_tokens: tuple[int, int]
    at_start: int = 0
    """Requests that are there when the stream begins."""
    burst: int = 1
    """Requests that come together."""
    give_up_ratio: float = 0.0
    """Share of clients that do not wait for the end of their output."""
    patience_s: float = 10.0
    """Longest that such a client waits."""

    def arrivals(self, seed: str) -> Iterator[Arrival]:
        """The requests in order of time."""
        chance = random.Random(seed)
        at_ns = 0
        for _ in range(self.at_start):
            yield self._arrival(chance, at_ns)
        while self.per_second:
            at_ns += int(chance.expovariate(self.per_second) * 1e9)
            for _ in range(self.burst):
                yield self._arrival(chance, at_ns)

    def _arrival(self, chance: random.Random, at_ns: int) -> Arrival:
        prompt = _between(chance, self.prompt_tokens)
        output = _between(chance, self.output_tokens)
        gives_up_ns = 0
        if chance.random() < self.give_up_ratio:
            gives_up_ns = at_ns + int(chance.uniform(0, self.patience_s) * 1e9)
        return Arrival(at_ns, prompt, output, gives_up_ns)


def merged(traffic: Sequence[Traffic], seed: int) -> Iterator[Arrival]:
    """The requests of all ``traffic`` in order of time; none without traffic."""
    streams = [one.arrivals(f"{seed}.{number}") for number, one in enumerate(traffic)]
    return heapq.merge(*streams)


def _between(chance: random.Random, bounds: tuple[int, int]) -> int:
    low, high = bounds
    return round(float(low * (high / low) ** chance.random()))
