"""How vllm-rbln bounded its decode batches in earlier releases; the other rules are those of 0.12.0."""

from __future__ import annotations

from rblntopd.sim.engine import rbln_scheduler
from rblntopd.sim.engine.rbln_scheduler import DecodeBatchBudget, RBLNScheduler


class HardCapOnly(RBLNScheduler):
    """vllm-rbln 0.10.3 to 0.11.1: a batch is filled to the compiled size, the next gets what is left."""

    def _decode_budget(self, demand: int) -> DecodeBatchBudget:
        return super()._decode_budget(self.max_num_running_reqs)


class NoDecodeCap(RBLNScheduler):
    """Before PR #243 (vllm-rbln 0.9): a batch takes every decode there is, and is compiled for as many."""

    def _decode_budget(self, demand: int) -> DecodeBatchBudget:
        # By its module, because the probe may have put its own there.
        return rbln_scheduler.DecodeBatchBudget.for_step(
            max_num_seqs=self.max_num_running_reqs, pipeline_parallel_size=1, demand=demand
        )
