"""A change of one limit while it is typed: what it is now, what is allowed, and what would happen."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from rblntop.model import Limit, LimitKind, Limits, Snapshot
from rblntop.text.cells import clean

MAX_DIGITS = 7


class Phase(enum.Enum):
    """How far a change has come."""

    EDITING = 0
    SENDING = 1
    REFUSED = 2
    ACCEPTED = 3
    IN_FORCE = 4
    SETTLED = 5


@dataclass(frozen=True, slots=True)
class LimitDraft:
    """What the operator has typed, and what became of it."""

    kind: LimitKind
    group: int | None = None
    """Of a group cap; None: all groups."""
    text: str = ""
    phase: Phase = Phase.EDITING
    message: str = ""
    """The refusal, or the warnings of an accepted change."""
    generation: int | None = None
    in_force_step: int | None = None
    settled_step: int | None = None

    @property
    def value(self) -> int | None:
        """The number typed."""
        return int(self.text) if self.text else None

    @property
    def sent(self) -> bool:
        """Accepted, or better."""
        return self.phase.value >= Phase.ACCEPTED.value

    @property
    def editable(self) -> bool:
        """Keys change the number."""
        return self.phase in (Phase.EDITING, Phase.REFUSED)

    def typed(self, text: str) -> LimitDraft:
        """With another number; a refusal is over."""
        digits = text.lstrip("0")[:MAX_DIGITS] or text[:1]
        return replace(self, text=digits, phase=Phase.EDITING, message="")


def open_draft(kind: LimitKind, group: int | None, snapshot: Snapshot) -> LimitDraft:
    """A draft that holds the present value."""
    draft = LimitDraft(kind, group)
    limits = drafted_limits(draft, snapshot.limits)
    if not limits:
        return draft
    return replace(draft, text=str(min(limit.wanted for limit in limits)))


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
        name = clean(snapshot.limits.trial.change_id)
        return f"a change is on trial: rblnctl confirm|cancel {name}"
    value = draft.value
    if value is None:
        return "type a number"
    floor, ceiling = max(limit.floor for limit in limits), min(limit.ceiling for limit in limits)
    if value < floor:
        return f"{value} is below {floor}: {floor_reason(draft, snapshot)}"
    if value > ceiling:
        return f"{value} is above {ceiling}: {ceiling_reason(draft, snapshot)}"
    if all(limit.target == value for limit in limits):
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


def follow(draft: LimitDraft, snapshot: Snapshot) -> LimitDraft:
    """How far the change has come, by a later snapshot."""
    limits = snapshot.limits
    if not draft.sent or draft.generation is None or limits.generation < draft.generation:
        return draft
    if limits.in_force_step is None:
        return draft
    phase = Phase.SETTLED if limits.settled_step is not None else Phase.IN_FORCE
    if phase.value < draft.phase.value:
        return draft
    return replace(
        draft,
        phase=phase,
        in_force_step=draft.in_force_step or limits.in_force_step,
        settled_step=limits.settled_step,
    )


def _caps_sum(limits: Limits, changed: dict[int | None, int]) -> int:
    if not limits.group_caps:
        return 1 << 30
    return sum(changed.get(cap.group, cap.wanted) for cap in limits.group_caps)
