"""What a ring says, as the messages of the API: a command prints the same with and without a daemon."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from google.protobuf import timestamp_pb2

from rblntop.cli.engine_door import EngineRing, RingFileError, ring
from rblntop.client.errors import RefusedError
from rblntop_api.v1 import control_pb2, engine_pb2, limits_pb2, snapshot_pb2, step_pb2

Live = ring.Live

#: Without a step for so long an engine with requests is stalled. The daemon, which knows how long steps take,
#: waits longer where they are slow.
STALL_NS = 5_000_000_000
#: Records in which the latest decode batch of every group is looked for.
RECENT_RECORDS = 512


#: The ring's enums start at 0; in the API 0 is "unspecified", as is what a newer probe may say.
_STOPS: dict[int, Any] = {
    int(stop): step_pb2.AdmissionStop.Value(f"ADMISSION_STOP_{stop.name}") for stop in ring.AdmissionStop
}

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def readable(read: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """A ring that cannot be read any more is an error of the client, as it would be of the daemon."""

    @wraps(read)
    def reading(*arguments: Arguments.args, **options: Arguments.kwargs) -> Answer:
        try:
            return read(*arguments, **options)
        except RingFileError as error:
            raise RefusedError(str(error), code="UNAVAILABLE", reason="RING_UNREADABLE") from error

    return reading


@readable
def engine_message(engine: EngineRing) -> engine_pb2.Engine:
    """Who the engine is, and what it is doing."""
    description, header, live = engine.description, engine.reader.header, engine.reader.live()
    fault = engine.reader.fault()
    notice = f"the probe switched itself off: {fault}" if fault else description.notice
    if live[Live.STATE] == ring.ProbeState.DETACHED:
        notice = "detached: restart the engine to attach again"
    message = engine_pb2.Engine(
        name=engine.name,
        instance_id=engine.instance_id,
        state=_state(live, engine.alive, engine.reader.limits()),
        pid=header.pid,
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
        notice=notice,
    )
    message.started_at.FromNanoseconds(header.real_ns)
    return message


@readable
def limits_message(engine: EngineRing) -> limits_pb2.Limits:
    """All limits as they are now; empty when the engine shows none."""
    block = engine.reader.limits()
    if block is None:
        return limits_pb2.Limits()
    pending = bool(block.trial_generation)
    caps_bind = _caps_sum(block) < (block.max_num_seqs_target or block.max_num_seqs_ceiling)
    message = limits_pb2.Limits(
        generation=block.generation,
        admission=block.admission,
        admission_from=limits_pb2.LIMIT_KIND_GROUP_CAP if caps_bind else limits_pb2.LIMIT_KIND_MAX_NUM_SEQS,
        accepted_step=block.accepted_step,
        in_force_step=block.in_force_step or None,
        settled_step=block.settled_step or None,
        mode=limits_pb2.LIMIT_MODE_HOLD
        if block.flags & ring.LimitFlags.HOLD
        else limits_pb2.LIMIT_MODE_DRAIN,
        admission_state=_admission(block),
    )
    if block.generation:
        message.accepted_at.CopyFrom(_wall_time(block.accepted_ns))
    if pending:
        message.trial.change_id = block.trial_id.rstrip(b"\0").decode(errors="replace")
        message.trial.generation = block.trial_generation
        message.trial.ttl.FromMilliseconds(block.trial_ttl_ms)
        if block.trial_deadline_ns:
            message.trial.reverts_at.CopyFrom(_wall_time(block.trial_deadline_ns))
    seqs, caps = engine.description.max_num_seqs_control, engine.description.group_cap_control
    message.limits.add(
        kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS,
        scope=limits_pb2.LIMIT_SCOPE_ENGINE,
        floor=block.max_num_seqs_floor,
        ceiling=block.max_num_seqs_ceiling,
        target=block.max_num_seqs_target or None,
        effective=block.max_num_seqs_effective,
        available=seqs.available,
        unavailable_reason=seqs.reason,
        reverts_to=(block.revert_max_num_seqs or None) if pending else None,
    )
    for group in range(min(block.group_count, ring.MAX_GROUPS)):
        message.limits.add(
            kind=limits_pb2.LIMIT_KIND_GROUP_CAP,
            scope=limits_pb2.LIMIT_SCOPE_GROUP,
            group=group,
            floor=1,
            ceiling=block.cap_ceiling,
            target=block.cap_targets[group] or None,
            effective=block.cap_effective[group] or block.cap_ceiling,
            available=caps.available,
            unavailable_reason=caps.reason,
            reverts_to=(block.revert_caps[group] or None) if pending else None,
        )
    return message


@readable
def snapshot_message(engine: EngineRing) -> snapshot_pb2.Snapshot:
    """The engine now. Figures over windows are the daemon's work and stay absent."""
    reader = engine.reader
    live, sample, now_ns = reader.live(), reader.sample(), time.monotonic_ns()
    sign_ns = max(live[Live.SCHEDULE_NS], live[Live.COMPLETE_NS], live[Live.CONTROL_NS])
    message = snapshot_pb2.Snapshot(
        engine=engine_message(engine),
        age_seconds=max(0, now_ns - (sign_ns or reader.header.mono_ns)) / 1e9,
        step=live[Live.STEP],
        next_sequence=reader.head(),
        running=sample.running if sample else live[Live.RUNNING],
        waiting=sample.waiting if sample else live[Live.WAITING],
        limits=limits_message(engine),
    )
    message.time.FromNanoseconds(time.time_ns())
    if sample is not None:
        message.preempted_waiting = sample.preempted
        message.remote_kv_waiting = sample.remote_kv
        message.held = sample.held
        message.unassigned = sample.unassigned
        message.kv_usage_ratio = sample.kv_usage
        message.kv_blocks_used = sample.kv_blocks_used
        if sample.waiting:
            message.oldest_wait_seconds = sample.oldest_wait_ms / 1000
    batches: dict[int, tuple[int, int]] = {}
    for _, step, _ in reader.read(max(0, reader.head() - RECENT_RECORDS), RECENT_RECORDS).steps():
        message.admission_stop = _STOPS.get(step.admission_stop, step_pb2.ADMISSION_STOP_UNSPECIFIED)
        message.max_seq_len = step.max_seq_len or message.max_seq_len
        if step.kind in (ring.Kind.DECODE, ring.Kind.MIXED):
            batches[step.group] = (step.requests - step.prefill_requests, step.padded)
    for group in range(engine.description.group_count):
        batch, padded = batches.get(group, (0, 0))
        message.groups.add(
            group=group,
            running=sample.group_running[group] if sample else 0,
            decode_batch=batch or None,
            padded_batch=padded or None,
        )
    return message


