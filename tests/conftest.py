"""For all tests: signals are as in a terminal."""

from __future__ import annotations

import signal

# A shell starts what it puts in the background with SIGINT ignored, nohup ignores SIGHUP, and children
# inherit that: those that a test interrupts would go on.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
