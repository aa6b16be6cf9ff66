"""Engines in typical states, made up: for tests, pictures and demonstrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rblntop.model import (
    AdmissionState,
    AdmissionStop,
    ChangeAction,
    ChangeResult,
    EmptyCause,
    EmptyShare,
    Engine,
    EngineState,
    Group,
    GroupWindow,
    InFlightBatch,
    Limit,
    LimitKind,
    LimitMode,
    Limits,
    LimitValue,
    LoggedChange,
    Snapshot,
    StepKind,
    StripCell,
    Trial,
    Window,
)

NOON_S = 1_760_000_000.0
CEILING = 8

ENGINE = Engine(
    name="prod-70b/0",
    instance_id="5d1c-4242-1700",
    state=EngineState.SERVING,
    pid=4242,
    started_at_s=NOON_S - 7200,
    model="llama-3.1-70b",
    vllm_version="0.30.0",
    vllm_rbln_version="0.12.0",
    probe_version="0.1.0",
    scheduler_class="RBLNScheduler",
    pp_size=4,
    tp_size=2,
    batch_queue_depth=4,
    group_count=4,
    max_num_seqs=32,
    max_num_batched_tokens=2048,
    max_model_len=8192,
    block_size=1024,
    num_blocks=512,
    decode_buckets=(1, 2, 4, 8),
)


def strip_of(batch: int, bucket: int, *, prefill_every: int = 17, at: int = 0) -> tuple[StripCell, ...]:
    """Two minutes of one group: a batch that comes and goes a little, and a prefill now and then."""
    cells = []
    for second in range(120):
        if (second + at) % prefill_every == 3:
            cells.append(StripCell(batch / bucket, 0.3, 0.65))
        else:
            dip = 0.125 if (second * 7 + at * 3) % 11 == 0 else 0.0
            cells.append(StripCell(max(0.0, batch / bucket - dip), 0.95, 0.0))
    return tuple(cells)


def limits_of(
    caps: Sequence[int | None], *, seqs: int | None = None, ceiling: int = CEILING, generation: int = 0
) -> Limits:
    """Limits that are in force and settled."""
    total = ceiling * len(caps)
    wanted = sum(ceiling if cap is None else cap for cap in caps)
    target = seqs if seqs is not None else total
    return Limits(
        generation=generation,
        max_num_seqs=Limit(LimitKind.MAX_NUM_SEQS, None, len(caps), total, seqs, target),
        group_caps=tuple(
            Limit(LimitKind.GROUP_CAP, group, 1, ceiling, cap, ceiling if cap is None else cap)
            for group, cap in enumerate(caps)
        ),
        admission=min(target, wanted),
        admission_from=LimitKind.GROUP_CAP if wanted < target else LimitKind.MAX_NUM_SEQS,
        accepted_step=88_213 if generation else None,
        in_force_step=88_214 if generation else None,
        settled_step=88_230 if generation else None,
    )


def window_of(seconds: int, batches: Sequence[int], bucket: int, *, tokens_per_s: float = 703.0) -> Window:
    """Figures that belong to these decode batches."""
    pads = [(bucket - batch) / bucket for batch in batches]
    return Window(
        seconds=seconds,
        covered_s=seconds,
        decode_steps=22 * seconds * len(batches),
        prefill_steps=3 * seconds,
        empty_steps=seconds // 2,
        decode_pad_ratio=sum(pads) / max(len(pads), 1),
        queue_occupancy_ratio=0.994,
        bubble_ratio=0.006,
        empty=(EmptyShare(EmptyCause.PREFILL, seconds // 2, 0.006),),
        stage_busy_ratio_estimate=0.91,
        prefill_stall_ratio=0.09,
        group_skew=max(batches) * len(batches) / max(sum(batches), 1) if batches else None,
        output_tokens_per_s=tokens_per_s + seconds * 0.4,
        prefill_tokens_per_s=1840.0,
        steps_per_s=91.0,
        admitted_per_s=2.9,
        finished=3 * seconds,
        token_gap_p50_s=0.045,
        token_gap_p99_s=0.088,
        queue_wait_p50_s=0.8,
        queue_wait_p99_s=4.1,
        step_p50_s=0.0445,
        step_p99_s=0.061,
        schedule_p50_s=0.0003,
        max_seq_len=3912,
        groups=tuple(
            GroupWindow(group, 22 * seconds, float(batch), pads[group], 0.045, 0.088)
            for group, batch in enumerate(batches)
        ),
    )


def serving(
    batches: Sequence[int] = (8, 8, 7, 8),
    *,
    bucket: int = CEILING,
    waiting: int = 0,
    limits: Limits | None = None,
    tokens_per_s: float = 703.0,
) -> Snapshot:
    """A busy engine with one group for each batch."""
    groups = tuple(
        Group(
            group, batch, batch, bucket, strip_of(batch, bucket, prefill_every=17 + group % 5, at=group * 5)
        )
        for group, batch in enumerate(batches)
    )
    return Snapshot(
        engine=replace(
            ENGINE,
            pp_size=len(batches),
            batch_queue_depth=len(batches),
            group_count=len(batches),
            max_num_seqs=CEILING * len(batches),
        ),
        time_s=NOON_S,
        age_s=0.04,
        step=88_412,
        running=sum(batches),
        waiting=waiting,
        oldest_wait_s=38.0 if waiting else None,
        kv_usage_ratio=0.58,
        kv_blocks_used=297,
        max_seq_len=3912,
        admission_stop=AdmissionStop.MAX_NUM_SEQS if waiting else AdmissionStop.NONE,
        groups=groups,
        in_flight=_in_flight(batches[:3], bucket),
        limits=limits if limits is not None else limits_of([None] * len(batches)),
        windows=tuple(
            window_of(seconds, batches, bucket, tokens_per_s=tokens_per_s) for seconds in (1, 10, 60)
        ),
        probe_us_per_step=2.1,
        daemon_cpu_ratio=0.004,
    )


def _in_flight(batches: Sequence[int], bucket: int) -> tuple[InFlightBatch, ...]:
    """A decode of each of these groups, and a prefill behind them."""
    decodes = [
        InFlightBatch(88_409 + group, StepKind.DECODE, group, batch, batch, bucket, 0.04 - group * 0.011)
        for group, batch in enumerate(batches)
    ]
    return (*decodes, InFlightBatch(88_412, StepKind.PREFILL, None, 1, 1204, None, 0.003))


def capped() -> Snapshot:
    """A forgotten cap: group 2 runs 2 of 8 while 118 requests wait."""
    snapshot = serving(
        (8, 8, 2, 8), waiting=118, limits=limits_of((8, 8, 2, 8), generation=7), tokens_per_s=571.0
    )
    return replace(snapshot, admission_stop=AdmissionStop.GROUP_CAPS)


def cap_of_41_minutes() -> LoggedChange:
    """The change that the forgotten cap comes from, as the audit log tells it."""
    return LoggedChange(
        NOON_S - 2460,
        ENGINE.name,
        ENGINE.instance_id,
        ChangeAction.SET,
        ChangeResult.DONE,
        "uid 1000 (ops)",
        "latency test",
        generation=7,
        values=(LimitValue(LimitKind.GROUP_CAP, 2, None, 2),),
    )


def draining() -> Snapshot:
    """max_num_seqs was lowered from 32 to 24 while 29 run."""
    limits = limits_of((None,) * 4, seqs=24, generation=8)
    assert limits.max_num_seqs is not None
    limits = replace(limits, max_num_seqs=replace(limits.max_num_seqs, effective=29), settled_step=None)
    return serving((8, 7, 7, 7), limits=limits)


def trial() -> Snapshot:
    """max_num_seqs 24 instead of 32 is on trial: 5 requests have drained, and 8:41 are left."""
    limits = limits_of((None,) * 4, seqs=24, generation=8)
    return serving(
        (6, 6, 6, 6),
        waiting=41,
        limits=replace(limits, trial=Trial("k7q2", 8, 600.0, NOON_S + 521)),
    )


def trial_draining() -> Snapshot:
    """The same before it has settled: its time does not run yet."""
    snapshot = draining()
    return replace(snapshot, limits=replace(snapshot.limits, trial=Trial("k7q2", 8, 600.0)))


def held() -> Snapshot:
    """Group caps of 4 are enforced at once, and 12 of 28 requests take turns."""
    limits = limits_of((4, 4, 4, 4), generation=9)
    limits = replace(limits, mode=LimitMode.HOLD, settled_step=None)
    snapshot = serving((4, 4, 4, 4), bucket=4, limits=limits)
    groups = tuple(replace(group, running=7) for group in snapshot.groups)
    return replace(snapshot, running=28, held=12, groups=groups)


def closed() -> Snapshot:
    """Admission is closed for maintenance, for another 28 minutes."""
    snapshot = serving((6, 5, 6, 5), waiting=41, limits=limits_of((None,) * 4, generation=10))
    state = AdmissionState(closed=True, closed_until_s=NOON_S + 1692)
    return replace(
        snapshot,
        engine=replace(snapshot.engine, state=EngineState.CLOSED),
        limits=replace(snapshot.limits, admission_state=state),
        admission_stop=AdmissionStop.CLOSED,
    )


def stalled() -> Snapshot:
    """A decode has been on the device for 12 s."""
    snapshot = serving((8, 8, 7, 8), waiting=41)
    hung = tuple(replace(batch, age_s=batch.age_s + 12) for batch in snapshot.in_flight)
    return replace(
        snapshot, engine=replace(snapshot.engine, state=EngineState.STALLED), in_flight=hung, age_s=0.2
    )


def gone() -> Snapshot:
    """The engine's process ended 38 s ago."""
    snapshot = serving()
    return replace(
        snapshot, engine=replace(snapshot.engine, state=EngineState.GONE), age_s=38.0, in_flight=()
    )


