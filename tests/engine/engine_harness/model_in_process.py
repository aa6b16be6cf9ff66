"""The sim engine in this process, with the handles of ``EngineInProcess``, so that one load drives both."""

from __future__ import annotations

from typing import Any

from engine_harness.observer import Observer
from engine_harness.request_load import PlannedRequest
from rblntopd.sim.engine.buckets import decode_buckets
from rblntopd.sim.engine.config import RBLNConfig, vllm_config
from rblntopd.sim.engine.core import EngineCore
from rblntopd.sim.engine.device import Device, padded_rows
from rblntopd.sim.engine.rbln_scheduler import RBLNScheduler
from rblntopd.sim.engine.request import Request
from rblntopd.sim.engine.scheduler import Scheduler
from rblntopd.sim.pipeline import StageTimes
from rblntopd.sim.sim_clock import VirtualClock


class ModelInProcess:
    """One sim engine in virtual time, with the settings that ``EngineInProcess`` has by default."""

    def __init__(
        self,
        *,
        pp: int,
        max_num_seqs: int = 8,
        blocks: int = 1000,
        rbln: bool = True,
        buckets: int = 1,
        max_model_len: int = 1024,
        max_num_batched_tokens: int = 128,
        block_size: int = 16,
        use_v2_model_runner: bool = False,
    ) -> None:
        config = vllm_config(
            pp=pp,
            max_num_seqs=max_num_seqs,
            blocks=blocks,
            max_model_len=max_model_len,
            max_num_batched_tokens=max_num_batched_tokens,
            block_size=block_size,
            rbln=RBLNConfig(decode_batch_bucket_limit=buckets),
            use_v2_model_runner=use_v2_model_runner,
        )
        self.clock = VirtualClock()
        compiled = decode_buckets(config) if rbln else []
        device = Device(pp, StageTimes(), compiled)
        self._core = EngineCore(RBLNScheduler if rbln else Scheduler, config, device, self.clock)
        self.scheduler: Any = self._core.scheduler
        self.observer = Observer(
            self.scheduler, self.clock.now_ns, padded_rows(compiled).__getitem__ if rbln else None
        )

    def add(self, planned: PlannedRequest) -> None:
        self.scheduler.add_request(Request(planned.request_id, len(planned.prompt), planned.output_tokens))

    def abort(self, request_id: str) -> None:
        self.scheduler.finish_requests([request_id])

    @property
    def busy(self) -> bool:
        return self._core.busy

    def step(self) -> None:
        self._core.step()
