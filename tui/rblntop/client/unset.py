"""Stands for the value of a limit that nobody has set."""

from __future__ import annotations

import enum
from typing import Literal, TypeAlias


class Unset(enum.Enum):
    """Type of ``UNSET``."""

    UNSET = "unset"


UNSET = Unset.UNSET
"""As the new value of a limit: back to what the engine was started with."""

LimitTarget: TypeAlias = int | Literal[Unset.UNSET]
"""A number, or ``UNSET``."""
