#!/usr/bin/env python3
"""The demo behind ``make demo-vllm``: a real vLLM engine that computes on this CPU, in the dashboard.

Builds a tiny random model, starts vLLM with vllm-rbln's scheduler (pipeline size 2) and the probe of this
clone, sends it a varied and bounded load over loopback, and opens the dashboard on it. Leaving the dashboard
stops everything. Without a terminal it runs for some seconds and prints a screen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rblntop.demo.endpoint import free_port, is_healthy
from rblntop.demo.errors import DemoError
from rblntop.demo.load import DemoLoad, Users
from rblntop.demo.stage import say, stage
from rblntop.demo.vllm import START_S, engine_environment

MODEL_NAME = "tiny-llama"
ENGINE_OPTIONS = (
    "--served-model-name", MODEL_NAME, "--pipeline-parallel-size", "2", "--max-num-seqs", "8",
    "--max-model-len", "1024", "--max-num-batched-tokens", "256", "--block-size", "32", "--dtype", "float32",
    "--additional-config", '{"decode_batch_bucket_limit": 2}',
)  # fmt: skip
"""Eight sequences over two groups, decodes padded to 2 or 4."""
USERS = Users(fewest=3, most=12, prompt_bytes=(20, 400), output_tokens=(20, 250))


def main() -> int:
    """Run the demo; the exit code is the dashboard's."""
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument("--engine-python", required=True, help="python of the engine's environment")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to run without a terminal")
    arguments = parser.parse_args()
    try:
        return run(str(Path(arguments.engine_python).absolute()), arguments.seconds)
    except DemoError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def run(engine_python: str, seconds: float) -> int:
    """Start it all, show it, and stop it all."""
    port = free_port()
    with stage() as made:
        environment = engine_environment(made)
        say("building a tiny model")
        model = str(made.directory / "model")
        made.run([engine_python, "-m", "rblntopd.sim.tiny_model", model], environment)
        engine = [
            engine_python, "-m", "rblntopd.sim.serve_on_cpu", model,
            "--host", "127.0.0.1", "--port", str(port), *ENGINE_OPTIONS,
        ]  # fmt: skip
        made.start("engine", engine, environment)
        say(f"starting vLLM on the CPU: about a minute (log: {made.log('engine')})")
        made.wait_for(lambda: is_healthy(port), seconds=START_S, what="vLLM")
        with DemoLoad(port, MODEL_NAME, USERS):
            return made.show(seconds)


if __name__ == "__main__":
    sys.exit(main())
