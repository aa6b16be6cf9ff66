"""The device of a sim engine: a pipeline that takes its time, and may hang."""

from __future__ import annotations

from collections.abc import Sequence

from rblntopd.sim.engine.batch import SchedulerOutput
from rblntopd.sim.pipeline import Pipeline, StageTimes

NEVER_NS = 1 << 62


class Device:
    """Tells when a batch will be done; one sent at ``hangs_ns`` or later never is."""

    def __init__(
        self, stages: int, times: StageTimes, buckets: Sequence[int] = (), hangs_ns: int = NEVER_NS
    ) -> None:
        """``buckets`` are the compiled decode batches, none if nothing is padded."""
        self._pipeline = Pipeline(stages, times)
        self._hangs_ns = hangs_ns
        self._rows = padded_rows(buckets)

    def send(self, now_ns: int, batch: SchedulerOutput) -> int:
        """Send a batch in at ``now_ns``; the moment at which its output is there."""
        if now_ns >= self._hangs_ns:
            return NEVER_NS
        decodes = batch.decodes
        rows = self._rows[decodes] if decodes < len(self._rows) else decodes
        return self._pipeline.send(now_ns, batch.prefill_tokens, rows)


def padded_rows(buckets: Sequence[int]) -> list[int]:
    """By the size of a decode batch, the rows it is computed with: the smallest bucket that holds it."""
    rows = [0]
    for bucket in sorted(buckets):
        rows += [bucket] * (bucket - len(rows) + 1)
    return rows
