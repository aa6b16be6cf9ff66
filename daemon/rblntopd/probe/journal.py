"""The entries of the journal: every accepted change with who made it, kept in the ring for the audit log."""

from __future__ import annotations

import time

from rblntopd.probe.control_format import Request, cut
from rblntopd.probe.limits import LimitState, Targets
from rblntopd.probe.ring_format import (
    CALLER_SIZE,
    ID_SIZE,
    REASON_SIZE,
    Action,
    JournalEntry,
    LimitFlags,
)

#: Who it was where nobody asked.
SELF = "probe"


def entry(
    action: Action,
    request: Request | None,
    state: LimitState,
    step: int,
    *,
    before: Targets,
    closed_before: bool,
    closed: bool,
    change_id: str = "",
    ttl_ms: int = 0,
) -> JournalEntry:
    """The entry of a change that was just accepted; ``request`` is None where the probe made it by itself."""
    return JournalEntry(
        real_ns=time.time_ns(),
        mono_ns=state.accepted_ns,
        step=step,
        generation=state.generation,
        ttl_ms=ttl_ms,
        old_max_num_seqs=before.max_num_seqs or 0,
        new_max_num_seqs=state.targets.max_num_seqs or 0,
        action=action,
        old_flags=flags(before, closed_before),
        new_flags=flags(state.targets, closed),
        change_id=cut(change_id or (request.change_id if request else ""), ID_SIZE),
        caller=cut(request.caller if request else SELF, CALLER_SIZE),
        reason=cut(request.reason if request else "", REASON_SIZE),
        old_caps=tuple(cap or 0 for cap in before.caps),
        new_caps=tuple(cap or 0 for cap in state.targets.caps),
    )


def flags(targets: Targets, closed: bool) -> LimitFlags:
    """What was asked for besides numbers."""
    return (LimitFlags.HOLD if targets.hold else LimitFlags.NONE) | (
        LimitFlags.CLOSED if closed else LimitFlags.NONE
    )
