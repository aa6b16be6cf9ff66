"""The limits block of the ring: what an operator is shown of the limits and of what is pending."""

from __future__ import annotations

from rblntopd.probe.changes import NS_PER_MS, Changes
from rblntopd.probe.control_format import cut
from rblntopd.probe.journal import flags
from rblntopd.probe.ring_format import ID_SIZE, LimitFlags, Limits


def limits_block(changes: Changes) -> Limits:
    """The block as of now."""
    enforcement, trial, admission = changes.enforcement, changes.trial, changes.admission
    state = enforcement.state
    caps = [cap or 0 for cap in state.targets.caps]
    found = flags(state.targets, admission.closed)
    if admission.paused_by_others:
        found |= LimitFlags.PAUSED
    if trial is not None and trial.before.hold:
        found |= LimitFlags.REVERT_HOLD
    return Limits(
        generation=state.generation,
        accepted_ns=state.accepted_ns,
        accepted_step=state.accepted_step,
        in_force_step=state.in_force_step,
        settled_step=state.settled_step,
        max_num_seqs_ceiling=state.ceiling,
        max_num_seqs_target=state.targets.max_num_seqs or 0,
        max_num_seqs_effective=state.effective(enforcement.running) if enforcement.active else state.start,
        admission=state.admission,
        group_count=state.group_count,
        cap_ceiling=state.cap_ceiling,
        max_num_seqs_floor=state.floor,
        flags=found,
        trial_generation=trial.generation if trial else 0,
        trial_ttl_ms=trial.ttl_ns // NS_PER_MS if trial else 0,
        trial_deadline_ns=trial.deadline_ns if trial else 0,
        closed_until_ns=admission.until_ns,
        revert_max_num_seqs=trial.before.max_num_seqs or 0 if trial else 0,
        trial_id=cut(trial.change_id, ID_SIZE) if trial else b"",
        cap_targets=tuple(caps),
        cap_effective=tuple(state.batch_cap(group) if cap else 0 for group, cap in enumerate(caps)),
        cap_excess=tuple(state.excess),
        revert_caps=tuple(cap or 0 for cap in trial.before.caps) if trial else (),
    )
