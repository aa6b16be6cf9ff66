"""Steps of the past, wherever they come from: a recording, a ring file, or a daemon asked for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rblntop.recording.step_block import StepRun
from rblntop_api.v1 import control_pb2


def nothing() -> Sequence[str]:
    """No notes."""
    return ()


@dataclass(frozen=True, slots=True)
class History:
    """What happened in an engine. Read the runs first: changes and notes come to light with them."""

    name: str
    """Where it comes from, for the reader."""
    runs: Iterator[StepRun]
    changes: Callable[[], Sequence[control_pb2.Change]] = field(default=lambda: ())
    """Changes of limits, oldest first. None: nothing but the steps' generations tells of them."""
    notes: Callable[[], Sequence[str]] = nothing
    """What could not be read."""
