"""What an engine's restart undid: the limits that were kept on the instance before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rblntopd.audit import lines
from rblntopd.audit.log_file import Line
from rblntopd.engines.engine import Engine
from rblntopd.engines.limits import LimitKind
from rblntopd.engines.ring_file import RingFileError
from rblntopd.metrics.state import last_sign_ns
from rblntopd.probe.ring_format import LimitFlags, Live, ProbeState


@dataclass(frozen=True, slots=True)
class KeptLimits:
    """Limits that an instance had to its end and that were not on trial. None: not set."""

    max_num_seqs: int | None
    caps: tuple[int | None, ...]
    hold: bool
    closed: bool
    """Whether its admission was closed."""

    @property
    def any_set(self) -> bool:
        """Whether any limit was set."""
        return self.max_num_seqs is not None or any(cap is not None for cap in self.caps)

    def values(self) -> list[Line]:
        """What a restart moved back."""
        found = [lines.value(LimitKind.MAX_NUM_SEQS, None, self.max_num_seqs, None)] * bool(self.max_num_seqs)
        return found + [
            lines.value(LimitKind.GROUP_CAP, group, cap, None) for group, cap in enumerate(self.caps) if cap
        ]

    def __str__(self) -> str:
        parts = [f"max_num_seqs={self.max_num_seqs}"] * bool(self.max_num_seqs)
        parts += [f"cap of group {group}={cap}" for group, cap in enumerate(self.caps) if cap]
        return ", ".join(parts + ["admission closed"] * self.closed)


def predecessor(engine: Engine, engines: Iterable[Engine]) -> Engine | None:
    """The instance of the same name that ended last before ``engine`` began."""
    began_ns = engine.reader.header.mono_ns
    ended = [
        old
        for old in engines
        if old.gone and old is not engine and old.name == engine.name and last_sign_ns(old.live) <= began_ns
    ]
    return max(ended, key=lambda old: old.reader.header.mono_ns, default=None)


def kept_limits(engine: Engine) -> KeptLimits | None:
    """What an ended instance had to its end; None: nothing of ours."""
    try:
        block = engine.reader.limits()
    except RingFileError:
        return None
    if block is None or engine.live[Live.STATE] in (ProbeState.FAULTED, ProbeState.DETACHED):
        return None
    on_trial = bool(block.trial_generation)
    max_num_seqs = block.revert_max_num_seqs if on_trial else block.max_num_seqs_target
    caps = (block.revert_caps if on_trial else block.cap_targets)[: block.group_count]
    hold = LimitFlags.REVERT_HOLD if on_trial else LimitFlags.HOLD
    found = KeptLimits(
        max_num_seqs or None,
        tuple(cap or None for cap in caps),
        bool(block.flags & hold),
        bool(block.flags & LimitFlags.CLOSED),
    )
    return found if found.any_set or found.closed else None
