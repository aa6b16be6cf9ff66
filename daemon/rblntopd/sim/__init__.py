"""Engines without a device: the simulated NPU executor under the real vLLM scheduler, and a tiny model."""
