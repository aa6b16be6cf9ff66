"""Puts the model where a probe looks for vLLM: under the names of vLLM's modules, in a process without vLLM.

The probe looks by name for what the engine has loaded: the budget class to replace, the version, the request
class whose fields it relies on.
"""

from __future__ import annotations

import sys
from types import ModuleType

from rblntopd.sim.engine import buckets, rbln_scheduler, request, scheduler

MODELLED_VLLM = "0.30.0"


def install() -> None:
    """Make the names known; once is enough.

    Raises:
        RuntimeError: the real vLLM is loaded in this process.
    """
    loaded = sys.modules.get("vllm")
    if loaded is not None and getattr(loaded, "__file__", None):
        raise RuntimeError("vLLM is loaded in this process: a sim engine needs one of its own")
    vllm = ModuleType("vllm")
    vllm.__version__ = MODELLED_VLLM  # type: ignore[attr-defined]
    sys.modules |= {
        "vllm": vllm,
        "vllm.v1.request": request,
        "vllm.v1.core.sched.interface": scheduler,
        "vllm_rbln.v1.core.rbln_scheduler": rbln_scheduler,
        "vllm_rbln.v1.worker.bucketing": buckets,
    }
