"""The one place that knows both the API's messages and our model."""

from __future__ import annotations

import enum
from typing import Any, TypeVar

from google.protobuf import duration_pb2, timestamp_pb2

from rblntop.model.engine import Engine, EngineState
from rblntop.model.host import HostUsage, ProcessRole, ProcessUsage
from rblntop.model.limits import AdmissionState, Limit, LimitKind, LimitMode, Limits, Trial
from rblntop.model.snapshot import Group, InFlightBatch, Snapshot, StripCell
from rblntop.model.step import AdmissionStop, EmptyCause, Step, StepKind
from rblntop.model.window import EmptyShare, GroupWindow, Window
from rblntop_api.v1 import engine_pb2, host_pb2, limits_pb2, snapshot_pb2, step_pb2

Word = TypeVar("Word", bound=enum.Enum)


def snapshot_from_proto(message: snapshot_pb2.Snapshot) -> Snapshot:
    """One engine at one moment."""
    return Snapshot(
        engine=engine_from_proto(message.engine),
        time_s=seconds(message.time) if message.HasField("time") else None,
        age_s=message.age_seconds,
        step=message.step,
        missed_records=message.missed_records,
        running=message.running,
        waiting=message.waiting,
        preempted_waiting=message.preempted_waiting,
        remote_kv_waiting=message.remote_kv_waiting,
        held=message.held,
        unassigned=message.unassigned,
        oldest_wait_s=known(message, "oldest_wait_seconds"),
        kv_usage_ratio=known(message, "kv_usage_ratio"),
        kv_blocks_used=known(message, "kv_blocks_used"),
        max_seq_len=known(message, "max_seq_len"),
        admission_stop=word(AdmissionStop, message.admission_stop),
        groups=tuple(_group(group) for group in message.groups),
        in_flight=tuple(_in_flight(batch) for batch in message.in_flight),
        limits=limits_from_proto(message.limits),
        windows=tuple(_window(window) for window in message.windows),
        probe_us_per_step=known(message, "probe_us_per_step"),
        daemon_cpu_ratio=known(message, "daemon_cpu_ratio"),
        host=_host(message.host) if message.HasField("host") else None,
    )


def engine_from_proto(message: engine_pb2.Engine) -> Engine:
    """What an engine is."""
    return Engine(
        name=message.name,
        instance_id=message.instance_id,
        state=word(EngineState, message.state),
        pid=message.pid or None,
        started_at_s=seconds(message.started_at) if message.HasField("started_at") else None,
        model=message.model,
        vllm_version=message.vllm_version,
        vllm_rbln_version=message.vllm_rbln_version,
        probe_version=message.probe_version,
        scheduler_class=message.scheduler_class,
        pp_size=message.pp_size,
        tp_size=message.tp_size,
        dp_size=message.dp_size,
        dp_rank=message.dp_rank,
        batch_queue_depth=message.batch_queue_depth,
        group_count=message.group_count,
        # None of these can be 0 in an engine: 0 is what an absent field reads as.
        max_num_seqs=message.max_num_seqs or None,
        max_num_batched_tokens=message.max_num_batched_tokens or None,
        max_model_len=message.max_model_len or None,
        block_size=message.block_size or None,
        num_blocks=message.num_blocks or None,
        decode_buckets=tuple(sorted(message.decode_buckets)),
        simulated=message.simulated,
        padding_is_local=message.padding_is_local,
        restarts=message.restarts,
        notice=message.notice,
    )


def limits_from_proto(message: limits_pb2.Limits) -> Limits:
    """All limits of an engine."""
    limits = [_limit(limit) for limit in message.limits]
    caps = [limit for limit in limits if limit.kind is LimitKind.GROUP_CAP and limit.group is not None]
    return Limits(
        generation=message.generation,
        # V0 has one max_num_seqs per group; the screen shows the engine's, or the first there is.
        max_num_seqs=next((limit for limit in limits if limit.kind is LimitKind.MAX_NUM_SEQS), None),
        group_caps=tuple(sorted(caps, key=lambda cap: cap.group or 0)),
        admission=message.admission or None,
        admission_from=word(LimitKind, message.admission_from),
        accepted_step=message.accepted_step if message.generation else None,
        in_force_step=known(message, "in_force_step"),
        settled_step=known(message, "settled_step"),
        mode=word(LimitMode, message.mode),
        trial=_trial(message.trial) if message.HasField("trial") else None,
        admission_state=_admission(message.admission_state),
    )


def step_from_proto(message: step_pb2.Step) -> Step:
    """One completed step."""
    return Step(
        sequence=message.sequence,
        step=message.step,
        kind=word(StepKind, message.kind),
        group=known(message, "group"),
        scheduled_ns=message.scheduled_ns,
        completed_ns=message.completed_ns,
        requests=message.requests,
        prefill_requests=message.prefill_requests,
        tokens=message.tokens,
        padded_batch=known(message, "padded_batch"),
        max_seq_len=message.max_seq_len,
        running=message.running,
        waiting=message.waiting,
        admission_stop=word(AdmissionStop, message.admission_stop),
        kv_usage_ratio=message.kv_usage_ratio,
        generation=message.generation,
        count=message.count or 1,
        causes=tuple((word(EmptyCause, cause.cause), cause.steps) for cause in message.causes),
        row=message.row,
    )


