"""Exit codes that a script can trust."""

DONE = 0
FAILED = 1
"""Refused by the daemon or the engine, or not reached in time."""
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130
"""Ctrl-C, as a shell reports it."""
