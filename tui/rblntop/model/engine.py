"""One engine: what it is and what it was started with."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class EngineState(enum.Enum):
    """What an engine is doing."""

    UNKNOWN = 0
    STARTING = 1
    IDLE = 2
    SERVING = 3
    STALLED = 4
    CLOSED = 5
    GONE = 6


@dataclass(frozen=True, slots=True)
class Engine:
    """One vLLM EngineCore with its scheduler."""

    name: str
    instance_id: str = ""
    """This process; another one under the same name is a restart."""
    state: EngineState = EngineState.UNKNOWN
    pid: int | None = None
    started_at_s: float | None = None
    """Seconds since the epoch."""
    model: str = ""
    vllm_version: str = ""
    vllm_rbln_version: str = ""
    """Empty where vllm-rbln is not installed."""
    probe_version: str = ""
    scheduler_class: str = ""
    pp_size: int = 1
    tp_size: int = 1
    dp_size: int = 1
    dp_rank: int = 0
    batch_queue_depth: int = 1
    group_count: int = 1
    max_num_seqs: int | None = None
    """Start-up value, like the ones below."""
    max_num_batched_tokens: int | None = None
    max_model_len: int | None = None
    block_size: int | None = None
    num_blocks: int | None = None
    decode_buckets: tuple[int, ...] = ()
    """Compiled decode batch sizes, ascending; empty if decodes are not padded."""
    simulated: bool = False
    padding_is_local: bool = False
    restarts: int = 0
    notice: str = ""
