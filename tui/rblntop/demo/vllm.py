"""A demo with the real vLLM and the scheduler of vllm-rbln, on a simulated NPU in real time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from rblntop.demo.endpoint import free_port, is_healthy
from rblntop.demo.errors import DemoError
from rblntop.demo.load import DemoLoad, Users
from rblntop.demo.stage import Stage, say, stage

ENGINE_PYTHON = "RBLNTOP_ENGINE_PYTHON"
IS_THERE = (
    "import sys; from importlib.util import find_spec; "
    "sys.exit(not all(map(find_spec, ('vllm', 'vllm_rbln', 'transformers'))))"
)
MODEL_NAME = "sim-npu"
START_S = 600.0
USERS = Users(fewest=8, most=40, prompt_bytes=(40, 800), output_tokens=(100, 800))


def run_vllm(seed: int, seconds: float) -> int:
    """Show a real engine under load; the exit code.

    Raises:
        DemoError: there is no vLLM with vllm-rbln, or something did not start.
    """
    python = engine_python()
    port = free_port()
    with stage() as made:
        engine = [
            python, "-m", "rblntopd.sim.vllm_engine", str(made.directory / "model"),
            "--served-model-name", MODEL_NAME, "--host", "127.0.0.1", "--port", str(port),
        ]  # fmt: skip
        made.start("engine", engine, engine_environment(made))
        say(f"starting vLLM on a simulated NPU: half a minute or so (log: {made.log('engine')})")
        made.wait_for(lambda: is_healthy(port), seconds=START_S, what="vLLM")
        with DemoLoad(port, MODEL_NAME, USERS, seed):
            return made.show(seconds)


def engine_python() -> str:
    """The Python that has vLLM.

    Raises:
        DemoError: it does not, or is no Python.
    """
    chosen = os.environ.get(ENGINE_PYTHON)
    # Not resolved: a venv's python is a link.
    python = os.path.abspath(chosen) if chosen else sys.executable
    try:
        found = subprocess.run([python, "-c", IS_THERE], capture_output=True).returncode == 0
    except OSError as error:
        raise DemoError(f"${ENGINE_PYTHON} is {python}: {error.strerror}") from error
    if not found:
        raise DemoError(
            f"{python} has no vLLM with vllm-rbln. Name a Python that has them in ${ENGINE_PYTHON}; in a "
            "clone of rblntop `make engine-env` makes one. Without --engine vllm the demo needs neither."
        )
    return python


def engine_environment(made: Stage) -> dict[str, str]:
    """What the engine's Python needs to find the probe and the simulated NPU, and nothing else of ours."""
    package = importlib.util.find_spec("rblntopd")
    if package is None or not package.submodule_search_locations:
        raise DemoError("rblntopd is not installed beside rblntop")
    path = made.directory / "engine-path"
    made.run([sys.executable, "-m", "rblntopd.cli", "probe", "export", str(path)])
    (path / "rblntopd" / "sim").symlink_to(Path(package.submodule_search_locations[0]) / "sim")
    return {
        "PYTHONPATH": str(path),
        "RBLNTOP_ENGINE_NAME": "demo",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
