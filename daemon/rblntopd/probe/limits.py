"""The limits of one engine: ranges, draining and what the scheduler must enforce in the next step.

Pure arithmetic on plain numbers, without a scheduler, so that every rule can be tested by itself. The rules:

- ``admission = min(target of max_num_seqs, sum of the group caps)``: no waiting request is admitted while
  running >= admission. ``effective = max(admission, running)``: running requests drain, none is preempted.
- A group cap bounds the decode batch of a turn. While more requests run than the caps have room for, groups
  carry an excess, so that every request still gets its turn; no group's excess grows while the targets stay.
- With *hold* there is no excess: the caps bind at once, and requests take turns.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

NO_LIMIT = 1 << 30


class Unset(enum.Enum):
    """Stands for a limit that goes back to what the engine was started with."""

    UNSET = enum.auto()


UNSET = Unset.UNSET


class LimitError(ValueError):
    """A change that is refused; the message names the field, the value and what is allowed."""


class LimitUnavailableError(LimitError):
    """A limit that this engine does not have; the message says why."""


@dataclass(frozen=True)
class LimitChange:
    """What a change asks for; what it does not name stays."""

    max_num_seqs: int | Unset | None = None
    group_caps: Mapping[int, int | Unset] = field(default_factory=dict)
    hold: bool | None = None
    """None: a change that names group caps drains, another leaves it as it is."""


@dataclass(frozen=True)
class Targets:
    """What was asked for. ``None`` is a limit that nobody set: the probe leaves it alone."""

    max_num_seqs: int | None
    caps: tuple[int | None, ...]
    """Where one cap is set, the others count as the largest compiled bucket."""
    hold: bool = False

    @property
    def caps_set(self) -> bool:
        """Whether any group cap was set."""
        return any(cap is not None for cap in self.caps)


@dataclass
class LimitState:
    """Targets and drain of one engine."""

    start: int
    """``max_num_seqs`` that the engine was started with."""
    group_count: int
    floor: int
    ceiling: int
    """Largest target: what the engine was started and compiled with."""
    cap_ceiling: int
    """Largest decode batch of a group: the largest compiled bucket."""
    max_num_seqs_reason: str = ""
    """Why ``max_num_seqs`` cannot be changed here; empty where it can."""
    group_cap_reason: str = ""

    generation: int = 0
    targets: Targets = field(init=False)
    excess: list[int] = field(init=False)
    accepted_step: int = 0
    accepted_ns: int = 0
    in_force_step: int = 0
    settled_step: int = 0

    def __post_init__(self) -> None:
        self.targets = Targets(None, (None,) * self.group_count)
        self.excess = [0] * self.group_count

    @property
    def target(self) -> int:
        """Target of ``max_num_seqs``; the engine's start-up value where nobody set one."""
        return self.start if self.targets.max_num_seqs is None else self.targets.max_num_seqs

    @property
    def caps_set(self) -> bool:
        """Whether any group cap was set."""
        return self.targets.caps_set

    @property
    def cap_values(self) -> list[int]:
        """The cap of every group; one that nobody set is the largest bucket."""
        return [self.cap_ceiling if cap is None else cap for cap in self.targets.caps]

    @property
    def changed(self) -> bool:
        """Whether the scheduler must enforce anything but what it was started with."""
        return self.target != self.start or self.caps_set

    @property
    def admission(self) -> int:
        """No waiting request is admitted while so many run."""
        return min(self.target, sum(self.cap_values)) if self.caps_set else self.target

    @property
    def admission_from_caps(self) -> bool:
        """Whether the group caps, and not ``max_num_seqs``, bound the admission."""
        return self.caps_set and sum(self.cap_values) < self.target

    def effective(self, running: int) -> int:
        """What ``max_num_seqs`` is now, with ``running`` requests still to drain."""
        return max(self.admission, running)

    def wanted(self, change: LimitChange) -> Targets:
        """The targets that ``change`` makes of the present ones.

        Raises:
            LimitError: a value is out of range or a group does not exist.
            LimitUnavailableError: this engine does not have that control.
        """
        if change.max_num_seqs is None and not change.group_caps and change.hold is None:
            raise LimitError("no limit given: nothing to change")
        targets = self.targets
        if change.max_num_seqs is not None:
            targets = replace(targets, max_num_seqs=self._checked(change.max_num_seqs))
        if change.group_caps or change.hold is not None:
            if self.group_cap_reason:
                raise LimitUnavailableError(f"group caps cannot be changed here: {self.group_cap_reason}")
            caps = list(targets.caps)
            for group, cap in change.group_caps.items():
                caps[self._checked_group(group)] = self._checked_cap(group, cap)
            targets = replace(targets, caps=tuple(caps), hold=bool(change.hold))
            if change.hold and not targets.caps_set:
                raise LimitError("mode=HOLD is for group caps, and no group cap is set")
        return targets if targets.caps_set else replace(targets, hold=False)

    def accept(self, targets: Targets, *, members: Sequence[int], step: int, now_ns: int) -> None:
        """Take over targets that :meth:`wanted` made, or that were in force before.

        Args:
            targets: the new ones.
            members: running requests of each group now.
            step: number of the latest step; the change is in force from the next one.
            now_ns: CLOCK_MONOTONIC.
        """
        self.targets = targets
        self.excess = (
            spread_excess(members, self.cap_values, self.cap_ceiling)
            if targets.caps_set and not targets.hold
            else [0] * self.group_count
        )
        self.count_change(step, now_ns)

    def count_change(self, step: int, now_ns: int) -> None:
        """Something was accepted: a new generation begins with the step after ``step``."""
        self.generation += 1
        self.accepted_step, self.accepted_ns = step, now_ns
        self.in_force_step = self.settled_step = 0

    def _checked(self, max_num_seqs: int | Unset) -> int | None:
        if self.max_num_seqs_reason:
            raise LimitUnavailableError(f"max_num_seqs cannot be changed here: {self.max_num_seqs_reason}")
        if max_num_seqs is UNSET:
            return None
        if not self.floor <= max_num_seqs <= self.ceiling:
            raise LimitError(f"max_num_seqs={max_num_seqs} is not in {self.floor}..{self.ceiling}")
        return max_num_seqs

    def _checked_group(self, group: int) -> int:
        if not 0 <= group < self.group_count:
            raise LimitError(f"group {group} does not exist: groups are 0..{self.group_count - 1}")
        return group

    def _checked_cap(self, group: int, cap: int | Unset) -> int | None:
        if cap is UNSET:
            return None
        if not 1 <= cap <= self.cap_ceiling:
            raise LimitError(f"cap of group {group}={cap} is not in 1..{self.cap_ceiling}")
        return cap

    def warnings(self, targets: Targets) -> list[str]:
        """What an operator should know of ``targets``, which are allowed."""
        wanted = targets.max_num_seqs
        if wanted is None or wanted % self.group_count == 0:
            return []
        low, more = divmod(wanted, self.group_count)
        spread = "/".join(str(low + (group < more)) for group in range(self.group_count))
        return [f"max_num_seqs={wanted} is not a multiple of {self.group_count} groups: {spread} at best"]

    def begin_step(self, step: int) -> None:
        """``schedule()`` number ``step`` is the first to run under this generation."""
        self.in_force_step = step

    def end_step(self, step: int, running: int) -> None:
        """``schedule()`` number ``step`` ran and left ``running`` requests: settled once they fit."""
        if running <= self.admission:
            self.settled_step = step

    def _surplus(self, running: int) -> int:
        return sum(self.excess) - max(0, running - sum(self.cap_values))

    def has_surplus(self, running: int) -> bool:
        """Whether requests have finished, so that groups must give excess back."""
        return any(self.excess) and self._surplus(running) > 0

    def drain_excess(self, running: int, members: Sequence[int]) -> None:
        """Take excess back from the groups whose requests finished.

        After it, the sum of the excesses is max(0, running - sum of the caps), or less where it was less.
        """
        caps = self.cap_values
        surplus = self._surplus(running)
        while surplus > 0:
            # The group with the most room beyond its members gives back first.
            room = [
                (caps[group] + excess - members[group], group)
                for group, excess in enumerate(self.excess)
                if excess > 0
            ]
            _, group = max(room)
            self.excess[group] -= 1
            surplus -= 1

    def batch_cap(self, group: int) -> int:
        """Largest decode batch of ``group`` now, its excess included, never above the largest bucket."""
        cap = self.targets.caps[group]
        if cap is None:
            return self.cap_ceiling
        return min(cap + self.excess[group], self.cap_ceiling)


