"""A real EngineCore and scheduler in this process, on simulated NPUs, and a second pair of eyes on it."""
