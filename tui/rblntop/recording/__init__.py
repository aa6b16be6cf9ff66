"""Recordings of an engine: one compressed file of blocks that can be appended to and outlives a crash.

Nothing here knows a screen, and only ``capture`` knows the daemon. ``docs/recording.md`` describes the file.
"""
