"""Plain values of the core as protobuf messages."""

from __future__ import annotations

from typing import Any

from rblntop_api.v1 import engine_pb2, snapshot_pb2, step_pb2
from rblntopd.devices.host import HostUsage
from rblntopd.engines.ring_reader import Causes
from rblntopd.engines.snapshot import EngineInfo, GroupNow, Snapshot
from rblntopd.metrics.state import EngineState
from rblntopd.metrics.window import Window
from rblntopd.probe import ring_format as fmt
from rblntopd.server.host_message import host_message
from rblntopd.server.limits_message import limits_message

_STATES = {
    EngineState.UNKNOWN: engine_pb2.ENGINE_STATE_UNSPECIFIED,
    EngineState.STARTING: engine_pb2.ENGINE_STATE_STARTING,
    EngineState.IDLE: engine_pb2.ENGINE_STATE_IDLE,
    EngineState.SERVING: engine_pb2.ENGINE_STATE_SERVING,
    EngineState.STALLED: engine_pb2.ENGINE_STATE_STALLED,
    EngineState.CLOSED: engine_pb2.ENGINE_STATE_CLOSED,
    EngineState.GONE: engine_pb2.ENGINE_STATE_GONE,
}
# The ring's enums start at 0; in the API 0 is "unspecified". A value of a newer minor is unspecified here.
_KINDS: dict[int, Any] = {int(kind): step_pb2.StepKind.Value(f"STEP_KIND_{kind.name}") for kind in fmt.Kind}
_STOPS: dict[int, Any] = {
    int(stop): step_pb2.AdmissionStop.Value(f"ADMISSION_STOP_{stop.name}") for stop in fmt.AdmissionStop
}
_CAUSES: dict[int, Any] = {
    int(cause): step_pb2.EmptyCause.Value(f"EMPTY_CAUSE_{cause.name}") for cause in fmt.EmptyCause
}


def engine_message(info: EngineInfo) -> engine_pb2.Engine:
    """An engine."""
    description = info.description
    message = engine_pb2.Engine(
        name=info.name,
        instance_id=info.instance_id,
        state=_STATES[info.state],
        pid=info.pid,
        model=description.model,
        vllm_version=description.vllm_version,
        vllm_rbln_version=description.vllm_rbln_version,
        probe_version=description.probe_version,
        scheduler_class=description.scheduler_class,
        pp_size=description.pp_size,
        tp_size=description.tp_size,
        dp_size=description.dp_size,
        dp_rank=description.dp_rank,
        batch_queue_depth=description.batch_queue_depth,
        group_count=description.group_count,
        max_num_seqs=description.max_num_seqs,
        max_num_batched_tokens=description.max_num_batched_tokens,
        max_model_len=description.max_model_len,
        block_size=description.block_size,
        num_blocks=description.num_blocks,
        decode_buckets=description.decode_buckets,
        simulated=description.simulated,
        padding_is_local=description.padding_is_local,
        restarts=info.restarts,
        notice=info.notice,
    )
    if info.started_real_ns:
        message.started_at.FromNanoseconds(info.started_real_ns)
    return message


def snapshot_message(
    snapshot: Snapshot, daemon_cpu_ratio: float | None, host: HostUsage | None = None
) -> snapshot_pb2.Snapshot:
    """One engine at one moment."""
    sample = snapshot.sample
    # The probe looks at the batches in flight when it samples: that is the moment which their age is of.
    seen_ns = sample.mono_ns if sample else snapshot.now_ns
    message = snapshot_pb2.Snapshot(
        engine=engine_message(snapshot.engine),
        age_seconds=snapshot.age_seconds,
        step=snapshot.step,
        next_sequence=snapshot.next_sequence,
        missed_records=snapshot.missed_records,
        running=snapshot.running,
        waiting=snapshot.waiting,
        kv_usage_ratio=snapshot.kv_usage_ratio,
        max_seq_len=snapshot.max_seq_len,
        admission_stop=_STOPS.get(snapshot.admission_stop, 0),
        groups=[_group_message(group) for group in snapshot.groups],
        in_flight=[_in_flight_message(batch, seen_ns) for batch in snapshot.in_flight],
        windows=[window_message(window) for window in snapshot.windows],
        probe_us_per_step=snapshot.probe_us_per_step,
        daemon_cpu_ratio=daemon_cpu_ratio,
    )
    if sample is not None:
        message.preempted_waiting = sample.preempted
        message.remote_kv_waiting = sample.remote_kv
        message.held = sample.held
        message.unassigned = sample.unassigned
        message.kv_blocks_used = sample.kv_blocks_used
        if sample.waiting:
            message.oldest_wait_seconds = sample.oldest_wait_ms / 1000
    message.time.FromNanoseconds(snapshot.time_ns)
    if host is not None:
        message.host.CopyFrom(host_message(host, snapshot.engine.instance_id))
    if snapshot.limits is not None:
        message.limits.CopyFrom(limits_message(snapshot.limits))
    return message


