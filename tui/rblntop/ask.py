"""What is asked before admission is closed or opened, limits are reset, or a change is undone."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from rblntop.limit_draft import MAX_REASON_BYTES, TRIAL_S, Phase
from rblntop.model import Limit, LimitValue, LoggedChange, Snapshot
from rblntop.source.changes import AdmissionOrder, LimitOrder, Order, ResetOrder
from rblntop.text.cells import clean

MAX_MINUTES = 7 * 24 * 60
MAX_DIGITS = 5


class Subject(enum.Enum):
    """What is asked about."""

    CLOSE = "close"
    OPEN = "open"
    RESET = "reset"
    UNDO = "undo"
    EXPLAIN = "explain"
    """Nothing is asked: it is only read."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question about one engine, and what was typed so far."""

    subject: Subject
    instance_id: str
    generation: int = 0
    minutes: str = "30"
    """For how long the admission is closed, unless ``until_opened``."""
    until_opened: bool = False
    reason: str = ""
    in_reason: bool = False
    """Typed characters go to the reason."""
    undone: LoggedChange | None = None
    """The kept change whose earlier values are to be tried."""
    phase: Phase = Phase.EDITING
    message: str = ""
    """The refusal."""

    @property
    def editable(self) -> bool:
        """Keys change it."""
        return self.phase is not Phase.SENDING

    def typed(self, text: str) -> Ask:
        """With other characters where they go now."""
        if self.in_reason:
            while len(text.encode(errors="replace")) > MAX_REASON_BYTES:
                text = text[:-1]
            return replace(self, reason=text, phase=Phase.EDITING, message="")
        return replace(
            self, minutes=text.lstrip("0")[:MAX_DIGITS], until_opened=False, phase=Phase.EDITING, message=""
        )

    @property
    def text(self) -> str:
        """What was typed where characters go now."""
        return self.reason if self.in_reason else self.minutes


def ask_admission(snapshot: Snapshot) -> Ask:
    """Close it, or open it if it is closed."""
    subject = Subject.OPEN if snapshot.limits.admission_state.closed else Subject.CLOSE
    return ask_about(subject, snapshot)


def ask_about(subject: Subject, snapshot: Snapshot, undone: LoggedChange | None = None) -> Ask:
    """A question about the engine as it was seen."""
    engine, generation = snapshot.engine, snapshot.limits.generation
    in_reason = subject is not Subject.CLOSE
    return Ask(subject, engine.instance_id, generation, in_reason=in_reason, undone=undone)


def ask_problem(ask: Ask, snapshot: Snapshot) -> str:
    """Why Enter would do nothing. Empty: it would do what is asked."""
    state = snapshot.limits.admission_state
    if ask.subject is Subject.CLOSE:
        if state.closed:
            return "admission is closed by now"
        if not state.available and state.unavailable_reason:
            return clean(state.unavailable_reason)
        if not ask.until_opened and not 1 <= int(ask.minutes or 0) <= MAX_MINUTES:
            return f"1 to {MAX_MINUTES} minutes (7 days), or until it is opened (arrow keys)"
    if ask.subject is Subject.OPEN and not state.closed:
        return "admission is open by now"
    if ask.subject is Subject.RESET and not reset_values(snapshot) and snapshot.limits.trial is None:
        return "nothing is set: the engine runs as it was started"
    if ask.subject is Subject.UNDO:
        if snapshot.limits.trial is not None:
            return "a change is on trial: leave with Esc, then keep it with K or undo it with U"
        if not undo_values(ask, snapshot):
            return "its earlier values are in force by now"
    return ""


def ask_order(ask: Ask, snapshot: Snapshot) -> Order:
    """What Enter asks for; it has to be possible."""
    engine, reason = ask.instance_id or snapshot.engine.name, ask.reason.strip()
    if ask.subject in (Subject.CLOSE, Subject.OPEN):
        closes = ask.subject is Subject.CLOSE
        ttl_s = None if ask.until_opened or not closes else int(ask.minutes) * 60.0
        return AdmissionOrder(engine, closes, ttl_s, ask.generation if closes else None, reason)
    if ask.subject is Subject.RESET:
        return ResetOrder(engine, reason)
    return LimitOrder((engine,), undo_values(ask, snapshot), TRIAL_S, ask.generation, reason)


def reset_values(snapshot: Snapshot) -> tuple[LimitValue, ...]:
    """What a reset would move."""
    return tuple(
        LimitValue(limit.kind, limit.group, limit.target, None)
        for limit in _limits(snapshot)
        if limit.target is not None
    )


def undo_values(ask: Ask, snapshot: Snapshot) -> tuple[LimitValue, ...]:
    """The values before the change, of those limits that are not at them."""
    if ask.undone is None:
        return ()
    now = {(limit.kind, limit.group): limit for limit in _limits(snapshot)}
    return tuple(
        LimitValue(value.kind, value.group, now[value.kind, value.group].target, value.old)
        for value in ask.undone.values
        if (value.kind, value.group) in now and now[value.kind, value.group].target != value.old
    )


def _limits(snapshot: Snapshot) -> list[Limit]:
    limits = snapshot.limits
    return [limit for limit in (limits.max_num_seqs, *limits.group_caps) if limit is not None]
