"""The clock that step records are stamped with.

One place, so that a simulation can put a virtual clock under the recorder before a scheduler is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable

monotonic_ns: Callable[[], int] = time.monotonic_ns
"""CLOCK_MONOTONIC in ns. Read once, when a recorder is made."""
