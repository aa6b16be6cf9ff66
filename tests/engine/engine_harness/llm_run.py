"""One offline engine in a process of its own: ``python -m engine_harness.llm_run MODEL MODE``.

Modes: ``observed`` computes the tiny model on the CPU with the EngineCore in this process, and holds every
record against the observer; ``simulated`` has the EngineCore in a child process, forked or spawned as
``VLLM_WORKER_MULTIPROC_METHOD`` says, on the simulated NPU. Prints what it found as one line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

PP = 2
SETTINGS: dict[str, Any] = {
    "pipeline_parallel_size": PP,
    "max_num_seqs": 8,
    "max_model_len": 1024,
    "max_num_batched_tokens": 128,
    "block_size": 32,
    "dtype": "float32",
    "skip_tokenizer_init": True,
    "async_scheduling": False,
    "compilation_config": {"mode": 2, "backend": "eager"},
    "disable_log_stats": True,
}
LONGEST = (150, 200, 300)


def make_llm(model: str, **more: Any) -> Any:
    """The engine, with vllm-rbln's scheduler."""
    from vllm import LLM
    from vllm_rbln.config import RBLNConfig

    from rblntopd.sim.serve_on_cpu import RBLN_SCHEDULER

    options = RBLNConfig(decode_batch_bucket_limit=3)
    return LLM(model=model, scheduler_cls=RBLN_SCHEDULER, additional_config=options, **SETTINGS, **more)


def generate(llm: Any, prompt_lengths: list[int], output_lengths: list[int]) -> list[int]:
    """Generate from random prompts; the number of tokens that each request got."""
    from vllm import SamplingParams, TokensPrompt

    chance = random.Random(len(prompt_lengths))
    prompts = [
        TokensPrompt(prompt_token_ids=[chance.randrange(3, 320) for _ in range(length)])
        for length in prompt_lengths
    ]
    sampling = [
        SamplingParams(max_tokens=tokens, ignore_eos=True, detokenize=False) for tokens in output_lengths
    ]
    done = llm.generate(prompts, sampling, use_tqdm=False)
    return [len(request.outputs[0].token_ids) for request in done]


def observed(model: str) -> dict[str, Any]:
    """A thousand steps on the CPU, every one of them compared."""
    from engine_harness.comparison import first_difference
    from engine_harness.engine_in_process import bucket_of
    from engine_harness.observer import Observer
    from engine_harness.ring_file import RingFile

    llm = make_llm(model)
    scheduler = llm.llm_engine.engine_core.engine_core.scheduler
    options = scheduler.vllm_config.additional_config
    observer = Observer(scheduler, time.monotonic_ns, bucket_of(options, SETTINGS["max_num_seqs"], PP))
    ring = RingFile.only_one_in(Path(os.environ["RBLNTOP_RUNTIME_DIR"]))
    chance = random.Random(5)
    prompts = [chance.randint(5, 400) for _ in range(66)]
    outputs = [chance.randint(10, 100) for _ in prompts]
    complete = generate(llm, prompts, outputs) == outputs
    steps = len(observer.completed)
    kinds = sorted({seen.kind.name for seen in observer.completed})
    generate(llm, list(LONGEST), [20] * len(LONGEST))
    longest = max(seen.max_seq_len for seen in observer.completed[steps:])
    llm.llm_engine.engine_core.shutdown()
    records = ring.new_steps()
    return {
        "complete": complete,
        "steps": steps,
        "kinds": kinds,
        "difference": first_difference(records, observer.completed, times=False),
        "longest": longest,
        "longest_prefill": max(
            seen.max_seq_len for seen in observer.completed[steps:] if seen.prefill_requests
        ),
        "fault": ring.fault,
        "description": ring.description,
    }


def simulated(model: str) -> dict[str, Any]:
    """A short run with the EngineCore in a child process; the ring is looked at while it lives."""
    from engine_harness.ring_file import RingFile
    from rblntopd.sim.npu_executor import SimulatedNpuExecutor

    llm = make_llm(model, distributed_executor_backend=SimulatedNpuExecutor)
    outputs = [20] * 6
    complete = generate(llm, [50] * 6, outputs) == outputs
    rings = sorted(Path(os.environ["RBLNTOP_RUNTIME_DIR"]).glob("**/*.ring"))
    found = [RingFile(path) for path in rings]
    llm.llm_engine.engine_core.shutdown()
    return {
        "complete": complete,
        "pid": os.getpid(),
        "ring_pids": [ring.header.pid for ring in found],
        "faults": [ring.fault for ring in found],
    }


if __name__ == "__main__":
    run = {"observed": observed, "simulated": simulated}[sys.argv[2]]
    print(json.dumps(run(sys.argv[1])), flush=True)
