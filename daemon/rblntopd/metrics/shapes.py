"""What a batch costs a pipeline stage, learned from the latencies of batches of the same shape."""

from __future__ import annotations

from collections import deque

from rblntopd.probe.ring_format import Kind

#: Latencies of a shape that are remembered, and how many new ones make the estimate stale.
REMEMBERED = 128
REFRESH = 32
#: A batch that found the pipeline empty: about the fastest twentieth.
LOW_SHARE = 0.05
MAX_SHAPES = 256


def shape_of(kind: int, requests: int, padded: int, tokens: int) -> tuple[int, int]:
    """What batches that take the same time have in common.

    A decode goes by its bucket, or without one by its power of two of requests; a prefill by its power of two
    of tokens.
    """
    if kind == Kind.DECODE:
        return kind, padded or -requests.bit_length()
    return kind, tokens.bit_length()


class _Shape:
    __slots__ = ("fastest_ns", "latencies", "new")

    def __init__(self) -> None:
        self.latencies: deque[int] = deque(maxlen=REMEMBERED)
        self.fastest_ns = 0
        self.new = 0


class ShapeTimes:
    """The unloaded latency of each batch shape: the low quantile of what was seen.

    A batch alone in the pipeline passes its stages without waiting, so its latency is the sum of its stage
    times. Where batches always queue, the fastest ones still waited and the estimate is too high.
    """

    def __init__(self) -> None:
        self._shapes: dict[tuple[int, int], _Shape] = {}

    def learn(self, shape: tuple[int, int], latency_ns: int) -> int:
        """Add a latency; returns the unloaded latency of the shape, at most ``latency_ns``."""
        known = self._shapes.get(shape)
        if known is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.pop(next(iter(self._shapes)))
            known = self._shapes[shape] = _Shape()
            known.fastest_ns = latency_ns
        known.latencies.append(latency_ns)
        known.new += 1
        if known.new >= REFRESH:
            known.new = 0
            ordered = sorted(known.latencies)
            known.fastest_ns = ordered[int(len(ordered) * LOW_SHARE)]
        elif len(known.latencies) < REFRESH and latency_ns < known.fastest_ns:
            known.fastest_ns = latency_ns
        return min(known.fastest_ns, latency_ns)

    def unloaded_ns(self, shape: tuple[int, int]) -> int | None:
        """The unloaded latency of a shape; None before one was seen."""
        known = self._shapes.get(shape)
        return known.fastest_ns if known else None
