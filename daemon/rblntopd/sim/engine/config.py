"""A sim engine's configuration: what scheduler and probe read of vLLM's, by its names."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class SimulatedDevice:
    """In the place of vLLM's executor class; being in this package is what marks the engine as simulated."""


@dataclasses.dataclass(frozen=True)
class ParallelConfig:
    """``vllm.config.ParallelConfig``."""

    pipeline_parallel_size: int
    tensor_parallel_size: int = 1
    data_parallel_size: int = 1
    data_parallel_rank: int = 0
    distributed_executor_backend: type = SimulatedDevice


@dataclasses.dataclass(frozen=True)
class SchedulerConfig:
    """``vllm.config.SchedulerConfig``."""

    max_num_seqs: int
    max_num_batched_tokens: int
    async_scheduling: bool = False
    policy: str = "fcfs"


@dataclasses.dataclass(frozen=True)
class CacheConfig:
    """``vllm.config.CacheConfig``."""

    num_gpu_blocks: int
    block_size: int
    enable_prefix_caching: bool = False


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """``vllm.config.ModelConfig``."""

    model: str
    max_model_len: int


@dataclasses.dataclass(frozen=True)
class RBLNConfig:
    """``vllm_rbln.config.RBLNConfig``, with its defaults: one single decode bucket."""

    decode_batch_bucket_strategy: str = "exponential"
    decode_batch_bucket_min: int = 1
    decode_batch_bucket_step: int = 2
    decode_batch_bucket_limit: int = 1
    decode_batch_bucket_manual_buckets: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class VllmConfig:
    """``vllm.config.VllmConfig``. Scheduling is synchronous, as on RBLN with pipeline parallelism."""

    parallel_config: ParallelConfig
    scheduler_config: SchedulerConfig
    cache_config: CacheConfig
    model_config: ModelConfig
    additional_config: RBLNConfig
    use_v2_model_runner: bool = False

    @property
    def max_concurrent_batches(self) -> int:
        """Depth of the batch queue."""
        return self.parallel_config.pipeline_parallel_size


def vllm_config(
    *,
    model: str = "sim",
    pp: int = 4,
    max_num_seqs: int = 32,
    max_num_batched_tokens: int = 256,
    max_model_len: int = 4096,
    block_size: int = 16,
    blocks: int = 8192,
    rbln: RBLNConfig | None = None,
    use_v2_model_runner: bool = False,
) -> VllmConfig:
    """A configuration with sizes that an 8B model on four devices could have."""
    return VllmConfig(
        ParallelConfig(pp),
        SchedulerConfig(max_num_seqs, max_num_batched_tokens),
        CacheConfig(blocks, block_size),
        ModelConfig(model, max_model_len),
        rbln or RBLNConfig(),
        use_v2_model_runner,
    )
