"""The limits of an engine as an operator reads them, from the ring's limits block."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rblntopd.engines.description import Description
from rblntopd.probe import ring_format as fmt


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


def limits_of(block: fmt.Limits, description: Description) -> Limits:
    """The limits block in the operator's terms."""
    groups = min(block.group_count, fmt.MAX_GROUPS)
    caps = block.cap_targets[:groups]
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
    )
