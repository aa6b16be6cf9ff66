"""Makes one scheduler keep to its limits. Nothing of it is touched before the first change."""

from __future__ import annotations

import operator
from typing import Any

from rblntopd.probe import plain_caps, rbln_budget
from rblntopd.probe.description import EngineFacts
from rblntopd.probe.hold import HeldOrder, HoldTurns
from rblntopd.probe.limits import LimitState, Targets
from rblntopd.probe.plain_caps import PlainCaps
from rblntopd.probe.rows import Rows
from rblntopd.probe.waiting import waiting_count

_request_id = operator.attrgetter("request_id")


class Enforcement:
    """Writes ``max_num_running_reqs`` and what bounds the decode batches of groups, step by step."""

    def __init__(self, scheduler: Any, facts: EngineFacts, rows: Rows, limits: LimitState) -> None:
        self.state = limits
        self._scheduler = scheduler
        self._rows = rows
        self.turns = HoldTurns()
        self._has_budget = facts.is_rbln and not rbln_budget.why_unsupported(scheduler)
        self.step_caps = rbln_budget.StepCaps(scheduler, limits, rows)
        self._held_order = HeldOrder(scheduler, limits, rows, self.turns)
        self._plain = PlainCaps(scheduler, limits, rows)
        # From vLLM 0.32 on admission has a bound of its own, never above max_num_running_reqs.
        self._most_active: int | None = getattr(scheduler, "max_num_active_reqs", None)
        self.active = False
        """Whether anything but the start-up limits is enforced."""
        self.needs_rows = False
        """Whether the next step depends on which batches are in flight."""

    @property
    def running(self) -> int:
        """Requests in the scheduler's running list."""
        return len(self._scheduler.running)

    @property
    def held(self) -> int:
        """Runnable decodes that hold kept out of the latest step."""
        return self._held_order.held if self.active and self.state.targets.hold else 0

    @property
    def held_ids(self) -> set[str]:
        """Ids of the requests that are held."""
        return self._held_order.held_ids if self.active and self.state.targets.hold else set()

    def accept(self, targets: Targets, *, step: int, now_ns: int) -> None:
        """Take over allowed targets. To be called under the lock that is held during ``schedule()``."""
        state = self.state
        members, _ = self._rows.running_per_group(map(_request_id, list(self._scheduler.running)))
        state.accept(targets, members=members, step=step, now_ns=now_ns)
        was_active, self.active = self.active, state.changed
        self.needs_rows = self.active and state.caps_set
        if was_active and not self.active:
            self.restore()

    def restore(self) -> None:
        """Give the scheduler back what it was started with, which is never below what runs.

        A fault comes here in the middle of a step as well, and its order and marks end with it.
        """
        self._plain.end_step()
        self._held_order.end_step()
        self._set_limit(self.state.start)
        rbln_budget.leave()

    def _set_limit(self, limit: int) -> None:
        self._scheduler.max_num_running_reqs = limit
        if self._most_active is not None:
            self._scheduler.max_num_active_reqs = min(limit, self._most_active)

    def begin_step(self) -> bool:
        """Set what this ``schedule()`` runs under, only while :attr:`active`; true if a group's cap fell."""
        scheduler, state = self._scheduler, self.state
        running = len(scheduler.running)
        drained = state.has_surplus(running)
        if drained:
            members, _ = self._rows.running_per_group(map(_request_id, scheduler.running))
            state.drain_excess(running, members)
        self._set_limit(state.effective(running))
        if state.targets.hold:
            self._held_order.begin_step()
        if self._has_budget:
            # Another engine of this process may have put the stock one back meanwhile.
            rbln_budget.install()
            rbln_budget.enter(self.step_caps)
        elif state.caps_set:
            self._plain.begin_step()
        return drained

    def end_step(self) -> Exception | None:
        """``schedule()`` ended; what went wrong of ours inside it, if anything did."""
        if self._has_budget:
            rbln_budget.leave()
        else:
            self._plain.end_step()
        self._held_order.end_step()
        return self.step_caps.fault

    def holds_back(self) -> bool:
        """Whether a limit of ours, and not the engine's own, keeps requests out now."""
        state, scheduler = self.state, self._scheduler
        if not self.active:
            return False
        return self.held > 0 or (
            waiting_count(scheduler) > 0
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
    return _why_no_slots(facts) or rbln_budget.why_unsupported(scheduler)


def _why_no_group_caps(scheduler: Any, facts: EngineFacts, observe_only: bool) -> str:
    if reason := _why_no_max_num_seqs(scheduler, facts, observe_only):
        return reason
    if facts.is_rbln:
        return ""
    return plain_caps.why_unsupported(scheduler) or _why_no_slots(facts)


def _why_no_slots(facts: EngineFacts) -> str:
    if facts.pp_size > 1 and facts.queue_depth != facts.pp_size:
        return f"the batch queue holds {facts.queue_depth} batches, not pp_size={facts.pp_size}"
    return ""
