"""One step of the scheduler, and the words that steps use."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class StepKind(enum.Enum):
    """What a batch was made of."""

    UNKNOWN = 0
    EMPTY = 1
    PREFILL = 2
    DECODE = 3
    MIXED = 4
    LOST = 5


class AdmissionStop(enum.Enum):
    """Why no further waiting request was admitted."""

    UNKNOWN = 0
    NONE = 1
    MAX_NUM_SEQS = 2
    GROUP_CAPS = 3
    KV = 4
    TOKENS = 5
    CLOSED = 6


class EmptyCause(enum.Enum):
    """Why a step was empty."""

    UNKNOWN = 0
    CLOSED = 1
    BLOCKED = 2
    DEMAND = 3
    LIMIT = 4
    PREFILL = 5
    COLLAPSE = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One completed step, or a run of consecutive empty steps."""

    sequence: int
    step: int
    kind: StepKind
    group: int | None = None
    scheduled_ns: int = 0
    completed_ns: int = 0
    requests: int = 0
    prefill_requests: int = 0
    tokens: int = 0
    padded_batch: int | None = None
    max_seq_len: int = 0
    running: int = 0
    waiting: int = 0
    admission_stop: AdmissionStop = AdmissionStop.UNKNOWN
    kv_usage_ratio: float = 0.0
    generation: int = 0
    count: int = 1
    """Steps in this record."""
    causes: tuple[tuple[EmptyCause, int], ...] = ()
    """Why the steps of an empty run were empty, and how many had each cause."""
    row: int | None = None
    """The group whose turn it took, where it is of none; None: not known."""
