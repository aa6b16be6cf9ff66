"""A change of one limit while it is typed: what it is now, what is allowed, and what would happen."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from rblntop.model import EngineChange, Limit, LimitKind, Limits, LimitValue, Snapshot
from rblntop.source.changes import LimitOrder
from rblntop.text.cells import clean

MAX_DIGITS = 7
MAX_REASON_BYTES = 128
TRIAL_S = 600.0
"""A change is tried for so long from when it has settled, unless somebody keeps it."""


class Phase(enum.Enum):
    """How far a draft has come."""

    EDITING = 0
    SENDING = 1
    REFUSED = 2


class Entry(enum.Enum):
    """Where typed characters go."""

    VALUE = 0
    REASON = 1


@dataclass(frozen=True, slots=True)
class LimitDraft:
    """What the operator has typed, what it would do, and why it was refused."""

    kind: LimitKind
    group: int | None = None
    """Of a group cap; None: all groups."""
    text: str = ""
    reason: str = ""
    entry: Entry = Entry.VALUE
    engines: tuple[str, ...] = ()
    """Instance ids of all engines it is for; empty: the one on the screen."""
    generation: int | None = None
    """The one that the operator saw: a change of other limits than these is refused."""
    phase: Phase = Phase.EDITING
    message: str = ""
    """The refusal."""
    outlook: tuple[EngineChange, ...] = ()
    """What the daemon says would happen with this value."""
    outlook_refusal: str = ""
    """Why the daemon would refuse it."""

    @property
    def value(self) -> int | None:
        """The number typed."""
        return int(self.text) if self.text else None

    @property
    def editable(self) -> bool:
        """Keys change it."""
        return self.phase is not Phase.SENDING

    def typed(self, text: str) -> LimitDraft:
        """With another number; a refusal is over, and what was foreseen was for the old one."""
        digits = text.lstrip("0")[:MAX_DIGITS] or text[:1]
        return replace(self, text=digits, phase=Phase.EDITING, message="", outlook=(), outlook_refusal="")

    def reasoned(self, text: str) -> LimitDraft:
        """With another reason, cut to what the audit log keeps."""
        while len(text.encode(errors="replace")) > MAX_REASON_BYTES:
            text = text[:-1]
        return replace(self, reason=text, phase=Phase.EDITING, message="")

    def moved(self, generation: int, because: str) -> LimitDraft:
        """Refused because the limits have moved on; the next Enter is for what they are now."""
        return replace(
            self, generation=generation, phase=Phase.REFUSED, message=because, outlook=(), outlook_refusal=""
        )


def open_draft(
    kind: LimitKind, group: int | None, snapshot: Snapshot, engines: tuple[str, ...] = ()
) -> LimitDraft:
    """A draft that holds the present value."""
    draft = LimitDraft(kind, group, engines=engines, generation=snapshot.limits.generation)
    limits = drafted_limits(draft, snapshot.limits)
    if not limits:
        return draft
    return replace(draft, text=str(min(limit.wanted for limit in limits)))


def order_of(draft: LimitDraft, snapshot: Snapshot, *, ttl_s: float | None) -> LimitOrder:
    """The draft as an order; its value has to be possible."""
    engine = snapshot.engine.instance_id or snapshot.engine.name
    values = tuple(
        LimitValue(limit.kind, limit.group, limit.target, draft.value)
        for limit in drafted_limits(draft, snapshot.limits)
    )
    return LimitOrder(draft.engines or (engine,), values, ttl_s, draft.generation, draft.reason.strip())


def drafted_limits(draft: LimitDraft, limits: Limits) -> tuple[Limit, ...]:
    """The limits that the draft is about."""
    if draft.kind is LimitKind.MAX_NUM_SEQS:
        return (limits.max_num_seqs,) if limits.max_num_seqs is not None else ()
    if draft.group is None:
        return limits.group_caps
    cap = limits.cap(draft.group)
    return (cap,) if cap is not None else ()


def problem(draft: LimitDraft, snapshot: Snapshot) -> str:
    """Why Enter would do nothing. Empty: it would set the limit."""
    limits = drafted_limits(draft, snapshot.limits)
    if not limits:
        return "this engine does not have this limit"
    for limit in limits:
        if not limit.available:
            return clean(limit.unavailable_reason) or "this limit cannot be changed on this engine"
    if snapshot.limits.trial is not None:
        return "a change is on trial: leave with Esc, then keep it with K or undo it with U"
    value = draft.value
    if value is None:
        return "type a number"
    floor, ceiling = max(limit.floor for limit in limits), min(limit.ceiling for limit in limits)
    if value < floor:
        return f"{value} is below {floor}: {floor_reason(draft, snapshot)}"
    if value > ceiling:
        return f"{value} is above {ceiling}: {ceiling_reason(draft, snapshot)}"
    if not draft.engines and all(limit.target == value for limit in limits):
        return "that is what it is now"
    return ""


def floor_reason(draft: LimitDraft, snapshot: Snapshot) -> str:
    """Why the smallest value is what it is."""
    if draft.kind is LimitKind.GROUP_CAP:
        return "a group must be able to decode one request"
    return f"each of the {snapshot.engine.pp_size} pipeline stages needs a request"


def ceiling_reason(draft: LimitDraft, snapshot: Snapshot) -> str:
    """Why the largest value is what it is."""
    engine = snapshot.engine
    limits = drafted_limits(draft, snapshot.limits)
    ceiling = min((limit.ceiling for limit in limits), default=0)
    if draft.kind is LimitKind.GROUP_CAP:
        if engine.decode_buckets and ceiling == engine.decode_buckets[-1]:
            return "the largest compiled decode bucket"
        return "what the engine was started with"
    if engine.max_num_seqs is not None and ceiling < engine.max_num_seqs:
        return f"{engine.pp_size} groups x {ceiling // max(engine.pp_size, 1)}, what was compiled"
    return "what the engine was started with"


def effect(draft: LimitDraft, snapshot: Snapshot) -> str:
    """What would happen to the running requests."""
    limits, value = snapshot.limits, draft.value
    if value is None:
        return ""
    if draft.kind is LimitKind.MAX_NUM_SEQS:
        admission = min(value, _caps_sum(limits, {}))
    else:
        groups = {limit.group: value for limit in drafted_limits(draft, limits)}
        seqs = limits.max_num_seqs.wanted if limits.max_num_seqs is not None else 0
        admission = min(seqs or _caps_sum(limits, groups), _caps_sum(limits, groups))
    over = snapshot.running - admission
    if over > 0:
        return f"{over} of {snapshot.running} running requests finish and are not replaced; none is preempted"
    if limits.admission_state.closed or limits.admission_state.paused_by_engine:
        return "nothing to drain, and none is admitted: admission is closed"
    if snapshot.waiting and admission > snapshot.running:
        more = min(admission - snapshot.running, snapshot.waiting)
        return f"up to {more} more of the {snapshot.waiting} waiting requests may run"
    return "nothing to drain"


def warning(draft: LimitDraft, snapshot: Snapshot) -> str:
    """What is allowed and still worth knowing."""
    value, pp_size = draft.value, snapshot.engine.pp_size
    if draft.kind is not LimitKind.MAX_NUM_SEQS or value is None or pp_size < 2 or value % pp_size == 0:
        return ""
    small, larger = divmod(value, pp_size)
    sizes = [small + (group < larger) for group in range(min(pp_size, 8))]
    return f"not a multiple of pp {pp_size}: the groups run " + "/".join(str(size) for size in sizes)


def _caps_sum(limits: Limits, changed: dict[int | None, int]) -> int:
    if not limits.group_caps:
        return 1 << 30
    return sum(changed.get(cap.group, cap.wanted) for cap in limits.group_caps)
