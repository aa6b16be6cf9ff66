"""The sim engine: vLLM's scheduling in pure Python, without vLLM, weights or a device.

A model of vLLM 0.30.0's V1 scheduler, of vllm-rbln 0.12.0's rules on it, of the engine's loop and of a
pipeline's step times. It has the attributes that the probe looks at, so the probe of a real engine records it
and enforces limits on it. What is modelled and what is not: ``docs/simulation.md``.
"""
