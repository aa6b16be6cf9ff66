"""The daemon's side of an engine: find it, read its ring, tell whether it lives, ask it for changes."""
