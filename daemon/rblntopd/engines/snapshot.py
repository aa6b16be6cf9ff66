"""One engine at one moment, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from rblntopd.engines.description import Description
from rblntopd.engines.limits import Limits
from rblntopd.metrics.state import EngineState
from rblntopd.metrics.strip import StripCell
from rblntopd.metrics.window import Window
from rblntopd.probe.ring_format import InFlight, Sample


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Who an engine is, and its state."""

    name: str
    instance_id: str
    state: EngineState
    pid: int
    started_real_ns: int
    description: Description
    restarts: int
    notice: str


@dataclass(frozen=True, slots=True)
class GroupNow:
    """One group now."""

    group: int
    running: int
    decode_batch: int | None
    padded_batch: int | None
    strip: tuple[StripCell, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is shown of an engine. None: nothing is known."""

    engine: EngineInfo
    time_ns: int
    """Wall clock."""
    now_ns: int
    """CLOCK_MONOTONIC of the same moment."""
    age_seconds: float
    step: int
    next_sequence: int
    missed_records: int
    running: int
    waiting: int
    sample: Sample | None
    kv_usage_ratio: float | None
    max_seq_len: int | None
    admission_stop: int
    groups: tuple[GroupNow, ...]
    in_flight: tuple[InFlight, ...]
    limits: Limits | None
    windows: tuple[Window, ...]
    probe_us_per_step: float | None
