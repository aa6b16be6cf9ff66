"""The scenarios of the sim engine, as it lists them itself: a test compares the two."""

from __future__ import annotations

SCENARIOS = {
    "balanced": "vllm-rbln 0.12.0 as it ships: four even groups, a full pipeline.",
    "collapse": (
        "Before vllm-rbln had a decode cap: one group takes nearly all, the others carry a request or two."
    ),
    "uneven": (
        "vllm-rbln with the hard cap alone: groups are filled one after the other, the last runs near empty."
    ),
    "forgotten-cap": (
        "Somebody left group caps of 2: requests queue while the buckets are three quarters padding."
    ),
    "prefill-storm": "Bursts of long prompts: each runs alone, chunk by chunk, and the decodes stand still.",
    "kv-pressure": "Too little KV memory for the outputs: requests are preempted and computed again.",
    "stalled": "After ten seconds the device answers no more: batches in flight that never come back.",
    "idle": "A few requests at the start, and none since.",
    "v0": "vLLM's V0 engine: max_num_seqs holds for each group, so Running reaches max_num_seqs x pp.",
}
"""Name and what there is to see."""

FIRST = "collapse"
"""What a newcomer gets to see: something is wrong, and a group cap mends it."""
