"""Counts of requests as parts of a sentence."""

from __future__ import annotations

from rblntop.model import EngineState
from rblntop.scene import Scene
from rblntop.text.numbers import count


def requests(number: int) -> str:
    """``1 request``, ``7 requests``."""
    return f"{count(number)} request" + ("" if number == 1 else "s")


def run(number: int) -> str:
    """``1 request runs``."""
    return f"{requests(number)} run" + ("s" if number == 1 else "")


def wait(number: int) -> str:
    """``none waits``, ``1 request waits``."""
    if not number:
        return "none waits"
    return f"{requests(number)} wait" + ("s" if number == 1 else "")


def admits_nobody(scene: Scene) -> bool:
    """Waiting requests are not admitted, by us or by somebody else."""
    state = scene.snapshot.limits.admission_state
    return scene.snapshot.engine.state is EngineState.CLOSED or state.closed or state.paused_by_engine
