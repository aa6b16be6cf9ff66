"""What the daemon itself costs."""

from __future__ import annotations

import time

#: A shorter span would show the noise of one tick.
SPAN_S = 1.0


class CpuShare:
    """The share of one core that this process used lately, all its threads together."""

    def __init__(self) -> None:
        self._at_s = time.monotonic()
        self._used_s = time.process_time()
        self._ratio: float | None = None

    def ratio(self) -> float | None:
        """Of one core, over the last second or more; None in the first second."""
        now_s = time.monotonic()
        if now_s - self._at_s >= SPAN_S:
            used_s = time.process_time()
            self._ratio = (used_s - self._used_s) / (now_s - self._at_s)
            self._at_s, self._used_s = now_s, used_s
        return self._ratio
