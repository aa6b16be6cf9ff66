"""The words that the screen uses for the model's enums."""

from __future__ import annotations

from rblntop.model import AdmissionStop, EmptyCause, EngineState, StepKind

STATE = {
    EngineState.UNKNOWN: "--",
    EngineState.STARTING: "STARTING",
    EngineState.IDLE: "IDLE",
    EngineState.SERVING: "SERVING",
    EngineState.STALLED: "STALLED",
    EngineState.CLOSED: "CLOSED",
    EngineState.GONE: "GONE",
}

KIND = {
    StepKind.UNKNOWN: "--",
    StepKind.EMPTY: "empty",
    StepKind.PREFILL: "prefill",
    StepKind.DECODE: "decode",
    StepKind.MIXED: "mixed",
    StepKind.LOST: "lost",
}

HELD_BY = {
    AdmissionStop.UNKNOWN: "--",
    AdmissionStop.NONE: "nothing",
    AdmissionStop.MAX_NUM_SEQS: "max_num_seqs",
    AdmissionStop.GROUP_CAPS: "group caps",
    AdmissionStop.KV: "KV blocks",
    AdmissionStop.TOKENS: "one prefill",
    AdmissionStop.CLOSED: "closed",
}

EMPTY_BECAUSE = {
    EmptyCause.UNKNOWN: "unknown",
    EmptyCause.CLOSED: "closed",
    EmptyCause.BLOCKED: "blocked",
    EmptyCause.DEMAND: "few reqs",
    EmptyCause.LIMIT: "limit",
    EmptyCause.PREFILL: "prefill",
    EmptyCause.COLLAPSE: "collapse",
}
