"""Carries what one engine instance does into the history of its name, second by second."""

from __future__ import annotations

from collections.abc import Sequence

from rblntopd.history.history import BLOCK_S, History
from rblntopd.history.row import Row
from rblntopd.history.sampled_seconds import SampledSeconds
from rblntopd.history.second_row import second_row, token_gaps
from rblntopd.metrics.cells import NS
from rblntopd.metrics.timeline import Timeline
from rblntopd.probe.ring_format import InFlight

#: A second is kept this much later: a long prefill changes seconds before the one in which it completes.
LAG_S = 5


class HistoryWriter:
    """The one writer of a history while its instance lives."""

    def __init__(
        self, history: History, timeline: Timeline, sampled: SampledSeconds, slots: int, first_second: int
    ) -> None:
        self._history = history
        self._timeline = timeline
        self._sampled = sampled
        self._slots = slots
        self.next = first_second
        """The second to be kept next."""

    def follow(self, known_to_ns: int, in_flight: Sequence[InFlight], *, ended: bool, limit: int) -> bool:
        """Keep the seconds that are over and will not change, at most ``limit``; true if there are more.

        Args:
            known_to_ns: up to when everything is known.
            in_flight: batches scheduled and not yet in the timeline.
            ended: nothing will follow: the last second is kept as it is.
            limit: how many seconds to keep at most.
        """
        end = -(-known_to_ns // NS) if ended else known_to_ns // NS - LAG_S
        self.next = self._oldest()
        stop = min(end, self.next + limit)
        while self.next < stop:
            self._history.put(self.next, self._row(self.next, known_to_ns, in_flight))
            self.next += 1
            if self.next % BLOCK_S == 0:
                self._close_block(self.next // BLOCK_S - 1)
        if ended and self.next == end and end % BLOCK_S:
            # Its successor, if it comes within the block, makes the row again.
            self._history.close_block(end // BLOCK_S)
        return self.next < end

    def latest(self, known_to_ns: int, in_flight: Sequence[InFlight]) -> dict[int, Row]:
        """The seconds that are over and were not kept yet, as they look now."""
        end = known_to_ns // NS
        return {second: self._row(second, known_to_ns, in_flight) for second in range(self._oldest(), end)}

    def _oldest(self) -> int:
        """The next second; what the timeline no longer holds is lost to history, too."""
        cells = self._timeline.cells
        return max(self.next, -(-cells.base * cells.width_ns // NS)) if cells.size else self.next

    def _row(self, second: int, known_to_ns: int, in_flight: Sequence[InFlight]) -> Row:
        looks = self._sampled.looks(second)
        return second_row(self._timeline, looks, second, known_to_ns, in_flight, self._slots)

    def _close_block(self, block: int) -> None:
        timeline, begin = self._timeline, block * BLOCK_S
        whole = (
            0 < timeline.covered_from_ns <= begin * NS
            and timeline.cells.base * timeline.cells.width_ns <= begin * NS
        )
        gaps = token_gaps(timeline, begin, BLOCK_S)[1:] if whole else None
        self._history.close_block(block, gaps)
