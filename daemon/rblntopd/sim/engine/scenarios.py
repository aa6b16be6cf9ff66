"""Engines in situations that an operator should know when seen, by name."""

from __future__ import annotations

import dataclasses

from rblntopd.sim.engine.arrivals import Traffic
from rblntopd.sim.engine.config import RBLNConfig, VllmConfig, vllm_config
from rblntopd.sim.engine.earlier_rbln import HardCapOnly, NoDecodeCap
from rblntopd.sim.engine.rbln_scheduler import RBLNScheduler
from rblntopd.sim.engine.scheduler import Scheduler
from rblntopd.sim.engine.v0_schedulers import V0Schedulers

PP, MAX_NUM_SEQS = 4, 32
FOUR_BUCKETS = RBLNConfig(decode_batch_bucket_limit=4)


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One of them."""

    name: str
    summary: str
    """What there is to see, in a sentence."""
    config: VllmConfig
    traffic: tuple[Traffic, ...]
    scheduler: type[Scheduler] = RBLNScheduler
    group_caps: tuple[int, ...] = ()
    """Set through the probe at the start, as an operator would; empty: none."""
    hangs_after_s: float | None = None
    """The device answers no more from then on."""


def _chat(per_second: float) -> Traffic:
    return Traffic(per_second, (40, 800), (60, 600), at_start=12, give_up_ratio=0.03)


def _config(name: str, rbln: RBLNConfig = FOUR_BUCKETS, blocks: int = 8192) -> VllmConfig:
    return vllm_config(model=f"sim-{name}", pp=PP, max_num_seqs=MAX_NUM_SEQS, blocks=blocks, rbln=rbln)


_ALL = (
    Scenario(
        "balanced",
        "vllm-rbln 0.12.0 as it ships: four even groups, a full pipeline.",
        _config("balanced"),
        (_chat(4.0),),
    ),
    Scenario(
        "collapse",
        "Before vllm-rbln had a decode cap: one group takes nearly all, the others carry a request or two.",
        _config(
            "collapse",
            rbln=RBLNConfig(
                decode_batch_bucket_strategy="manual",
                decode_batch_bucket_manual_buckets=(MAX_NUM_SEQS // PP, MAX_NUM_SEQS // 2, MAX_NUM_SEQS),
            ),
        ),
        # Long outputs: every prefill is a chance for the groups to mix anew.
        (Traffic(1.0, (40, 800), (400, 1300), at_start=22),),
        NoDecodeCap,
    ),
    Scenario(
        "uneven",
        "vllm-rbln with the hard cap alone: groups are filled one after the other, the last runs near empty.",
        # Far fewer requests than slots: a full group holds most of them.
        vllm_config(model="sim-uneven", pp=PP, max_num_seqs=2 * MAX_NUM_SEQS, rbln=FOUR_BUCKETS),
        (Traffic(0.7, (40, 800), (600, 1200), at_start=14),),
        HardCapOnly,
    ),
    Scenario(
        "forgotten-cap",
        "Somebody left group caps of 2: requests queue while the buckets are three quarters padding.",
        _config("forgotten-cap", rbln=RBLNConfig()),
        (_chat(4.0),),
        group_caps=(2,) * PP,
    ),
    Scenario(
        "prefill-storm",
        "Bursts of long prompts: each runs alone, chunk by chunk, and the decodes stand still.",
        _config("prefill-storm"),
        (_chat(2.0), Traffic(1 / 4, (1500, 3400), (20, 120), burst=12)),
    ),
    Scenario(
        "kv-pressure",
        "Too little KV memory for the outputs: requests are preempted and computed again.",
        _config("kv-pressure", blocks=640),
        (Traffic(2.0, (60, 300), (300, 1200), give_up_ratio=0.03),),
    ),
    Scenario(
        "stalled",
        "After ten seconds the device answers no more: batches in flight that never come back.",
        _config("stalled"),
        (_chat(4.0),),
        hangs_after_s=10.0,
    ),
    Scenario(
        "idle",
        "A few requests at the start, and none since.",
        _config("idle"),
        (Traffic(0, (40, 80), (20, 40), at_start=4),),
    ),
    Scenario(
        "v0",
        "vLLM's V0 engine: max_num_seqs holds for each group, so Running reaches max_num_seqs x pp.",
        vllm_config(model="sim-v0", pp=PP, max_num_seqs=MAX_NUM_SEQS // PP, max_num_batched_tokens=1024),
        (_chat(6.0),),
        V0Schedulers,
    ),
)

SCENARIOS = {scenario.name: scenario for scenario in _ALL}
