"""Which group a batch belongs to, and which requests belong to which group.

vLLM V1 has no object for a virtual engine: requests that were batched together ride the batch queue together,
and that cohort is the group. There are as many groups as batches in flight, and each batch in flight holds
one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from rblntopd.probe.ring_format import NO_GROUP

#: Steps whose members are kept apart before they are merged; bounds the search of :meth:`Rows.group_of`.
MAX_PENDING = 64


class Rows:
    """Assigns rows and groups to batches in O(rows), and knows the members of each group.

    A batch inherits the group of its first request if that row is free, else it takes the lowest free row.
    The bare index of the free slot would relabel a third of the decodes on RBLN, where prefills run alone.
    A lone prefill belongs to no group; its row is the lowest free one, whose turn it took.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._busy = 0
        # Newest last: a group-bearing batch and its members, by reference to the step's own dict.
        self._pending: list[tuple[int, Mapping[str, int]]] = []
        self._group: dict[str, int] = {}
        # Row of the lone prefill that a request without a group ran in last.
        self._prefill_row: dict[str, int] = {}

    def take(self, members: Mapping[str, int]) -> int:
        """The row, and group, of a batch with ``members``; it is busy until :meth:`free`."""
        row = self.predict(next(iter(members)))
        self._busy |= 1 << row
        self._pending.append((row, members))
        if len(self._pending) >= MAX_PENDING:
            self.merge()
        return row

    def take_for_prefill(self, request_id: str) -> int:
        """The row that a lone prefill is drawn in; it is busy until :meth:`free`."""
        row = self._lowest_free()
        self._busy |= 1 << row
        self._prefill_row[request_id] = row
        return row

    def free(self, row: int) -> None:
        """The batch in ``row`` completed, or was lost."""
        self._busy &= ~(1 << row)

    def predict(self, first: str) -> int:
        """The row that a batch would take whose first request is ``first``."""
        group = self.group_of(first)
        if group == NO_GROUP or self._busy >> group & 1:
            return self._lowest_free()
        return group

    def group_of(self, request_id: str) -> int:
        """Group of the latest group-bearing batch in which the request ran, or ``NO_GROUP``."""
        for group, members in reversed(self._pending):
            if request_id in members:
                return group
        return self._group.get(request_id, NO_GROUP)

    def merge(self) -> None:
        """Fold the steps since the last merge into request -> group, in order.

        The last batch of each row alone would give wrong sums: a request may have moved since.
        """
        for group, members in self._pending:
            self._group.update(dict.fromkeys(members, group))
        self._pending.clear()

    def running_per_group(self, running: Iterable[str]) -> tuple[list[int], int]:
        """Running requests by the row they were last scheduled in, and how many never were."""
        self.merge()
        ids = list(running)
        found = Counter(map(self._group.get, ids))
        if found[None]:
            # Not decoded yet: counted in the row that their prefill took.
            new = [request_id for request_id in ids if request_id not in self._group]
            found.update(map(self._prefill_row.get, new))
            found[None] -= len(new)
        return [found[row] for row in range(self.count)], found[None]

    def latest_row(self, request_id: str) -> int:
        """The row that the request was last scheduled in, as :meth:`running_per_group` counts it."""
        group = self._group.get(request_id)
        return self._prefill_row.get(request_id, NO_GROUP) if group is None else group

    def forget_finished(self, known: Mapping[str, object]) -> None:
        """Drop requests that the scheduler no longer knows, once they outnumber those it does."""
        if len(self._group) > 2 * len(known) + MAX_PENDING:
            self._group = {key: row for key, row in self._group.items() if key in known}
        if len(self._prefill_row) > len(known) + MAX_PENDING:
            self._prefill_row = {key: row for key, row in self._prefill_row.items() if key in known}

    def _lowest_free(self) -> int:
        """The lowest free row; row 0 where all are busy, as with one group and a deeper queue."""
        row = (~self._busy & (self._busy + 1)).bit_length() - 1
        return row if row < self.count else 0
