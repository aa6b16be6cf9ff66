"""How a recording is being played, at the time of a frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Playback:
    """Of a frame that comes from a recording."""

    position_s: float = 0.0
    """Since the recording began, by the clock of the engine's host."""
    length_s: float = 0.0
    speed: float = 1.0
    paused: bool = False
    at_end: bool = False
    growing: bool = False
    """It is still being written: at its end more will come."""
    gap_s: float = 0.0
    """Time that is missing before this frame. 0: none."""
