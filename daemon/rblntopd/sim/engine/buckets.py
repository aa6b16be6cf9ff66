"""The decode batches that are compiled (``vllm_rbln.v1.worker.bucketing``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rblntopd.sim.engine.config import VllmConfig


class BucketingManager(NamedTuple):
    """Holds them as vllm-rbln's bucketing managers do."""

    decode_batch_buckets: list[int]


def get_bucketing_manager(
    strategy: str,
    *,
    max_batch_size: int,
    min_batch_size: int = 1,
    limit: int = 1,
    step: int = 2,
    manual_buckets: Sequence[int] | None = None,
) -> BucketingManager:
    """The decode buckets: from the largest down, at most ``limit`` of them, or those of ``manual_buckets``.

    Raises:
        ValueError: unknown strategy.
    """
    if strategy == "manual":
        return BucketingManager(sorted(manual_buckets or ()))
    if strategy not in ("exponential", "linear"):
        raise ValueError(f"strategy is {strategy!r}, it must be exponential, linear or manual")
    buckets = [max_batch_size]
    while len(buckets) < limit:
        smaller = buckets[-1] // step if strategy == "exponential" else buckets[-1] - step
        if smaller < min_batch_size:
            break
        buckets.append(smaller)
    return BucketingManager(sorted(buckets))


def decode_buckets(config: VllmConfig) -> list[int]:
    """The decode buckets of an engine with vllm-rbln, as its model runner makes them."""
    options = config.additional_config
    manager = get_bucketing_manager(
        options.decode_batch_bucket_strategy,
        max_batch_size=config.scheduler_config.max_num_seqs // config.parallel_config.pipeline_parallel_size,
        min_batch_size=options.decode_batch_bucket_min,
        limit=options.decode_batch_bucket_limit,
        step=options.decode_batch_bucket_step,
        manual_buckets=options.decode_batch_bucket_manual_buckets,
    )
    return manager.decode_batch_buckets
