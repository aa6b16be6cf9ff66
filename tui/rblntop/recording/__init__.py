"""Recordings of an engine: one compressed file of blocks that can be appended to and outlives a crash.

Nothing here knows gRPC or a screen. ``docs/recording.md`` says what the file looks like.
"""
