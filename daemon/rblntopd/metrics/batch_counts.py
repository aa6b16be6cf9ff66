"""How often a group ran which decode batch, for the last minute."""

from __future__ import annotations

from collections.abc import Iterator

SECONDS = 60


class BatchCounts:
    """Counts of (requests, bucket) by the second in which the steps completed.

    By the second, and as one number a batch: it is written for every decode of every engine of the host.
    """

    __slots__ = ("_seconds", "latest", "second")

    def __init__(self) -> None:
        self.second = -1
        self.latest: dict[int, int] = {}
        """The counts of ``second``, by ``requests << 16 | bucket``."""
        self._seconds: dict[int, dict[int, int]] = {}

    def open_second(self, second: int) -> dict[int, int]:
        """The counts of ``second``, which becomes :attr:`second`."""
        self.second = second
        self.latest = self._seconds.setdefault(second, {})
        if len(self._seconds) > SECONDS + 1:
            for old in [known for known in self._seconds if known < second - SECONDS]:
                del self._seconds[old]
        return self.latest

    def since(self, second: int) -> Iterator[tuple[int, int, int]]:
        """Requests, bucket (0: none) and count of the decode batches that ran in ``second`` or later."""
        for known, counts in self._seconds.items():
            if known >= second:
                for batch, count in counts.items():
                    yield batch >> 16, batch & 0xFFFF, count
