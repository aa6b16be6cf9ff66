"""What the operator chose to see: the lower part, the time of the graphs, the order of requests."""

from __future__ import annotations

from dataclasses import dataclass

from rblntop.blocks.request_rows import SORTS
from rblntop.trend import SPANS_S
from rblntop.view import VIEWS, View


@dataclass(slots=True)
class ViewChoice:
    """Moved by keys; the rest of the screen reads it from the scene."""

    view: View = View.GRAPHS
    span_s: int = 600
    zoomed: bool = False
    request_sort: str = SORTS[0]
    request_filter: str = ""
    first_row: int = 0
    """Of the requests or the events, whichever are shown."""

    def toggle(self, view: View) -> None:
        """Show a view; the key of the one that is shown goes back to the graphs."""
        self.show(View.GRAPHS if self.view is view else view)

    def show(self, view: View) -> None:
        """Show a view from its top."""
        self.view, self.first_row = view, 0

    def next_view(self, by: int) -> None:
        """The next view, and around."""
        self.show(VIEWS[(VIEWS.index(self.view) + by) % len(VIEWS)])

    def next_span(self) -> None:
        """1 min, 10 min, 1 h, 1 day, and around."""
        at = SPANS_S.index(self.span_s) if self.span_s in SPANS_S else -1
        self.span_s = SPANS_S[(at + 1) % len(SPANS_S)]

    def next_sort(self) -> None:
        """Requests by the next column."""
        at = SORTS.index(self.request_sort) if self.request_sort in SORTS else -1
        self.sort(SORTS[(at + 1) % len(SORTS)])

    def sort(self, column: str) -> None:
        """Requests by a column."""
        if column in SORTS:
            self.request_sort, self.first_row = column, 0

    @property
    def scrolls(self) -> bool:
        """The view is a list that the arrows move."""
        return self.view in (View.REQUESTS, View.EVENTS)

    def scroll(self, by: int, total: int, in_view: int) -> None:
        """Move the rows that are in view."""
        self.first_row = min(max(0, self.first_row + by), max(0, total - in_view))
