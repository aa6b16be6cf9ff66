"""What a batch costs a pipeline stage, learned from the latencies of batches of the same shape."""

from __future__ import annotations

from rblntopd.probe.ring_format import Kind

#: Latencies of a shape that are remembered, and how many new ones make the estimate stale.
REMEMBERED = 128
REFRESH = 32
#: A batch that found the pipeline empty: about the fastest twentieth.
LOW_SHARE = 0.05
MAX_SHAPES = 256

_DECODE = int(Kind.DECODE)
_OTHER_KINDS = 1 << 32


def shape_of(kind: int, requests: int, padded: int, tokens: int) -> int:
    """A number that batches of the same kind and about the same time have in common.

    A decode goes by its bucket, or without one by its power of two of requests; a prefill by its power of two
    of tokens.
    """
    if kind == _DECODE:
        return padded or -requests.bit_length()
    return kind * _OTHER_KINDS + tokens.bit_length()


class _Shape:
    __slots__ = ("fastest_ns", "latencies")

    def __init__(self, latency_ns: int) -> None:
        self.fastest_ns = latency_ns
        self.latencies: list[int] = []


class ShapeTimes:
    """The unloaded latency of each batch shape: the low quantile of what was seen.

    A batch alone in the pipeline passes its stages without waiting, so its latency is the sum of its stage
    times. Where batches always queue, the fastest ones still waited and the estimate is too high.
    """

    __slots__ = ("_shapes",)

    def __init__(self) -> None:
        self._shapes: dict[int, _Shape] = {}

    def learn(self, shape: int, latency_ns: int) -> int:
        """Add a latency; returns the unloaded latency of the shape, at most ``latency_ns``."""
        known = self._shapes.get(shape)
        if known is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.pop(next(iter(self._shapes)))
            known = self._shapes[shape] = _Shape(latency_ns)
        latencies = known.latencies
        latencies.append(latency_ns)
        if latency_ns < known.fastest_ns:
            if len(latencies) < REFRESH:
                known.fastest_ns = latency_ns
        elif len(latencies) < REMEMBERED:
            return known.fastest_ns
        if len(latencies) >= REMEMBERED:
            known.fastest_ns = sorted(latencies)[int(REMEMBERED * LOW_SHARE)]
            del latencies[:REFRESH]
        return min(known.fastest_ns, latency_ns)

    def unloaded_ns(self, shape: int) -> int | None:
        """The unloaded latency of a shape; None before one was seen."""
        known = self._shapes.get(shape)
        return known.fastest_ns if known else None
