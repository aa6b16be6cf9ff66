"""An hour of an engine, made up but with the noise of a real one: what a recording of it has to hold.

Four groups of a pp 4 RBLN engine: decodes whose times jitter by some per cent, a lone prefill now and then,
requests that come and finish, caps that change, empty slots when there is too little to do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from rblntop_api.v1 import snapshot_pb2, step_pb2

PP, BUCKET = 4, 8
START_NS = 1_760_000_000_000_000_000
MONO_NS = 7_200_000_000_000


def steps(seconds: float, per_second: int = 100, seed: int = 7) -> Iterator[step_pb2.Step]:
    """``seconds * per_second`` steps."""
    rng = random.Random(seed)
    period = 1e9 / per_second
    batches = [6, 7, 8, 5]
    lengths = [rng.randrange(100, 3000) for _ in range(PP)]
    scheduled = [MONO_NS + int(period * row) for row in range(PP)]
    waiting, kv, now = 3, 0.5, float(MONO_NS + PP * period)
    for number in range(int(seconds * per_second)):
        row = number % PP
        now += rng.gauss(period, period * 0.03)
        kind, finished, new = step_pb2.STEP_KIND_DECODE, 0, 0
        if rng.random() < 0.04:
            kind, new = step_pb2.STEP_KIND_PREFILL, 1
            waiting = max(0, waiting - 1)
        elif rng.random() < 0.02:
            kind = step_pb2.STEP_KIND_EMPTY
        elif rng.random() < 0.04:
            finished = 1
            batches[row] = max(1, batches[row] - 1)
            lengths[row] = rng.randrange(100, 3000)
        if rng.random() < 0.04:
            batches[row] = min(BUCKET, batches[row] + 1)
            waiting += rng.randrange(2)
        if number % 10 == 0:
            kv = min(1.0, max(0.0, kv + rng.gauss(0, 0.002)))
        lengths[row] += 1
        running = sum(batches)
        step = step_pb2.Step(
            sequence=number, step=number + 1, kind=kind, row=row, scheduled_ns=scheduled[row],
            completed_ns=int(now), schedule_ns=int(rng.lognormvariate(12.2, 0.25)), running=running,
            waiting=waiting, unfinished=running + waiting, in_flight=PP, kv_usage_ratio=kv, generation=2,
            count=1, admission_stop=step_pb2.ADMISSION_STOP_MAX_NUM_SEQS,
        )  # fmt: skip
        if kind == step_pb2.STEP_KIND_DECODE:
            step.group, step.padded_batch, step.ready = row, BUCKET, batches[row]
            step.requests = step.tokens = batches[row]
            step.max_seq_len, step.finished = lengths[row], finished
        elif kind == step_pb2.STEP_KIND_PREFILL:
            step.requests = step.prefill_requests = step.new_requests = new
            step.tokens = step.max_seq_len = rng.randrange(100, 2048)
            step.queue_wait_us, step.ready = rng.randrange(1000, 3_000_000), batches[row]
        else:
            step.count = 1 + rng.randrange(40)
            step.causes.add(
                cause=step_pb2.EMPTY_CAUSE_DEMAND, steps=step.count, slot_us=rng.randrange(1000, 90_000)
            )
        scheduled[row] = int(now + rng.lognormvariate(12.5, 0.3))
        yield step


def snapshots(seconds: int, groups: int = PP, seed: int = 8) -> Iterator[snapshot_pb2.Snapshot]:
    """One a second, with every figure that a busy engine has."""
    rng = random.Random(seed)
    strips: list[list[tuple[int, int, int]]] = [[] for _ in range(groups)]

    def cell() -> tuple[int, int, int]:
        return (rng.randrange(600, 1000), rng.randrange(850, 1000), rng.randrange(0, 90))

    for strip in strips:
        strip += [cell() for _ in range(120)]
    for second in range(seconds):
        message = snapshot_pb2.Snapshot(
            age_seconds=rng.random() * 0.1, step=second * 100, next_sequence=second * 100, running=28,
            waiting=rng.randrange(9), oldest_wait_seconds=rng.random() * 5, kv_usage_ratio=rng.random(),
            kv_blocks_used=rng.randrange(500), max_seq_len=rng.randrange(4096), admission_stop=2,
            probe_us_per_step=2 + rng.random(), daemon_cpu_ratio=rng.random() * 0.01,
        )  # fmt: skip
        message.time.FromNanoseconds(START_NS + second * 1_000_000_000 + rng.randrange(3_000_000))
        engine = message.engine
        engine.name, engine.instance_id, engine.model = "prod-70b/0", "5d1c-4242-1700", "llama-3.1-70b"
        engine.state, engine.pid, engine.scheduler_class = 3, 4242, "RBLNScheduler"
        engine.vllm_version, engine.vllm_rbln_version, engine.probe_version = "0.30.0", "0.12.0", "0.1.0"
        engine.pp_size = engine.batch_queue_depth = engine.group_count = groups
        engine.tp_size, engine.dp_size, engine.max_num_seqs = 2, 1, groups * BUCKET
        engine.max_num_batched_tokens, engine.max_model_len = 2048, 8192
        engine.block_size, engine.num_blocks = 1024, 512
        engine.decode_buckets.append(BUCKET)
        message.limits.generation, message.limits.admission = 2, groups * BUCKET
        for group in range(-1, groups):
            limit = message.limits.limits.add(
                kind=1 if group < 0 else 2, scope=1 if group < 0 else 2, floor=1, ceiling=BUCKET,
                effective=BUCKET, available=True,
            )  # fmt: skip
            if group >= 0:
                limit.group = group
        for seconds_back in (1, 10, 60):
            window = message.windows.add(seconds=seconds_back, covered_seconds=seconds_back)
            window.decode_steps, window.prefill_steps = 90 * seconds_back, rng.randrange(9 * seconds_back)
            window.empty.add(cause=3, steps=rng.randrange(9), ratio=rng.random())
            for name in (
                "decode_pad_ratio", "queue_occupancy_ratio", "bubble_ratio", "stage_busy_ratio_estimate",
                "prefill_stall_ratio", "group_skew", "output_tokens_per_second", "prefill_tokens_per_second",
                "steps_per_second", "admitted_per_second", "token_gap_p50_seconds", "token_gap_p99_seconds",
                "queue_wait_p50_seconds", "queue_wait_p99_seconds", "step_p50_seconds", "step_p99_seconds",
                "schedule_p50_seconds",
            ):  # fmt: skip
                setattr(window, name, rng.random())
            for group in range(groups):
                window.groups.add(
                    group=group, decode_steps=25 * seconds_back, mean_decode_batch=rng.random() * 8,
                    decode_pad_ratio=rng.random(), token_gap_p50_seconds=rng.random(),
                    token_gap_p99_seconds=rng.random(),
                )  # fmt: skip
        for group, strip in enumerate(strips):
            strip[:] = [*strip[1:], cell()]
            found = message.groups.add(group=group, running=7, decode_batch=7, padded_batch=BUCKET)
            for fill, decode, prefill in strip:
                found.strip.add(fill_permille=fill, decode_permille=decode, prefill_permille=prefill)
        for row in range(3):
            message.in_flight.add(
                step=second * 100 + row, kind=3, group=row, row=row, requests=7, tokens=7,
                padded_batch=BUCKET, age_us=rng.randrange(40_000),
            )  # fmt: skip
        yield message
