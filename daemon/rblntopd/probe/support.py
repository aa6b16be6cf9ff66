"""Which engines the probe was tested with.

The list warns and does not decide: what can be watched and changed is chosen by what the scheduler can do,
and an engine that lacks something says what (``_why_no_...`` in :mod:`rblntopd.probe.enforcement`).
"""

from __future__ import annotations

TESTED: tuple[tuple[str, str], ...] = (("0.30.0", "0.12.0"), ("0.30.0", ""), ("0.32.0", ""))
"""(vLLM, vllm-rbln) pairs that the tests ran with; an empty vllm-rbln is vLLM's own scheduler."""


def untested_notice(vllm: str, vllm_rbln: str) -> str:
    """What an operator should know of these versions; empty where they were tested."""
    if (vllm.partition("+")[0], vllm_rbln.partition("+")[0]) in TESTED:
        return ""
    tested = ", ".join(_pair(*pair) for pair in TESTED)
    return f"untested: {_pair(vllm or 'unknown', vllm_rbln)}; tested: {tested}"


def _pair(vllm: str, vllm_rbln: str) -> str:
    return f"vLLM {vllm} with vllm-rbln {vllm_rbln}" if vllm_rbln else f"vLLM {vllm}"
