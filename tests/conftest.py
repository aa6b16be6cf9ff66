"""For all tests: interrupts are as in a terminal."""

from __future__ import annotations

import signal

# A shell starts what it puts in the background with SIGINT ignored, and children inherit that: those that a
# test interrupts would go on.
signal.signal(signal.SIGINT, signal.default_int_handler)