def _group_message(group: GroupNow) -> snapshot_pb2.Group:
    return snapshot_pb2.Group(
        group=group.group,
        running=group.running,
        decode_batch=group.decode_batch,
        padded_batch=group.padded_batch,
        strip=[
            snapshot_pb2.StripCell(
                fill_permille=cell.fill_permille,
                decode_permille=cell.decode_permille,
                prefill_permille=cell.prefill_permille,
            )
            for cell in group.strip
        ],
    )


def _in_flight_message(batch: fmt.InFlight, seen_ns: int) -> snapshot_pb2.InFlightBatch:
    return snapshot_pb2.InFlightBatch(
        step=batch.step,
        kind=_KINDS.get(batch.kind, 0),
        group=batch.group if batch.group >= 0 else None,
        row=batch.row,
        requests=batch.requests,
        tokens=batch.tokens,
        padded_batch=batch.padded or None,
        age_us=max(0, seen_ns - batch.scheduled_ns) // 1000,
    )


def window_message(window: Window) -> snapshot_pb2.Window:
    """Figures of a window. A figure that is None stays absent."""
    return snapshot_pb2.Window(
        seconds=window.seconds,
        covered_seconds=window.covered_seconds,
        decode_steps=window.decode_steps,
        prefill_steps=window.prefill_steps,
        mixed_steps=window.mixed_steps,
        empty_steps=window.empty_steps,
        lost_steps=window.lost_steps,
        decode_pad_ratio=window.decode_pad_ratio,
        queue_occupancy_ratio=window.queue_occupancy_ratio,
        bubble_ratio=window.bubble_ratio,
        empty=[
            snapshot_pb2.EmptyShare(cause=_CAUSES[share.cause], steps=share.steps, ratio=share.ratio)
            for share in window.empty
        ],
        stage_busy_ratio_estimate=window.stage_busy_ratio_estimate,
        prefill_stall_ratio=window.prefill_stall_ratio,
        group_skew=window.group_skew,
        output_tokens_per_second=window.output_tokens_per_second,
        prefill_tokens_per_second=window.prefill_tokens_per_second,
        steps_per_second=window.steps_per_second,
        admitted_per_second=window.admitted_per_second,
        preempted=window.preempted,
        finished=window.finished,
        token_gap_p50_seconds=window.token_gap_p50_seconds,
        token_gap_p99_seconds=window.token_gap_p99_seconds,
        queue_wait_p50_seconds=window.queue_wait_p50_seconds,
        queue_wait_p99_seconds=window.queue_wait_p99_seconds,
        step_p50_seconds=window.step_p50_seconds,
        step_p99_seconds=window.step_p99_seconds,
        schedule_p50_seconds=window.schedule_p50_seconds,
        max_seq_len=window.max_seq_len,
        groups=[
            snapshot_pb2.GroupWindow(
                group=group.group,
                decode_steps=group.decode_steps,
                mean_decode_batch=group.mean_decode_batch,
                decode_pad_ratio=group.decode_pad_ratio,
                token_gap_p50_seconds=group.token_gap_p50_seconds,
                token_gap_p99_seconds=group.token_gap_p99_seconds,
            )
            for group in window.groups
        ],
    )


def step_message(sequence: int, step: fmt.Step, causes: Causes | None) -> step_pb2.Step:
    """One step, or one run of empty steps."""
    message = step_pb2.Step(
        sequence=sequence,
        step=step.step,
        kind=_KINDS.get(step.kind, 0),
        group=step.group if step.group >= 0 else None,
        row=step.row,
        scheduled_ns=step.scheduled_ns,
        completed_ns=step.completed_ns,
        schedule_ns=step.schedule_ns,
        requests=step.requests,
        prefill_requests=step.prefill_requests,
        tokens=step.tokens,
        padded_batch=step.padded or None,
        max_seq_len=step.max_seq_len,
        running=step.running,
        waiting=step.waiting,
        held=step.held,
        ready=step.ready,
        preempted=step.preempted,
        finished=step.finished,
        unfinished=step.unfinished,
        new_requests=step.new_requests,
        queue_wait_us=step.queue_wait_us,
        admission_stop=_STOPS.get(step.admission_stop, 0),
        in_flight=step.in_flight,
        kv_usage_ratio=step.kv_usage,
        generation=step.generation,
        count=step.run_length,
    )
    if causes is not None:
        for cause, (steps, slot_us) in enumerate(zip(*causes, strict=True)):
            if steps:
                message.causes.add(cause=_CAUSES[cause], steps=steps, slot_us=slot_us)
    return message
