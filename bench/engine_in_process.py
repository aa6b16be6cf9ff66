"""The real EngineCore with the real RBLNScheduler in this process, on the simulated NPU, bare or probed.

Runs in the engine's environment. Import nothing of vLLM before :func:`prepare`.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

MODEL = Path(tempfile.gettempdir()) / f"rblntop-bench-model-{os.geteuid()}"


def prepare(runtime_dir: Path, stage_us: float | None = None) -> None:
    """Set what vLLM and the probe read from the environment; ``stage_us``: of any batch in a stage."""
    os.environ["VLLM_PLUGINS"] = "rblntop"
    os.environ["VLLM_LOGGING_LEVEL"] = "ERROR"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["RBLNTOP_RUNTIME_DIR"] = str(runtime_dir)
    if stage_us is not None:
        times = {"decode_us": stage_us, "decode_row_us": 0, "prefill_us": stage_us, "prefill_token_us": 0}
        os.environ["RBLNTOP_SIM_NPU"] = json.dumps(times)


def make_engine(*, probed: bool, pp: int = 4, max_num_seqs: int = 256, virtual_time: bool) -> Any:
    """An EngineCore. A bare one is made with the plugin switched off, so its class is vllm-rbln's own."""
    import vllm.plugins
    from vllm.engine.arg_utils import EngineArgs
    from vllm.v1.engine.core import EngineCore
    from vllm_rbln.config import RBLNConfig

    from rblntopd.probe import plugin
    from rblntopd.sim import npu_executor, tiny_model

    vllm.plugins.plugins_loaded = True
    if probed:
        plugin.register()
    if not MODEL.exists():
        tiny_model.build(MODEL, weights=False)
    executor = npu_executor.VirtualTimeNpuExecutor if virtual_time else npu_executor.SimulatedNpuExecutor
    arguments = EngineArgs(
        model=str(MODEL),
        pipeline_parallel_size=pp,
        max_num_seqs=max_num_seqs,
        max_model_len=2048,
        max_num_batched_tokens=512,
        block_size=32,
        distributed_executor_backend=executor,
        scheduler_cls="vllm_rbln.v1.core.rbln_scheduler.RBLNScheduler",
        async_scheduling=False,
        additional_config=RBLNConfig(),
        skip_tokenizer_init=True,
    )
    core = EngineCore(arguments.create_engine_config(), executor, log_stats=True)
    has_probe = getattr(core.scheduler, "_rblntop", None) is not None
    assert has_probe == probed, "the bare engine must be made before the probed one"
    return core


def add_requests(core: Any, count: int, output_tokens: int, seed: int = 1, start: int = 0) -> None:
    """Send requests with random prompts of 20 to 200 tokens."""
    from vllm.sampling_params import SamplingParams
    from vllm.v1.engine import EngineCoreRequest

    chance = random.Random(seed)
    for number in range(start, start + count):
        request = EngineCoreRequest(
            request_id=f"bench-{number}",
            prompt_token_ids=[chance.randrange(300) for _ in range(chance.randint(20, 200))],
            mm_features=None,
            sampling_params=SamplingParams(max_tokens=output_tokens, ignore_eos=True),
            pooling_params=None,
            arrival_time=time.time(),
            lora_request=None,
            cache_salt=None,
            data_parallel_rank=None,
        )
        core.add_request(*core.preprocess_add_request(request))
