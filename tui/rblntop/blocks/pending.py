"""What is not as it will stay: a change on trial, a closed admission, requests that are held back."""

from __future__ import annotations

from rblntop.model import Snapshot
from rblntop.text.cells import clean
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, plain
from rblntop.time_left import reverts, time_left


def pending(snapshot: Snapshot, *, commands: bool = True) -> list[Line]:
    """One line for each, with the command that ends it where there is room for commands."""
    lines = [_closed(snapshot, commands), _trial(snapshot, commands), _held(snapshot)]
    return [line for line in lines if line]


def pending_text(snapshot: Snapshot) -> list[str]:
    """The same without colours."""
    return [plain(line) for line in pending(snapshot)]


def _closed(snapshot: Snapshot, commands: bool) -> Line:
    state = snapshot.limits.admission_state
    if not state.closed:
        if not state.paused_by_engine:
            return ()
        return (
            Span("admission PAUSED", Role.WATCH),
            Span(" by somebody else (vLLM's /pause)", Role.TEXT),
        )
    until = (
        "until it is opened"
        if state.closed_until_s is None
        else f"opens in {time_left(snapshot, state.closed_until_s)}"
    )
    line: Line = (Span("admission CLOSED", Role.WATCH), Span(f", {until}", Role.TEXT))
    if commands:
        line += (Span(f": rblnctl admission open {clean(snapshot.engine.name)}", Role.LABEL),)
    return line


def _trial(snapshot: Snapshot, commands: bool) -> Line:
    trial = snapshot.limits.trial
    if trial is None:
        return ()
    when = f", {reverts(snapshot, trial)} unless kept"
    if trial.reverts_at_s is None and not commands:
        # Beside it stands what drains.
        when = f" for {duration(trial.ttl_s)} once settled"
    line: Line = (Span("on trial", Role.NOTE), Span(when, Role.TEXT))
    if commands:
        line += (Span(f": rblnctl confirm {clean(trial.change_id)}", Role.LABEL),)
    return line


def _held(snapshot: Snapshot) -> Line:
    if not snapshot.held:
        return ()
    return (Span(f"{snapshot.held} held", Role.NOTE), Span(" back in turns", Role.TEXT))
