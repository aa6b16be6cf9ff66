"""Puts the probe into this Python the way a container does: a directory on PYTHONPATH, nothing installed.

Runs in the engine's environment (``make engine``), which several clones share.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
_PLUGIN = Path(tempfile.mkdtemp(prefix="rblntop-plugin-"))


def pytest_configure() -> None:
    """Before anything imports vLLM: where the code is, and which plugins vLLM may load."""
    info = _PLUGIN / "rblntop-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rblntop\nVersion: 0\n")
    (info / "entry_points.txt").write_text(
        "[vllm.general_plugins]\nrblntop = rblntopd.probe.plugin:register\n"
    )
    paths = [str(REPOSITORY / "daemon"), str(_PLUGIN), str(Path(__file__).parent)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    # vllm-rbln's platform plugin asks for the NPU's compiler, which a CPU host does not have.
    os.environ["VLLM_PLUGINS"] = "rblntop"
    os.environ["VLLM_LOGGING_LEVEL"] = "WARNING"
    os.environ.pop("RBLNTOP_PROBE", None)
    os.environ["HF_HUB_OFFLINE"] = "1"


def pytest_report_header() -> str:
    """Which vLLM it is: ``make engine-newer`` puts another before that of the environment."""
    found = importlib.util.find_spec("vllm")
    return f"vllm: {found.origin if found else 'none'}"


def pytest_unconfigure() -> None:
    shutil.rmtree(_PLUGIN, ignore_errors=True)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny random Llama, with weights."""
    from rblntopd.sim import tiny_model

    return tiny_model.build(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture(scope="session")
def deep_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of eight layers, for pipelines of up to eight stages; without weights."""
    from rblntopd.sim import tiny_model

    return tiny_model.build(tmp_path_factory.mktemp("deep-model"), weights=False, layers=8)


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory of this test alone, on a tmpfs like a real one."""
    directory = Path(tempfile.mkdtemp(prefix="rblntop-test-", dir="/dev/shm"))
    monkeypatch.setenv("RBLNTOP_RUNTIME_DIR", str(directory))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def start_engine(tiny_model: Path, runtime_dir: Path) -> Iterator[Callable[..., Any]]:
    """Start engines in this process (arguments of ``EngineInProcess``); they are shut down at the end."""
    yield from _starter(tiny_model)


@pytest.fixture
def deep_engine(deep_model: Path, runtime_dir: Path) -> Iterator[Callable[..., Any]]:
    """As ``start_engine``, for deep pipelines."""
    yield from _starter(deep_model)


def _starter(model: Path) -> Iterator[Callable[..., Any]]:
    from engine_harness.engine_in_process import EngineInProcess

    started: list[EngineInProcess] = []

    def start(**settings: Any) -> EngineInProcess:
        started.append(EngineInProcess(model, **settings))
        return started[-1]

    yield start
    for engine in started:
        engine.shutdown()
