"""What the lower part of the screen shows."""

from __future__ import annotations

import enum


class View(enum.Enum):
    """The operator's choice; the upper part stays."""

    GRAPHS = "graphs"
    """Graphs, devices, changes and the oldest waiting requests."""
    DETAIL = "detail"
    """Windows, batches in flight, causes of empty slots, the engine."""
    REQUESTS = "requests"
    EVENTS = "events"


VIEWS = tuple(View)