@readable
def journal_messages(engine: EngineRing) -> list[control_pb2.Change]:
    """The changes that the engine remembers, oldest first."""
    _, entries = engine.reader.journal(0)
    return [_logged(engine, entry) for entry in entries]


def _logged(engine: EngineRing, entry: ring.JournalEntry) -> control_pb2.Change:
    message = control_pb2.Change(
        engine=engine.name,
        instance_id=engine.instance_id,
        # The journal's actions have the numbers of the API's; a newer probe may know more of them.
        action=control_pb2.ChangeAction.Name(entry.action)
        if entry.action in control_pb2.ChangeAction.values()
        else None,
        result=control_pb2.CHANGE_RESULT_DONE,
        caller=control_pb2.Caller(name=_text(entry.caller)),
        reason=_text(entry.reason),
        change_id=_text(entry.change_id),
        generation=entry.generation,
        step=entry.step,
        mode=limits_pb2.LIMIT_MODE_HOLD
        if entry.new_flags & ring.LimitFlags.HOLD
        else limits_pb2.LIMIT_MODE_DRAIN,
    )
    message.time.FromNanoseconds(entry.real_ns)
    if entry.ttl_ms:
        message.ttl.FromMilliseconds(entry.ttl_ms)
    if entry.old_max_num_seqs != entry.new_max_num_seqs:
        message.values.add(
            kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS,
            old_value=entry.old_max_num_seqs or None,
            new_value=entry.new_max_num_seqs or None,
        )
    for group, (old, new) in enumerate(zip(entry.old_caps, entry.new_caps, strict=True)):
        if old != new:
            message.values.add(
                kind=limits_pb2.LIMIT_KIND_GROUP_CAP,
                group=group,
                old_value=old or None,
                new_value=new or None,
            )
    return message


def _state(live: Sequence[int], alive: bool, block: ring.Limits | None) -> engine_pb2.EngineState:
    if not alive:
        return engine_pb2.ENGINE_STATE_GONE
    if live[Live.STATE] in (ring.ProbeState.FAULTED, ring.ProbeState.DETACHED):
        return engine_pb2.ENGINE_STATE_UNSPECIFIED
    if block is not None and block.flags & ring.LimitFlags.CLOSED:
        return engine_pb2.ENGINE_STATE_CLOSED
    if not live[Live.STEP]:
        return engine_pb2.ENGINE_STATE_STARTING
    if not live[Live.UNFINISHED]:
        return engine_pb2.ENGINE_STATE_IDLE
    silent_ns = time.monotonic_ns() - max(live[Live.SCHEDULE_NS], live[Live.COMPLETE_NS])
    return engine_pb2.ENGINE_STATE_STALLED if silent_ns > STALL_NS else engine_pb2.ENGINE_STATE_SERVING


def _admission(block: ring.Limits) -> limits_pb2.Admission:
    message = limits_pb2.Admission(
        closed=bool(block.flags & ring.LimitFlags.CLOSED),
        paused_by_engine=bool(block.flags & ring.LimitFlags.PAUSED),
        available=True,
    )
    if message.closed and block.closed_until_ns:
        message.closed_until.CopyFrom(_wall_time(block.closed_until_ns))
    return message


def _caps_sum(block: ring.Limits) -> int:
    caps = block.cap_targets[: block.group_count]
    return sum(cap or block.cap_ceiling for cap in caps) if any(caps) else 1 << 30


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode(errors="replace")


def _wall_time(mono_ns: int) -> timestamp_pb2.Timestamp:
    """A moment of CLOCK_MONOTONIC, by the wall clock of now."""
    message = timestamp_pb2.Timestamp()
    message.FromNanoseconds(max(0, time.time_ns() + mono_ns - time.monotonic_ns()))
    return message