def _limit(message: limits_pb2.Limit) -> Limit:
    return Limit(
        kind=word(LimitKind, message.kind),
        group=known(message, "group"),
        floor=message.floor,
        ceiling=message.ceiling,
        target=known(message, "target"),
        effective=message.effective,
        available=message.available,
        unavailable_reason=message.unavailable_reason,
        reverts_to=known(message, "reverts_to"),
    )


def _trial(message: limits_pb2.Trial) -> Trial:
    return Trial(
        change_id=message.change_id,
        generation=message.generation,
        ttl_s=seconds(message.ttl),
        reverts_at_s=seconds(message.reverts_at) if message.HasField("reverts_at") else None,
    )


def _admission(message: limits_pb2.Admission) -> AdmissionState:
    return AdmissionState(
        closed=message.closed,
        closed_until_s=seconds(message.closed_until) if message.HasField("closed_until") else None,
        paused_by_engine=message.paused_by_engine,
        available=message.available,
        unavailable_reason=message.unavailable_reason,
    )


def _group(message: snapshot_pb2.Group) -> Group:
    return Group(
        group=message.group,
        running=message.running,
        decode_batch=known(message, "decode_batch"),
        padded_batch=known(message, "padded_batch"),
        strip=tuple(
            StripCell(cell.fill_permille / 1000, cell.decode_permille / 1000, cell.prefill_permille / 1000)
            for cell in message.strip
        ),
    )


def _in_flight(message: snapshot_pb2.InFlightBatch) -> InFlightBatch:
    return InFlightBatch(
        step=message.step,
        kind=word(StepKind, message.kind),
        group=known(message, "group"),
        requests=message.requests,
        tokens=message.tokens,
        padded_batch=known(message, "padded_batch"),
        age_s=message.age_us / 1e6,
    )


def _window(message: snapshot_pb2.Window) -> Window:
    return Window(
        seconds=message.seconds,
        covered_s=message.covered_seconds,
        decode_steps=message.decode_steps,
        prefill_steps=message.prefill_steps,
        mixed_steps=message.mixed_steps,
        empty_steps=message.empty_steps,
        lost_steps=message.lost_steps,
        decode_pad_ratio=known(message, "decode_pad_ratio"),
        queue_occupancy_ratio=known(message, "queue_occupancy_ratio"),
        bubble_ratio=known(message, "bubble_ratio"),
        empty=tuple(
            EmptyShare(word(EmptyCause, share.cause), share.steps, share.ratio) for share in message.empty
        ),
        stage_busy_ratio_estimate=known(message, "stage_busy_ratio_estimate"),
        prefill_stall_ratio=known(message, "prefill_stall_ratio"),
        group_skew=known(message, "group_skew"),
        output_tokens_per_s=known(message, "output_tokens_per_second"),
        prefill_tokens_per_s=known(message, "prefill_tokens_per_second"),
        steps_per_s=known(message, "steps_per_second"),
        admitted_per_s=known(message, "admitted_per_second"),
        preempted=message.preempted,
        finished=message.finished,
        token_gap_p50_s=known(message, "token_gap_p50_seconds"),
        token_gap_p99_s=known(message, "token_gap_p99_seconds"),
        queue_wait_p50_s=known(message, "queue_wait_p50_seconds"),
        queue_wait_p99_s=known(message, "queue_wait_p99_seconds"),
        step_p50_s=known(message, "step_p50_seconds"),
        step_p99_s=known(message, "step_p99_seconds"),
        schedule_p50_s=known(message, "schedule_p50_seconds"),
        max_seq_len=known(message, "max_seq_len"),
        groups=tuple(
            GroupWindow(
                group=figures.group,
                decode_steps=figures.decode_steps,
                mean_decode_batch=known(figures, "mean_decode_batch"),
                decode_pad_ratio=known(figures, "decode_pad_ratio"),
                token_gap_p50_s=known(figures, "token_gap_p50_seconds"),
                token_gap_p99_s=known(figures, "token_gap_p99_seconds"),
            )
            for figures in message.groups
        ),
    )


def known(message: Any, field: str) -> Any:
    """A field's value, or None where the message does not have it."""
    return getattr(message, field) if message.HasField(field) else None


def word(words: type[Word], value: int) -> Word:
    """An enum value; one that a newer daemon invented is unknown to us."""
    try:
        return words(value)
    except ValueError:
        return words(0)


def seconds(time: timestamp_pb2.Timestamp | duration_pb2.Duration) -> float:
    """A moment since the epoch, or a length of time."""
    return float(time.seconds) + time.nanos / 1e9


def _host(message: host_pb2.HostUsage) -> HostUsage:
    return HostUsage(
        cpu_ratio=known(message, "cpu_ratio"),
        cpu_count=message.cpu_count,
        memory_total_bytes=message.memory_total_bytes,
        memory_used_bytes=message.memory_used_bytes,
        processes=tuple(
            ProcessUsage(
                pid=process.pid,
                role=word(ProcessRole, process.role),
                rank=process.rank,
                cpu_ratio=known(process, "cpu_ratio"),
                memory_bytes=process.memory_bytes,
                threads=process.threads,
            )
            for process in message.processes
        ),
    )
