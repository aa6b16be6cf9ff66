"""What a model runner would answer to a batch, without a model: who gets a token, and a made-up one."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

from vllm.v1.outputs import EMPTY_MODEL_RUNNER_OUTPUT, ModelRunnerOutput


class RunBatch(NamedTuple):
    """A batch as the device saw it, and its output."""

    prefill_tokens: int
    decodes: int
    output: Any
    """A ``ModelRunnerOutput``."""


class MadeUpTokens:
    """Follows the lengths of the requests through ``SchedulerOutput``, as a model runner does."""

    def __init__(self, model_config: Any) -> None:
        self._vocabulary = int(model_config.get_vocab_size())
        eos = getattr(model_config.hf_text_config, "eos_token_id", None)
        self._avoided = {token for token in (eos if isinstance(eos, list) else [eos]) if token is not None}
        self._prompt_lengths: dict[str, int] = {}

    def run(self, scheduler_output: Any) -> RunBatch:
        """Take in a batch and answer it: a token for each request whose sequence is computed to its end.

        A resumed request computes its whole sequence again, prompt and generated tokens: it is judged by all
        of them. By the prompt's length alone it would give tokens early, and run in two batches at once.
        """
        progress = self._progress(scheduler_output)
        if not progress:
            return RunBatch(0, 0, EMPTY_MODEL_RUNNER_OUTPUT)
        prefill_tokens = decodes = 0
        sampled: list[list[int]] = []
        for request_id, scheduled in scheduler_output.num_scheduled_tokens.items():
            computed, length = progress[request_id]
            if computed < length - 1:
                prefill_tokens += scheduled
            else:
                decodes += 1
            sampled.append([self._token(request_id, length)] if computed + scheduled >= length else [])
        index = {
            request_id: position for position, request_id in enumerate(scheduler_output.num_scheduled_tokens)
        }
        output = ModelRunnerOutput(req_ids=list(index), req_id_to_index=index, sampled_token_ids=sampled)
        return RunBatch(prefill_tokens, decodes, output)

    def _progress(self, scheduler_output: Any) -> dict[str, tuple[int, int]]:
        """For each request of the batch: tokens computed before it, and the length of its sequence."""
        for request_id in scheduler_output.finished_req_ids:
            self._prompt_lengths.pop(request_id, None)
        progress = {}
        for request in scheduler_output.scheduled_new_reqs:
            length = len(request.prompt_token_ids or ())
            self._prompt_lengths[request.req_id] = length
            progress[request.req_id] = (request.num_computed_tokens, length)
        cached = scheduler_output.scheduled_cached_reqs
        lengths = zip(cached.req_ids, cached.num_computed_tokens, cached.num_output_tokens, strict=True)
        for request_id, computed, generated in lengths:
            progress[request_id] = (computed, self._prompt_lengths[request_id] + generated)
        return progress

    def _token(self, request_id: str, position: int) -> int:
        """Depends on request and position alone, so that a run repeats; never the end of a sequence."""
        token = (zlib.crc32(request_id.encode()) + position * 7919) % self._vocabulary
        while token in self._avoided:
            token = (token + 1) % self._vocabulary
        return token