def collapsed() -> Snapshot:
    """All decodes are in one of two batches."""
    snapshot = serving((8, 1), waiting=4)
    windows = tuple(
        replace(
            window,
            queue_occupancy_ratio=0.56,
            bubble_ratio=0.44,
            empty=(EmptyShare(EmptyCause.COLLAPSE, 40, 0.39), EmptyShare(EmptyCause.PREFILL, 5, 0.05)),
        )
        for window in snapshot.windows
    )
    return replace(snapshot, windows=windows, admission_stop=AdmissionStop.TOKENS)


def idle() -> Snapshot:
    """No requests, and nothing was measured in the windows."""
    return Snapshot(
        engine=replace(ENGINE, state=EngineState.IDLE),
        time_s=NOON_S,
        step=88_412,
        kv_usage_ratio=0.0,
        groups=tuple(Group(group, strip=(StripCell(0, 0, 0),) * 120) for group in range(4)),
        limits=limits_of([None] * 4),
        windows=tuple(Window(seconds, covered_s=seconds) for seconds in (1, 10, 60)),
    )


def starting() -> Snapshot:
    """The scheduler has not run yet: almost nothing is known."""
    return Snapshot(engine=replace(ENGINE, state=EngineState.STARTING), time_s=NOON_S)


def named(snapshot: Snapshot, name: str, instance_id: str = "") -> Snapshot:
    """The same under another name."""
    return replace(
        snapshot, engine=replace(snapshot.engine, name=name, instance_id=instance_id or f"instance of {name}")
    )


