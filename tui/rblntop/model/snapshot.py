"""One engine at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from rblntop.model.engine import Engine
from rblntop.model.host import HostUsage
from rblntop.model.limits import Limits
from rblntop.model.step import AdmissionStop, StepKind
from rblntop.model.window import Window


@dataclass(frozen=True, slots=True)
class StripCell:
    """A slice of time of one group. Ratios are 0..1."""

    fill_ratio: float
    """Mean decode batch over its bucket, while a decode ran."""
    decode_ratio: float
    """Share of the slice in which a decode held the slot."""
    prefill_ratio: float


@dataclass(frozen=True, slots=True)
class Group:
    """One group (virtual engine) now."""

    group: int
    running: int = 0
    decode_batch: int | None = None
    padded_batch: int | None = None
    strip: tuple[StripCell, ...] = ()
    """One cell a second, the newest last."""


@dataclass(frozen=True, slots=True)
class InFlightBatch:
    """A batch that was scheduled and has not completed."""

    step: int
    kind: StepKind
    group: int | None
    requests: int
    tokens: int
    padded_batch: int | None
    age_s: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One engine at one moment."""

    engine: Engine
    time_s: float | None = None
    """Seconds since the epoch, on the daemon's host."""
    age_s: float = 0.0
    """Since the engine last gave a sign of life."""
    step: int = 0
    missed_records: int = 0
    running: int = 0
    waiting: int = 0
    preempted_waiting: int = 0
    remote_kv_waiting: int = 0
    held: int = 0
    unassigned: int = 0
    oldest_wait_s: float | None = None
    kv_usage_ratio: float | None = None
    kv_blocks_used: int | None = None
    max_seq_len: int | None = None
    """Longest sequence in the latest batch."""
    admission_stop: AdmissionStop = AdmissionStop.UNKNOWN
    groups: tuple[Group, ...] = ()
    in_flight: tuple[InFlightBatch, ...] = ()
    limits: Limits = field(default_factory=Limits)
    windows: tuple[Window, ...] = ()
    probe_us_per_step: float | None = None
    daemon_cpu_ratio: float | None = None
    host: HostUsage | None = None
    """None: it could not be looked at."""

    def window(self, seconds: float) -> Window | None:
        """The window of that length."""
        return next((window for window in self.windows if window.seconds == seconds), None)
