"""One step in one line, for ``rblnctl steps``."""

from __future__ import annotations

from rblntop.model import Step, StepKind
from rblntop.text.cells import right
from rblntop.text.durations import duration
from rblntop.text.numbers import percent
from rblntop.text.words import EMPTY_BECAUSE, KIND

STEP_HEADER = (
    "     SEQ      STEP  KIND     GROUP  BATCH   TOKENS    TOOK  MAX_SEQ_LEN    RUN   WAIT     KV  GEN"
)


def step_line(step: Step) -> str:
    """The step under ``STEP_HEADER``; an empty run says how long it was and why."""
    if step.kind is StepKind.EMPTY:
        causes = ", ".join(f"{steps:,} {EMPTY_BECAUSE[cause]}" for cause, steps in step.causes if steps)
        return (
            f"{step.sequence:>8}  {step.step:>8}  empty                   x {step.count:<6}"
            f"{right(_took(step), 8)}  {causes or '--'}"
        )
    group = "--" if step.group is None else str(step.group)
    batch = f"{step.requests}/{step.padded_batch}" if step.padded_batch is not None else str(step.requests)
    return (
        f"{step.sequence:>8}  {step.step:>8}  {KIND[step.kind]:7}  {group:>5}  {batch:>5}  {step.tokens:>7,}"
        f"{right(_took(step), 8)}  {step.max_seq_len:>11,}  {step.running:>5}  {step.waiting:>5}"
        f"  {right(percent(step.kv_usage_ratio), 5)}  {step.generation:>3}"
    )


def _took(step: Step) -> str:
    if step.kind is StepKind.LOST or step.completed_ns < step.scheduled_ns:
        return "--"
    return duration((step.completed_ns - step.scheduled_ns) / 1e9)
