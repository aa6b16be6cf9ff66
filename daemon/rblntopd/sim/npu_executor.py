"""The simulated NPU: a vLLM executor without weights or device, under the real EngineCore and scheduler.

Pass the class as ``distributed_executor_backend``. Every batch comes back with made-up tokens after the time
that a pipeline of NPUs would take (``pipeline.StageTimes``, set through ``$RBLNTOP_SIM_NPU``). Scheduling,
KV cache accounting, padding and pipeline parallelism are vLLM's and vllm-rbln's own; only the arithmetic of
the model is missing.

- :class:`SimulatedNpuExecutor` runs in real time.
- :class:`VirtualTimeNpuExecutor` runs in virtual time, thousands of steps a second, and puts its clock under
  the step recorder. It is for an EngineCore in the same process.

Written for the executor interface of vLLM 0.30 (``vllm.v1.executor.abstract``). Synchronous scheduling only,
as vllm-rbln has it with pipeline parallelism.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from typing import Any, ClassVar

from vllm.distributed.utils import get_pp_indices
from vllm.v1.executor.abstract import Executor
from vllm.v1.kv_cache_interface import FullAttentionSpec
from vllm.v1.worker.worker_base import CompilationTimes

from rblntopd.probe import clock as probe_clock
from rblntopd.sim.decode_padding import decode_padding
from rblntopd.sim.made_up_tokens import MadeUpTokens
from rblntopd.sim.pipeline import Pipeline, StageTimes
from rblntopd.sim.sim_clock import RealClock, SimClock, VirtualClock

KV_CACHE_BYTES = 4 * 1024**3
"""Memory for KV blocks on each device; ``--num-gpu-blocks-override`` sets the number of blocks directly."""
KV_CACHE_LAYOUT = "LBNHC"
NOTHING_TO_DO = (
    "update_max_model_len", "reset_mm_cache", "reset_encoder_cache", "profile", "sleep", "wake_up",
)  # fmt: skip
"""Worker methods about memory, caches and measurements that a device without any does not have."""


class SimulatedOutput(Future[Any]):
    """The output of a batch that is under way: there as soon as the clock has reached its moment."""

    def __init__(self, output: Any, done_ns: int, clock: SimClock) -> None:
        super().__init__()
        self._clock = clock
        self.done_ns = done_ns
        self.set_result(output)

    def done(self) -> bool:
        """Whether the pipeline has finished the batch."""
        return self._clock.now_ns() >= self.done_ns

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the pipeline, then return the output; ``timeout`` is not looked at."""
        self._clock.wait_until(self.done_ns)
        return super().result()


class SimulatedNpuExecutor(Executor):  # type: ignore[misc]
    """All workers of one engine, as one object: a pipeline of stages that computes nothing, in real time."""

    supports_pp: ClassVar[bool] = True

    def make_clock(self) -> SimClock:
        """The clock that this executor runs on."""
        return RealClock()

    def _init_executor(self) -> None:
        self.clock = self.make_clock()
        self._stages = int(self.parallel_config.pipeline_parallel_size)
        self._pipeline = Pipeline(self._stages, StageTimes.from_environment())
        self._padding = decode_padding(self.vllm_config)
        self._tokens = MadeUpTokens(self.model_config)
        self._unsampled: deque[SimulatedOutput] = deque()

    # --- a step, in the two phases of vLLM 0.13 and later -------------------------------------------------

    def execute_model(self, scheduler_output: Any, non_block: bool = False) -> Any:
        """Send a batch into the pipeline.

        Its result is None for a batch with tokens, whose output :meth:`sample_tokens` gives; an empty batch
        has its empty output here and is never sampled.
        """
        batch = self._tokens.run(scheduler_output)
        rows = self._padding(batch.decodes) if batch.decodes else 0
        done_ns = self._pipeline.send(self.clock.now_ns(), batch.prefill_tokens, rows)
        output = SimulatedOutput(batch.output, done_ns, self.clock)
        if not scheduler_output.num_scheduled_tokens:
            return self._answer(output, non_block)
        self._unsampled.append(output)
        return self._answer(SimulatedOutput(None, done_ns, self.clock), non_block)

    def sample_tokens(self, grammar_output: Any, non_block: bool = False) -> Any:
        """The output of the oldest executed batch that was not sampled yet. Grammars are not followed."""
        return self._answer(self._unsampled.popleft(), non_block)

    @staticmethod
    def _answer(output: SimulatedOutput, non_block: bool) -> Any:
        return output if non_block else output.result()

    # --- what the engine asks at start --------------------------------------------------------------------

    def get_kv_cache_specs(self) -> list[dict[str, Any]]:
        """One full-attention layer after the other, spread over the stages as vLLM spreads them."""
        config, parallel = self.model_config, self.parallel_config
        spec = FullAttentionSpec(
            block_size=self.cache_config.block_size,
            num_kv_heads=config.get_num_kv_heads(parallel),
            head_size=config.get_head_size(),
            dtype=config.dtype,
        )
        layers = config.get_total_num_hidden_layers()
        workers = []
        for stage in range(self._stages):
            first, end = get_pp_indices(layers, stage, self._stages)
            stage_specs = {f"model.layers.{layer}.self_attn.attn": spec for layer in range(first, end)}
            workers += [stage_specs] * int(parallel.tensor_parallel_size)
        return workers

    def determine_available_memory(self) -> list[int]:
        """The same for every worker."""
        return [KV_CACHE_BYTES] * int(self.parallel_config.world_size)

    def get_supported_kv_cache_layouts(self) -> list[list[str]]:
        """Any would do: nothing is stored."""
        return [[KV_CACHE_LAYOUT]] * int(self.parallel_config.world_size)

    def set_kv_cache_layout(self, layout_name: str) -> None:
        """Nothing is stored."""

    def initialize_from_config(self, kv_cache_configs: list[Any]) -> None:
        """Nothing is allocated."""

    def compile_or_warm_up_model(self) -> Any:
        """Nothing is compiled."""
        return CompilationTimes(language_model=0.0, encoder=0.0)

    @property
    def supported_tasks(self) -> tuple[str, ...]:
        """Text generation only."""
        return ("generate",)

    # --- the rest of the interface ------------------------------------------------------------------------

    def collective_rpc(
        self,
        method: Any,
        timeout: float | None = None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        non_block: bool = False,
    ) -> Any:
        """There are no workers to call, and for some calls nothing they would have to do.

        Raises:
            NotImplementedError: the call needs a worker.
        """
        if method in NOTHING_TO_DO:
            return [None] * int(self.parallel_config.world_size)
        raise NotImplementedError(f"the simulated NPU has no workers that could do {method}")

    def supports_draft_weight_updates(self) -> bool:
        """No draft model."""
        return False

    def execute_dummy_batch(self) -> None:
        """A data-parallel rank without work keeps step with the others: there is nobody to wait for here."""

    def take_draft_token_ids(self) -> None:
        """No speculative decoding."""

    def check_health(self) -> None:
        """Always healthy."""

    def shutdown(self) -> None:
        """Nothing to release."""


class VirtualTimeNpuExecutor(SimulatedNpuExecutor):
    """The simulated NPU in virtual time: waiting for a batch costs nothing, and a run repeats exactly."""

    process_clock: ClassVar[VirtualClock] = VirtualClock()
    """One for the process: engines beside or after each other live in the same time, as real ones do."""

    def make_clock(self) -> SimClock:
        """The virtual clock, put under the step recorder too: this runs before the scheduler is made."""
        probe_clock.monotonic_ns = self.process_clock.now_ns
        return self.process_clock
