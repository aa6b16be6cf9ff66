"""Makes one scheduler keep to its limits. Nothing of it is touched before the first change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rblntopd.probe import rbln_budget
from rblntopd.probe.description import EngineFacts
from rblntopd.probe.limits import LimitState
from rblntopd.probe.rows import Rows


class Enforcement:
    """Writes ``max_num_running_reqs`` and, on RBLN, the decode budget, step by step."""

    def __init__(self, scheduler: Any, facts: EngineFacts, rows: Rows, limits: LimitState) -> None:
        self.state = limits
        self._scheduler = scheduler
        self._rows = rows
        self._has_budget = facts.is_rbln and not rbln_budget.why_unsupported(scheduler)
        self.step_caps = rbln_budget.StepCaps(scheduler, limits, rows)
        self.active = False
        """Whether anything but the start-up limits is enforced."""

    def change(
        self,
        max_num_seqs: int | None,
        group_caps: Mapping[int, int],
        *,
        step: int,
        now_ns: int,
    ) -> list[str]:
        """Accept new targets. To be called under the lock that is held during ``schedule()``.

        Raises:
            LimitError: see :meth:`LimitState.change`; nothing was changed.
        """
        members, _ = self._rows.running_per_group(request.request_id for request in self._scheduler.running)
        warnings = self.state.change(max_num_seqs, group_caps, members=members, step=step, now_ns=now_ns)
        was_active, self.active = self.active, self.state.changed
        if self.active and self._has_budget:
            rbln_budget.install()
        if was_active and not self.active:
            self.restore()
        return warnings

    def restore(self) -> None:
        """Give the scheduler back what it was started with, which is never below what runs."""
        self._scheduler.max_num_running_reqs = self.state.start
        rbln_budget.leave()

    def begin_step(self) -> bool:
        """Set what this ``schedule()`` runs under, only while :attr:`active`; true if a group's cap fell."""
        scheduler, state = self._scheduler, self.state
        running = len(scheduler.running)
        drained = state.has_surplus(running)
        if drained:
            members, _ = self._rows.running_per_group(request.request_id for request in scheduler.running)
            state.drain_excess(running, members)
        scheduler.max_num_running_reqs = state.effective(running)
        if self._has_budget:
            rbln_budget.enter(self.step_caps)
        return drained

    def end_step(self) -> Exception | None:
        """``schedule()`` ended; what went wrong of ours inside it, if anything did."""
        if self._has_budget:
            rbln_budget.leave()
        return self.step_caps.fault

    def holds_back(self) -> bool:
        """Whether a limit of ours, and not the engine's own, keeps waiting requests out now."""
        state, scheduler = self.state, self._scheduler
        waiting = len(scheduler.waiting) + len(scheduler.skipped_waiting)
        return (
            self.active
            and waiting > 0
            and state.admission < state.ceiling
            and len(scheduler.running) >= state.admission
        )


def limits_of(scheduler: Any, facts: EngineFacts, observe_only: bool) -> LimitState:
    """The limits that this engine can have, chosen by capability and not by version."""
    groups, start = facts.group_count, facts.max_num_seqs
    largest = facts.buckets[-1] if facts.buckets else start // facts.pp_size if facts.is_rbln else start
    return LimitState(
        start=start,
        group_count=groups,
        floor=facts.pp_size,
        ceiling=facts.pp_size * (start // facts.pp_size) if facts.is_rbln else start,
        cap_ceiling=largest,
        max_num_seqs_reason=_why_no_max_num_seqs(scheduler, facts, observe_only),
        group_cap_reason=_why_no_group_caps(scheduler, facts, observe_only),
    )


def _why_no_max_num_seqs(scheduler: Any, facts: EngineFacts, observe_only: bool) -> str:
    if observe_only:
        return "RBLNTOP_PROBE=observe"
    name = type(scheduler).__name__
    if "Optimum" in name:
        return f"{name} derives a dummy block from the live limit"
    live = getattr(scheduler, "max_num_running_reqs", None)
    if not isinstance(live, int):
        return f"{name} has no max_num_running_reqs"
    if live != facts.max_num_seqs:
        return f"{name} starts with max_num_running_reqs={live}, not max_num_seqs={facts.max_num_seqs}"
    if not facts.is_rbln:
        return ""
    if facts.pp_size > 1 and facts.queue_depth != facts.pp_size:
        return f"the batch queue holds {facts.queue_depth} batches, not pp_size={facts.pp_size}"
    return rbln_budget.why_unsupported(scheduler)


def _why_no_group_caps(scheduler: Any, facts: EngineFacts, observe_only: bool) -> str:
    if reason := _why_no_max_num_seqs(scheduler, facts, observe_only):
        return reason
    if not facts.is_rbln:
        return f"{type(scheduler).__name__} has no decode batch budget"
    return ""
