"""What the probe would make of a change, by its own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from rblntopd.engines.description import Description
from rblntopd.engines.engine import Engine
from rblntopd.engines.foreign_text import from_ring
from rblntopd.probe import ring_format as fmt
from rblntopd.probe.limits import LimitChange, LimitState, Targets
from rblntopd.probe.limits_block import limits_block
from rblntopd.probe.ring_format import LimitFlags, Live
from rblntopd.probe.trial import Trial

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """What an engine showed when it was asked."""

    block: fmt.Limits
    description: Description
    running: int
    members: tuple[int, ...]
    """Running requests of each group."""
    step: int

    def limit_state(self) -> LimitState:
        """The limits as the probe has them."""
        block, description = self.block, self.description
        state = LimitState(
            start=description.max_num_seqs or block.max_num_seqs_ceiling,
            group_count=min(block.group_count, fmt.MAX_GROUPS),
            floor=block.max_num_seqs_floor,
            ceiling=block.max_num_seqs_ceiling,
            cap_ceiling=block.cap_ceiling,
            max_num_seqs_reason=description.max_num_seqs_control.reason,
            group_cap_reason=description.group_cap_control.reason,
        )
        groups = state.group_count
        state.generation = block.generation
        state.targets = _targets(
            block.max_num_seqs_target, block.cap_targets[:groups], block.flags & LimitFlags.HOLD
        )
        state.excess = list(block.cap_excess[:groups])
        state.accepted_step, state.accepted_ns = block.accepted_step, block.accepted_ns
        state.in_force_step, state.settled_step = block.in_force_step, block.settled_step
        return state

    def trial(self) -> Trial | None:
        """The change that is on trial."""
        block = self.block
        if not block.trial_generation:
            return None
        before = _targets(
            block.revert_max_num_seqs,
            block.revert_caps[: block.group_count],
            block.flags & LimitFlags.REVERT_HOLD,
        )
        trial = Trial(
            from_ring(block.trial_id), before, block.trial_generation, block.trial_ttl_ms * NS_PER_MS, 0
        )
        if block.trial_deadline_ns:
            trial.settled_ns = block.trial_deadline_ns - trial.ttl_ns
        return trial


def moment_of(engine: Engine) -> Moment | None:
    """The moment as the ring shows it now; None: it shows no limits.

    Raises:
        RingFileError: the ring cannot be read any more.
    """
    reader = engine.reader
    block, sample, live = reader.limits(), reader.sample(), reader.live()
    if block is None:
        return None
    groups = min(block.group_count, fmt.MAX_GROUPS)
    return Moment(
        block=block,
        description=engine.description,
        running=sample.running if sample else live[Live.RUNNING],
        members=sample.group_running[:groups] if sample else (0,) * groups,
        step=live[Live.STEP],
    )


@dataclass(frozen=True, slots=True)
class Prediction:
    """The limits as they would be."""

    state: LimitState
    block: fmt.Limits


def after_change(moment: Moment, change: LimitChange, change_id: str, ttl_ms: int) -> Prediction:
    """After new limits were accepted; on trial where there is a ttl.

    Raises:
        LimitError: the probe would refuse them.
    """
    state = moment.limit_state()
    before = state.targets
    state.accept(state.wanted(change), members=moment.members, step=moment.step, now_ns=0)
    trial = Trial(change_id, before, state.generation, ttl_ms * NS_PER_MS, 0) if ttl_ms else None
    return _shown(moment, state, trial, moment.block.flags)


def after_reset(moment: Moment) -> Prediction:
    """After all limits went back to what the engine was started with."""
    state = moment.limit_state()
    unset = Targets(None, (None,) * state.group_count)
    if state.targets != unset or moment.block.trial_generation:
        state.accept(unset, members=moment.members, step=moment.step, now_ns=0)
    return _shown(moment, state, None, moment.block.flags)


def after_close(moment: Moment, until_ns: int) -> Prediction:
    """After admission was closed; ``until_ns`` is 0 where it stays closed until it is opened."""
    state = moment.limit_state()
    state.count_change(moment.step, 0)
    return _shown(moment, state, moment.trial(), moment.block.flags | LimitFlags.CLOSED, until_ns)


def _targets(max_num_seqs: int, caps: tuple[int, ...], hold: int) -> Targets:
    return Targets(max_num_seqs or None, tuple(cap or None for cap in caps), bool(hold))


def _shown(
    moment: Moment, state: LimitState, trial: Trial | None, flags: int, until_ns: int | None = None
) -> Prediction:
    """The block that the probe would write: made by its own function, from what it would hold."""
    changes = SimpleNamespace(
        enforcement=SimpleNamespace(state=state, running=moment.running, active=state.changed),
        admission=SimpleNamespace(
            closed=bool(flags & LimitFlags.CLOSED),
            paused_by_others=bool(flags & LimitFlags.PAUSED),
            until_ns=moment.block.closed_until_ns if until_ns is None else until_ns,
        ),
        trial=trial,
    )
    return Prediction(state, limits_block(cast(Any, changes)))
