"""What a recording knows beside its snapshots, in the words of a daemon that remembers."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.change_rows import what_changed
from rblntop.lookback import COLUMNS
from rblntop.model import Event, EventKind, EventSeverity, History, HistorySeries, LoggedChange
from rblntop.model.change import ChangeAction, ChangeResult
from rblntop.text.cells import clean
from rblntop.trend import TrendPoint

KIND_OF = {
    ChangeAction.TRY: EventKind.TRIAL_STARTED,
    ChangeAction.CONFIRM: EventKind.TRIAL_KEPT,
    ChangeAction.CANCEL: EventKind.TRIAL_REVERTED,
    ChangeAction.REVERT: EventKind.TRIAL_REVERTED,
    ChangeAction.EXTEND: EventKind.TRIAL_EXTENDED,
}


def event_of(number: int, change: LoggedChange) -> Event:
    """A line of the audit log as the event that it was."""
    kind = KIND_OF.get(change.action, EventKind.LIMITS_CHANGED)
    if change.result is ChangeResult.REFUSED:
        kind = EventKind.CHANGE_REFUSED
    text = f"{clean(change.caller) or 'somebody'}: {what_changed(change)}"
    return Event(
        number,
        kind,
        EventSeverity.INFO,
        change.time_s,
        change.engine,
        text=text,
        generation=change.generation,
        change=change,
    )


def history_of(engine: str, points: Sequence[TrendPoint], last_s: float) -> History:
    """Points of a second each, oldest first, as a history of such rows; the last ``last_s`` seconds."""
    if not points:
        return History(engine)
    start_s = max(int(points[0].time_s), int(points[-1].time_s - last_s))
    rows: list[tuple[float | None, ...]] = [(None,) * len(COLUMNS)] * (int(points[-1].time_s) - start_s + 1)
    for point in points:
        if 0 <= int(point.time_s) - start_s < len(rows):
            rows[int(point.time_s) - start_s] = point.values
    columns = zip(*rows, strict=True)
    series = tuple(HistorySeries(name, None, values) for name, values in zip(COLUMNS, columns, strict=True))
    return History(engine, float(start_s), 1.0, len(rows), series)
