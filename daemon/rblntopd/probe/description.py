"""What kind of engine this is: read once from its configuration, kept in the ring's header as JSON."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from rblntopd.probe import __version__
from rblntopd.probe.process import instance_id
from rblntopd.probe.ring_format import MAX_GROUPS
from rblntopd.probe.support import untested_notice

NAME_VARIABLE = "RBLNTOP_ENGINE_NAME"
RBLN_SCHEDULER_MODULE = "vllm_rbln.v1.core.rbln_scheduler"


@dataclass(frozen=True)
class EngineFacts:
    """What the recorder and the limits need to know of the engine."""

    pp_size: int
    queue_depth: int
    """Batches that may be in flight at once (``VllmConfig.max_concurrent_batches``)."""
    group_count: int
    max_num_seqs: int
    is_rbln: bool
    """Whether vllm-rbln's scheduler decides: a step is never mixed, and decodes run in compiled buckets."""
    buckets: tuple[int, ...]
    """Compiled decode batch sizes, ascending; empty where decodes are not padded or nothing is known."""
    description: dict[str, Any]


def describe(scheduler: Any, number: int) -> EngineFacts:
    """Read the facts from a scheduler that was just constructed; ``number`` counts engines of this process.

    Raises:
        AttributeError: the scheduler lacks what every V1 scheduler has.
    """
    config = scheduler.vllm_config
    parallel, cache = config.parallel_config, config.cache_config
    model, scheduling = config.model_config, config.scheduler_config
    pp_size = int(parallel.pipeline_parallel_size)
    depth = int(config.max_concurrent_batches)
    # With pp 1 an asynchronous scheduler looks one batch ahead: still one group. With pp > 1 and a deeper
    # queue the slots are shown as they are.
    group_count = 1 if pp_size == 1 else min(max(pp_size, depth), MAX_GROUPS)
    is_rbln = any(base.__module__ == RBLN_SCHEDULER_MODULE for base in type(scheduler).__mro__)
    dp_rank = int(getattr(parallel, "data_parallel_index", getattr(parallel, "data_parallel_rank", 0)))
    dp_size = max(int(parallel.data_parallel_size), dp_rank + 1)
    buckets = _decode_buckets(config) if is_rbln else ()
    backend = parallel.distributed_executor_backend
    vllm_version = str(getattr(sys.modules.get("vllm"), "__version__", ""))
    vllm_rbln_version = _version("vllm-rbln") if is_rbln else ""
    description: dict[str, Any] = {
        "name": _name(model, dp_rank, dp_size),
        "instance_id": instance_id(number),
        "pid": os.getpid(),
        "model": _served_name(model),
        "vllm_version": vllm_version,
        "vllm_rbln_version": vllm_rbln_version,
        "probe_version": __version__,
        "scheduler_class": f"{type(scheduler).__module__}.{type(scheduler).__qualname__}",
        "pp_size": pp_size,
        "tp_size": int(parallel.tensor_parallel_size),
        "dp_size": dp_size,
        "dp_rank": dp_rank,
        "batch_queue_depth": depth,
        "group_count": group_count,
        "max_num_seqs": int(scheduling.max_num_seqs),
        "max_num_batched_tokens": int(scheduling.max_num_batched_tokens),
        "max_model_len": int(model.max_model_len),
        "block_size": int(scheduler.block_size),
        "num_blocks": int(cache.num_gpu_blocks or 0),
        "decode_buckets": list(buckets),
        "simulated": getattr(backend, "__module__", "").startswith("rblntopd.sim"),
        # With data parallelism every busy rank runs the largest rank's bucket (decided in the workers).
        "padding_is_local": is_rbln and int(parallel.data_parallel_size) > 1,
        "notice": untested_notice(vllm_version, vllm_rbln_version),
    }
    return EngineFacts(
        pp_size, depth, group_count, int(scheduling.max_num_seqs), is_rbln, buckets, description
    )


def _decode_buckets(config: Any) -> tuple[int, ...]:
    """The decode buckets as vllm-rbln's runner makes them, from its own bucket manager.

    The call of vllm_rbln.v1.worker.rbln_model_runner (RBLNModelRunner.__init__), which imports without an
    NPU. Nothing is known where that fails.
    """
    try:
        from vllm_rbln.v1.worker.bucketing import get_bucketing_manager

        options = config.additional_config
        manager = get_bucketing_manager(
            options.decode_batch_bucket_strategy,
            max_batch_size=config.scheduler_config.max_num_seqs
            // config.parallel_config.pipeline_parallel_size,
            min_batch_size=options.decode_batch_bucket_min,
            limit=options.decode_batch_bucket_limit,
            step=options.decode_batch_bucket_step,
            manual_buckets=options.decode_batch_bucket_manual_buckets,
        )
        return tuple(sorted(int(bucket) for bucket in manager.decode_batch_buckets))
    except (ImportError, AttributeError, TypeError, ValueError):
        return ()


def _served_name(model: Any) -> str:
    """The name that clients use; of a path only its last part."""
    served = getattr(model, "served_model_name", None) or model.model
    name = str(served[0] if isinstance(served, (list, tuple)) else served)
    return os.path.basename(name.rstrip("/")) if name.startswith(("/", ".")) else name


def _name(model: Any, dp_rank: int, dp_size: int) -> str:
    chosen = os.environ.get(NAME_VARIABLE, "")
    if not chosen:
        return f"{_served_name(model)}/{dp_rank}"
    return f"{chosen}/{dp_rank}" if dp_size > 1 else chosen


def _version(distribution: str) -> str:
    # Not at the top: the daemon reads descriptions as well, and need not wait for this import.
    import importlib.metadata

    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
