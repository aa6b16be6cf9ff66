"""The vLLM plugin: makes every scheduler class that vLLM is about to use one that records its steps.

Loaded in the API server, in EngineCore, in every worker and in vLLM's registry subprocess. So nothing is made
here: files, locks and threads come with the first scheduler, in the process that has one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

MODE_VARIABLE = "RBLNTOP_PROBE"
MODES = ("off", "observe", "control")

logger = logging.getLogger("vllm.rblntop")
"""Below vLLM's logger, so that our few lines look like and go where the engine's go."""


def mode() -> str:
    """What the operator wants of the probe: ``off``, ``observe`` or ``control`` (the default)."""
    wanted = os.environ.get(MODE_VARIABLE, "") or "control"
    if wanted not in MODES:
        logger.warning(
            "rblntop: %s=%r is not one of %s: the probe is off", MODE_VARIABLE, wanted, ", ".join(MODES)
        )
        return "off"
    return wanted


def register() -> None:
    """Entry point ``vllm.general_plugins: rblntop``.

    vLLM does not catch what a plugin raises (vllm.plugins.load_general_plugins), so nothing leaves here.
    """
    try:
        if mode() != "off":
            _wrap_scheduler_lookup()
    except Exception:
        logger.warning("rblntop: the probe could not hook into this vLLM and is off", exc_info=True)


def _wrap_scheduler_lookup() -> None:
    """Wrap ``SchedulerConfig.get_scheduler_cls``, which EngineCore asks once, after the plugins are loaded.

    Not ``scheduler_cls``: the RBLN platform overwrites it, and it is pickled to other processes.
    """
    from vllm.config.scheduler import SchedulerConfig

    original: Callable[[Any], type] = SchedulerConfig.get_scheduler_cls
    if getattr(original, "_rblntop", False):
        return

    def get_scheduler_cls(self: Any) -> type:
        found = original(self)
        try:
            from rblntopd.probe.scheduler_class import probed

            return probed(found)
        except Exception:
            logger.warning("rblntop: %r cannot be observed", found, exc_info=True)
            return found

    get_scheduler_cls._rblntop = True  # type: ignore[attr-defined]
    get_scheduler_cls.__doc__ = original.__doc__
    SchedulerConfig.get_scheduler_cls = get_scheduler_cls
