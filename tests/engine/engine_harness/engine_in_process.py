"""The real EngineCore in this process, on the simulated NPU in virtual time, driven by a planned load."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vllm.engine.arg_utils import EngineArgs
from vllm.sampling_params import SamplingParams
from vllm.v1.engine import EngineCoreRequest
from vllm.v1.engine.core import EngineCore
from vllm_rbln.config import RBLNConfig
from vllm_rbln.v1.core.utils import decode_batch_size
from vllm_rbln.v1.worker.bucketing import get_bucketing_manager

from engine_harness.observer import Observer
from engine_harness.request_load import PlannedRequest
from rblntopd.sim.npu_executor import VirtualTimeNpuExecutor

RBLN_SCHEDULER = "vllm_rbln.v1.core.rbln_scheduler.RBLNScheduler"


class EngineInProcess:
    """One engine. :meth:`step` is one turn of its loop; :func:`drive` gives it a load."""

    def __init__(
        self,
        model: Path,
        *,
        pp: int,
        max_num_seqs: int = 8,
        blocks: int = 1000,
        rbln: bool = True,
        buckets: int = 1,
        **engine_args: Any,
    ) -> None:
        self.pp = pp
        options = RBLNConfig(decode_batch_bucket_limit=buckets)
        settings: dict[str, Any] = {
            "max_model_len": 1024,
            "max_num_batched_tokens": 128,
            "block_size": 16,
            "skip_tokenizer_init": True,
            "async_scheduling": False,
            **engine_args,
        }
        if rbln:
            settings |= {"scheduler_cls": RBLN_SCHEDULER, "additional_config": options}
        arguments = EngineArgs(
            model=str(model),
            pipeline_parallel_size=pp,
            max_num_seqs=max_num_seqs,
            num_gpu_blocks_override=blocks,
            distributed_executor_backend=VirtualTimeNpuExecutor,
            **settings,
        )
        self.core = EngineCore(arguments.create_engine_config(), VirtualTimeNpuExecutor, log_stats=True)
        self.scheduler: Any = self.core.scheduler
        self.clock = self.core.model_executor.clock
        self.observer = Observer(
            self.scheduler, self.clock.now_ns, bucket_of(options, max_num_seqs, pp) if rbln else None
        )
        self.largest_bucket = decode_batch_size(max_num_seqs, pp) if rbln else max_num_seqs
        self.output_tokens: Counter[str] = Counter()
        self.finish_reasons: dict[str, str] = {}
        self.aborted: set[str] = set()

    def add(self, planned: PlannedRequest) -> None:
        """Send one request now."""
        request = EngineCoreRequest(
            request_id=planned.request_id,
            prompt_token_ids=list(planned.prompt),
            mm_features=None,
            sampling_params=SamplingParams(max_tokens=planned.output_tokens, ignore_eos=True),
            pooling_params=None,
            arrival_time=time.time(),
            lora_request=None,
            cache_salt=None,
            data_parallel_rank=None,
        )
        self.core.add_request(*self.core.preprocess_add_request(request))

    def abort(self, request_id: str) -> None:
        """Give up a request, as a client that goes away does."""
        self.aborted.add(request_id)
        self.core.abort_requests([request_id])

    @property
    def busy(self) -> bool:
        """Whether the engine's loop would run a step, as in ``EngineCoreProc.has_work``."""
        return bool(self.scheduler.has_requests() or self.core.batch_queue)

    def step(self) -> None:
        """One turn of the engine's loop."""
        outputs, executed = self.core.step_fn()
        self.core.post_step(executed)
        for of_client in (outputs or {}).values():
            for output in of_client.outputs:
                self.output_tokens[output.request_id] += len(output.new_token_ids)
                if output.finish_reason is not None:
                    self.finish_reasons[output.request_id] = str(output.finish_reason)

    def shutdown(self) -> None:
        """End the engine in order."""
        self.core.shutdown()


def drive(
    engine: EngineInProcess, load: Iterable[PlannedRequest], after_step: Callable[[], None] = lambda: None
) -> None:
    """Feed ``load`` to the engine as its time comes, and step until everything is done."""
    start_ns = engine.clock.now_ns()
    arrivals = deque(sorted(load, key=lambda planned: planned.arrival_ns))
    given_up: list[tuple[int, str]] = []
    while arrivals or engine.busy:
        if not engine.busy:
            engine.clock.wait_until(start_ns + arrivals[0].arrival_ns)
        now_ns = engine.clock.now_ns() - start_ns
        while arrivals and arrivals[0].arrival_ns <= now_ns:
            planned = arrivals.popleft()
            engine.add(planned)
            if planned.abort_after_ns is not None:
                given_up.append((planned.arrival_ns + planned.abort_after_ns, planned.request_id))
        for due in [due for due in given_up if due[0] <= now_ns]:
            given_up.remove(due)
            if due[1] in engine.scheduler.requests:
                engine.abort(due[1])
        engine.step()
        after_step()


def bucket_of(options: RBLNConfig, max_num_seqs: int, pp: int) -> Callable[[int], int]:
    """The very call with which vllm-rbln's model runner pads a decode batch."""
    manager = get_bucketing_manager(
        options.decode_batch_bucket_strategy,
        max_batch_size=decode_batch_size(max_num_seqs, pp),
        min_batch_size=options.decode_batch_bucket_min,
        step=options.decode_batch_bucket_step,
        limit=options.decode_batch_bucket_limit,
        manual_buckets=options.decode_batch_bucket_manual_buckets,
    )
    find: Callable[[int], int] = manager.find_decode_batch_bucket
    return find
