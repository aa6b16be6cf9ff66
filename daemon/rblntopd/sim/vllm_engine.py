"""The real vLLM on a simulated NPU: ``python -m rblntopd.sim.vllm_engine DIRECTORY``; downloads nothing.

Writes the configuration of a model without weights into DIRECTORY and serves it through ``serve_on_cpu`` with
the sizes of the sim engine's scenarios: pp 4, 32 requests, buckets of 1, 2, 4 and 8. Further options are
those of ``vllm serve``, and come last.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rblntopd.sim import serve_on_cpu
from rblntopd.sim.tiny_model import build

OPTIONS = (
    serve_on_cpu.SIMULATED_NPU, "--pipeline-parallel-size", "4", "--max-num-seqs", "32",
    "--max-model-len", "2048", "--max-num-batched-tokens", "256", "--block-size", "16",
    "--num-gpu-blocks-override", "8192", "--no-enable-prefix-caching", "--dtype", "float32",
    "--additional-config", '{"decode_batch_bucket_limit": 4}',
)  # fmt: skip


def main(argv: list[str]) -> None:
    """Serve until told to stop."""
    directory, *options = argv
    build(Path(directory), weights=False)
    serve_on_cpu.main([directory, *OPTIONS, *options])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m rblntopd.sim.vllm_engine DIRECTORY [options of vllm serve]")
    main(sys.argv[1:])