def spread_excess(members: Sequence[int], caps: Sequence[int], ceiling: int) -> list[int]:
    """Excess of each group when caps are lowered under running requests.

    The sum is ``max(0, sum(members) - sum(caps))`` as far as the buckets hold it. Groups with the most
    requests above their cap get it first; none gets past the largest bucket, whose batch could not run.
    """
    total = max(0, sum(members) - sum(caps))
    room = [max(0, ceiling - cap) for cap in caps]
    excess = [0] * len(caps)
    while total > 0:
        above = [
            (member - cap - extra, -group)
            for group, (member, cap, extra) in enumerate(zip(members, caps, excess, strict=True))
            if extra < room[group]
        ]
        if not above:
            break
        excess[-max(above)[1]] += 1
        total -= 1
    return excess


def even_share(caps: Sequence[int], demand: int) -> int:
    """The smallest L with ``sum(min(cap, L)) >= demand``: what keeps batches even under uneven caps.

    With equal caps this is vllm-rbln's soft cap, ``ceil(demand / pp)`` (DecodeBatchBudget.for_step). Returns
    ``NO_LIMIT`` where the caps have less room than ``demand``.
    """
    left = demand
    ordered = sorted(caps)
    for index, cap in enumerate(ordered):
        groups = len(ordered) - index
        if cap * groups >= left:
            return max(1, -(-left // groups))
        left -= cap
    return NO_LIMIT
