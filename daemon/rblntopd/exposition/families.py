"""Every metric of an engine. docs/prometheus.md lists them; a test holds the two together."""

from __future__ import annotations

from rblntopd.exposition.text import Family

STEP_SECONDS = "rblntop_step_seconds"
GAP_SECONDS = "rblntop_token_gap_seconds"
BATCH_SIZE = "rblntop_decode_batch_size"

_GAUGES = (
    ("engine_info", "1. What the engine is, in labels."),
    ("engine_state", "1 for the state that the engine is in, 0 for the others."),
    ("engine_start_time_seconds", "When the engine's ring was made, since the epoch."),
    ("engine_silent_seconds", "Since the scheduler or the probe's thread last gave a sign of life."),
    ("running_requests", "Requests in the scheduler's running list."),
    ("waiting_requests", "Requests in the scheduler's waiting list."),
    ("preempted_waiting_requests", "Of the waiting: preempted ones, which are admitted first."),
    ("held_requests", "Running requests that group caps in mode HOLD keep out of this turn."),
    ("unfinished_requests", "Requests that are not finished."),
    ("oldest_wait_seconds", "Age of the oldest waiting request; absent when none waits."),
    ("kv_cache_usage_ratio", "KV cache in use, 0..1."),
    ("batches_in_flight", "Batches that were scheduled and have not completed."),
    ("batch_slots", "Batches that may be in flight at once: the depth of the batch queue."),
    ("group_running_requests", "Running requests by the group in which they were last scheduled."),
    ("max_num_seqs_target", "What an operator set max_num_seqs to; the ceiling when nobody did."),
    ("max_num_seqs_effective", "What the scheduler enforces now: above the target while requests drain."),
    ("max_num_seqs_ceiling", "The largest max_num_seqs that this process can have."),
    ("group_cap_target", "What an operator set the cap of the group to; the ceiling when nobody did."),
    ("group_cap_effective", "The cap of the group that is enforced now."),
    ("group_cap_ceiling", "The largest cap that this process can have."),
    ("admission_limit", "Running requests are not replaced above it."),
    ("admission_closed", "1 while admission is closed, through rblntop or by vLLM's own pause."),
    ("group_caps_hold", "1 while group caps hold the excess back (mode HOLD)."),
    ("trial_pending", "1 while a change is on trial."),
    ("limits_generation", "Accepted changes of limits; 0: the engine as shipped."),
    ("trial_reverted_timestamp_seconds", "When a trial last ran out and was undone, since the epoch."),
    ("ring_lag_records", "Records that the daemon has not read yet, when it was asked for this."),
    ("ring_capacity_records", "Records that the ring holds: a lag beyond it loses some."),
)
_COUNTERS = (
    ("engine_restarts_total", "Instances of the name that ended before this one, as this daemon saw."),
    (
        "steps_total",
        "Completed schedule() calls by kind; empty ones made no batch, lost ones never completed.",
    ),
    ("empty_steps_total", "Empty steps by cause."),
    ("empty_slot_seconds_total", "Slot time of empty steps by cause."),
    ("batch_slot_seconds_total", "Slot time of batches that were not empty."),
    ("demand_seconds_total", "Time with unfinished requests."),
    ("prefill_stall_seconds_total", "Slot time of lone prefills while decodes were ready to run."),
    ("schedule_seconds_total", "Time inside schedule() of steps that made a batch."),
    ("output_tokens_total", "Requests that decoded, added up over the steps."),
    ("prefill_tokens_total", "Tokens of prefills."),
    ("admitted_requests_total", "Requests that were scheduled for the first time."),
    ("finished_requests_total", "Requests that finished."),
    ("preemptions_total", "Requests that were preempted."),
    ("decode_bucket_requests_total", "Requests of decode steps that ran in a compiled bucket."),
    ("decode_bucket_slots_total", "Sizes of the compiled buckets that decode steps ran in."),
    ("probe_seconds_total", "Time in the probe's code on the engine's thread, since the engine started."),
    ("lost_records_total", "Records that were overwritten before the daemon had read them."),
)
FAMILIES = (
    *(Family(f"rblntop_{name}", "gauge", text) for name, text in _GAUGES),
    *(Family(f"rblntop_{name}", "counter", text) for name, text in _COUNTERS),
    Family(STEP_SECONDS, "histogram", "From the schedule of a step to its completion, by kind."),
    Family(GAP_SECONDS, "histogram", "Between two decode completions of a group: its inter-token latency."),
    Family(BATCH_SIZE, "histogram", "Requests of the decode steps of a group."),
)
