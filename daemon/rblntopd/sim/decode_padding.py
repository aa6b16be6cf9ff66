"""How many rows a decode batch is computed with: vllm-rbln's buckets, or no padding where there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def decode_padding(vllm_config: Any) -> Callable[[int], int]:
    """Rows for a number of decodes, as vllm-rbln's model runner finds them; the number itself on plain vLLM.

    Follows ``vllm_rbln.v1.worker.rbln_model_runner.RBLNModelRunner.__init__`` of 0.12.0.
    """
    options = vllm_config.additional_config
    if not hasattr(options, "decode_batch_bucket_strategy"):
        return lambda decodes: decodes
    from vllm_rbln.v1.core.utils import decode_batch_size
    from vllm_rbln.v1.worker.bucketing import get_bucketing_manager

    manager = get_bucketing_manager(
        options.decode_batch_bucket_strategy,
        max_batch_size=decode_batch_size(
            vllm_config.scheduler_config.max_num_seqs, vllm_config.parallel_config.pipeline_parallel_size
        ),
        min_batch_size=options.decode_batch_bucket_min,
        step=options.decode_batch_bucket_step,
        limit=options.decode_batch_bucket_limit,
        manual_buckets=options.decode_batch_bucket_manual_buckets,
    )
    find: Callable[[int], int] = manager.find_decode_batch_bucket
    return find
