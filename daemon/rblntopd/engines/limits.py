"""The limits of an engine as an operator reads them, from the ring's limits block."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rblntopd.engines.description import Description
from rblntopd.engines.foreign_text import from_ring
from rblntopd.probe import ring_format as fmt
from rblntopd.probe.ring_format import LimitFlags


class LimitKind(enum.Enum):
    """Which limit."""

    MAX_NUM_SEQS = "max_num_seqs"
    GROUP_CAP = "group_cap"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as it is now."""

    kind: LimitKind
    group: int | None
    """None: the limit is of the engine."""
    floor: int
    ceiling: int
    target: int | None
    """None: nobody set it."""
    effective: int
    available: bool
    unavailable_reason: str
    reverts_to: int | None = None
    """What the trial reverts it to; None: nobody had set it, or nothing is on trial."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The change that is undone by itself unless it is kept."""

    change_id: str
    generation: int
    ttl_ms: int
    deadline_ns: int | None
    """CLOCK_MONOTONIC; None: the change has not settled, from when on the time runs."""


@dataclass(frozen=True, slots=True)
class AdmissionState:
    """Whether waiting requests are admitted."""

    closed: bool = False
    """Through rblntop."""
    until_ns: int | None = None
    """When it opens by itself (CLOCK_MONOTONIC); None: when it is opened."""
    paused: bool = False
    """By somebody else (vLLM's /pause)."""
    available: bool = False
    unavailable_reason: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of an engine, as one consistent reading."""

    generation: int
    limits: tuple[Limit, ...]
    admission: int
    admission_from: LimitKind
    accepted_step: int
    accepted_ns: int
    """CLOCK_MONOTONIC."""
    in_force_step: int | None
    settled_step: int | None
    hold: bool | None = None
    """Whether group caps hold the excess back (else it drains); None: no cap is set."""
    trial: Trial | None = None
    admission_state: AdmissionState = AdmissionState()


def limits_of(block: fmt.Limits, description: Description) -> Limits:
    """The limits block in the operator's terms."""
    groups = min(block.group_count, fmt.MAX_GROUPS)
    caps = block.cap_targets[:groups]
    trial = _trial(block)
    found = [
        Limit(
            kind=LimitKind.MAX_NUM_SEQS,
            group=None,
            floor=block.max_num_seqs_floor,
            ceiling=block.max_num_seqs_ceiling,
            target=block.max_num_seqs_target or None,
            effective=block.max_num_seqs_effective,
            available=description.max_num_seqs_control.available,
            unavailable_reason=description.max_num_seqs_control.reason,
            reverts_to=block.revert_max_num_seqs or None if trial else None,
        )
    ]
    found += [
        Limit(
            kind=LimitKind.GROUP_CAP,
            group=group,
            floor=1,
            ceiling=block.cap_ceiling,
            target=cap or None,
            effective=block.cap_effective[group] or block.cap_ceiling,
            available=description.group_cap_control.available,
            unavailable_reason=description.group_cap_control.reason,
            reverts_to=block.revert_caps[group] or None if trial else None,
        )
        for group, cap in enumerate(caps)
    ]
    target = block.max_num_seqs_target or block.max_num_seqs_ceiling
    caps_bind = any(caps) and sum(cap or block.cap_ceiling for cap in caps) < target
    return Limits(
        generation=block.generation,
        limits=tuple(found),
        admission=block.admission,
        admission_from=LimitKind.GROUP_CAP if caps_bind else LimitKind.MAX_NUM_SEQS,
        accepted_step=block.accepted_step,
        accepted_ns=block.accepted_ns,
        in_force_step=block.in_force_step or None,
        settled_step=block.settled_step or None,
        hold=bool(block.flags & LimitFlags.HOLD) if any(caps) else None,
        trial=trial,
        admission_state=AdmissionState(
            closed=bool(block.flags & LimitFlags.CLOSED),
            until_ns=block.closed_until_ns or None,
            paused=bool(block.flags & LimitFlags.PAUSED),
            available=description.admission_control.available,
            unavailable_reason=description.admission_control.reason,
        ),
    )


def _trial(block: fmt.Limits) -> Trial | None:
    if not block.trial_generation:
        return None
    return Trial(
        change_id=from_ring(block.trial_id),
        generation=block.trial_generation,
        ttl_ms=block.trial_ttl_ms,
        deadline_ns=block.trial_deadline_ns or None,
    )