def restarted() -> Snapshot:
    """Another process of the same name, with the limits that it was started with."""
    snapshot = serving((3, 2, 2, 1))
    engine = replace(snapshot.engine, instance_id="5d1c-4711-1800", pid=4711, restarts=1)
    return replace(snapshot, engine=engine, step=412)


def gap() -> Snapshot:
    """The daemon could not read 214 steps in time: strips begin anew."""
    snapshot = serving()
    groups = tuple(replace(group, strip=group.strip[-12:]) for group in snapshot.groups)
    return replace(snapshot, missed_records=214, groups=groups)


def telemetry_only() -> Snapshot:
    """The probe records and takes no changes."""
    snapshot = serving((8, 6, 7, 8))
    reason = "the probe only observes (RBLNTOP_PROBE=observe)"
    limits = snapshot.limits
    assert limits.max_num_seqs is not None
    fixed = replace(
        limits,
        max_num_seqs=replace(limits.max_num_seqs, available=False, unavailable_reason=reason),
        group_caps=tuple(
            replace(cap, available=False, unavailable_reason=reason) for cap in limits.group_caps
        ),
    )
    return replace(snapshot, limits=fixed, engine=replace(snapshot.engine, simulated=True))


def one_stage() -> Snapshot:
    """No pipeline: one group."""
    return serving((7,), waiting=3)


def unknown_scheduler() -> Snapshot:
    """A scheduler that the probe does not know: it shows what it can, and no limits."""
    snapshot = serving((5, 4), waiting=2)
    notice = "unknown scheduler mycompany.sched.FancyScheduler: watched, its limits cannot be changed"
    engine = replace(snapshot.engine, notice=notice, vllm_rbln_version="", decode_buckets=())
    groups = tuple(replace(group, padded_batch=None) for group in snapshot.groups)
    windows = tuple(replace(window, decode_pad_ratio=None) for window in snapshot.windows)
    return replace(snapshot, engine=engine, groups=groups, windows=windows, limits=Limits())


def uneven() -> Snapshot:
    """7, 13, 2 and 10 of 16: the groups keep the requests that they have."""
    return serving((7, 13, 2, 10), bucket=16, limits=limits_of([None] * 4, ceiling=16))


def many_engines(number: int = 64) -> tuple[Snapshot, ...]:
    """Ranks in all kinds of states."""
    kinds = (capped, serving, idle, stalled, trial, closed)
    return tuple(named(kinds[rank % len(kinds)](), f"prod-70b/{rank}") for rank in range(number))
