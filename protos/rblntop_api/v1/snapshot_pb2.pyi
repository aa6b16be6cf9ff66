from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rblntop_api.v1 import engine_pb2 as _engine_pb2
from rblntop_api.v1 import host_pb2 as _host_pb2
from rblntop_api.v1 import limits_pb2 as _limits_pb2
from rblntop_api.v1 import step_pb2 as _step_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StripCell(_message.Message):
    __slots__ = ("fill_permille", "decode_permille", "prefill_permille")
    FILL_PERMILLE_FIELD_NUMBER: _ClassVar[int]
    DECODE_PERMILLE_FIELD_NUMBER: _ClassVar[int]
    PREFILL_PERMILLE_FIELD_NUMBER: _ClassVar[int]
    fill_permille: int
    decode_permille: int
    prefill_permille: int
    def __init__(self, fill_permille: _Optional[int] = ..., decode_permille: _Optional[int] = ..., prefill_permille: _Optional[int] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("group", "running", "decode_batch", "padded_batch", "strip")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    DECODE_BATCH_FIELD_NUMBER: _ClassVar[int]
    PADDED_BATCH_FIELD_NUMBER: _ClassVar[int]
    STRIP_FIELD_NUMBER: _ClassVar[int]
    group: int
    running: int
    decode_batch: int
    padded_batch: int
    strip: _containers.RepeatedCompositeFieldContainer[StripCell]
    def __init__(self, group: _Optional[int] = ..., running: _Optional[int] = ..., decode_batch: _Optional[int] = ..., padded_batch: _Optional[int] = ..., strip: _Optional[_Iterable[_Union[StripCell, _Mapping]]] = ...) -> None: ...

class InFlightBatch(_message.Message):
    __slots__ = ("step", "kind", "group", "row", "requests", "tokens", "padded_batch", "age_us")
    STEP_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    PADDED_BATCH_FIELD_NUMBER: _ClassVar[int]
    AGE_US_FIELD_NUMBER: _ClassVar[int]
    step: int
    kind: _step_pb2.StepKind
    group: int
    row: int
    requests: int
    tokens: int
    padded_batch: int
    age_us: int
    def __init__(self, step: _Optional[int] = ..., kind: _Optional[_Union[_step_pb2.StepKind, str]] = ..., group: _Optional[int] = ..., row: _Optional[int] = ..., requests: _Optional[int] = ..., tokens: _Optional[int] = ..., padded_batch: _Optional[int] = ..., age_us: _Optional[int] = ...) -> None: ...

class GroupWindow(_message.Message):
    __slots__ = ("group", "decode_steps", "mean_decode_batch", "decode_pad_ratio", "token_gap_p50_seconds", "token_gap_p99_seconds")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    DECODE_STEPS_FIELD_NUMBER: _ClassVar[int]
    MEAN_DECODE_BATCH_FIELD_NUMBER: _ClassVar[int]
    DECODE_PAD_RATIO_FIELD_NUMBER: _ClassVar[int]
    TOKEN_GAP_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_GAP_P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    group: int
    decode_steps: int
    mean_decode_batch: float
    decode_pad_ratio: float
    token_gap_p50_seconds: float
    token_gap_p99_seconds: float
    def __init__(self, group: _Optional[int] = ..., decode_steps: _Optional[int] = ..., mean_decode_batch: _Optional[float] = ..., decode_pad_ratio: _Optional[float] = ..., token_gap_p50_seconds: _Optional[float] = ..., token_gap_p99_seconds: _Optional[float] = ...) -> None: ...

class EmptyShare(_message.Message):
    __slots__ = ("cause", "steps", "ratio")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    cause: _step_pb2.EmptyCause
    steps: int
    ratio: float
    def __init__(self, cause: _Optional[_Union[_step_pb2.EmptyCause, str]] = ..., steps: _Optional[int] = ..., ratio: _Optional[float] = ...) -> None: ...

class Window(_message.Message):
    __slots__ = ("seconds", "covered_seconds", "decode_steps", "prefill_steps", "mixed_steps", "empty_steps", "lost_steps", "decode_pad_ratio", "queue_occupancy_ratio", "bubble_ratio", "empty", "stage_busy_ratio_estimate", "prefill_stall_ratio", "group_skew", "output_tokens_per_second", "prefill_tokens_per_second", "steps_per_second", "admitted_per_second", "preempted", "finished", "token_gap_p50_seconds", "token_gap_p99_seconds", "queue_wait_p50_seconds", "queue_wait_p99_seconds", "step_p50_seconds", "step_p99_seconds", "schedule_p50_seconds", "max_seq_len", "groups")
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    COVERED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DECODE_STEPS_FIELD_NUMBER: _ClassVar[int]
    PREFILL_STEPS_FIELD_NUMBER: _ClassVar[int]
    MIXED_STEPS_FIELD_NUMBER: _ClassVar[int]
    EMPTY_STEPS_FIELD_NUMBER: _ClassVar[int]
    LOST_STEPS_FIELD_NUMBER: _ClassVar[int]
    DECODE_PAD_RATIO_FIELD_NUMBER: _ClassVar[int]
    QUEUE_OCCUPANCY_RATIO_FIELD_NUMBER: _ClassVar[int]
    BUBBLE_RATIO_FIELD_NUMBER: _ClassVar[int]
    EMPTY_FIELD_NUMBER: _ClassVar[int]
    STAGE_BUSY_RATIO_ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    PREFILL_STALL_RATIO_FIELD_NUMBER: _ClassVar[int]
    GROUP_SKEW_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    PREFILL_TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    PREEMPTED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    TOKEN_GAP_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_GAP_P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_WAIT_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_WAIT_P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STEP_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STEP_P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_SEQ_LEN_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    seconds: float
    covered_seconds: float
    decode_steps: int
    prefill_steps: int
    mixed_steps: int
    empty_steps: int
    lost_steps: int
    decode_pad_ratio: float
    queue_occupancy_ratio: float
    bubble_ratio: float
    empty: _containers.RepeatedCompositeFieldContainer[EmptyShare]
    stage_busy_ratio_estimate: float
    prefill_stall_ratio: float
    group_skew: float
    output_tokens_per_second: float
    prefill_tokens_per_second: float
    steps_per_second: float
    admitted_per_second: float
    preempted: int
    finished: int
    token_gap_p50_seconds: float
    token_gap_p99_seconds: float
    queue_wait_p50_seconds: float
    queue_wait_p99_seconds: float
    step_p50_seconds: float
    step_p99_seconds: float
    schedule_p50_seconds: float
    max_seq_len: int
    groups: _containers.RepeatedCompositeFieldContainer[GroupWindow]
    def __init__(self, seconds: _Optional[float] = ..., covered_seconds: _Optional[float] = ..., decode_steps: _Optional[int] = ..., prefill_steps: _Optional[int] = ..., mixed_steps: _Optional[int] = ..., empty_steps: _Optional[int] = ..., lost_steps: _Optional[int] = ..., decode_pad_ratio: _Optional[float] = ..., queue_occupancy_ratio: _Optional[float] = ..., bubble_ratio: _Optional[float] = ..., empty: _Optional[_Iterable[_Union[EmptyShare, _Mapping]]] = ..., stage_busy_ratio_estimate: _Optional[float] = ..., prefill_stall_ratio: _Optional[float] = ..., group_skew: _Optional[float] = ..., output_tokens_per_second: _Optional[float] = ..., prefill_tokens_per_second: _Optional[float] = ..., steps_per_second: _Optional[float] = ..., admitted_per_second: _Optional[float] = ..., preempted: _Optional[int] = ..., finished: _Optional[int] = ..., token_gap_p50_seconds: _Optional[float] = ..., token_gap_p99_seconds: _Optional[float] = ..., queue_wait_p50_seconds: _Optional[float] = ..., queue_wait_p99_seconds: _Optional[float] = ..., step_p50_seconds: _Optional[float] = ..., step_p99_seconds: _Optional[float] = ..., schedule_p50_seconds: _Optional[float] = ..., max_seq_len: _Optional[int] = ..., groups: _Optional[_Iterable[_Union[GroupWindow, _Mapping]]] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("engine", "time", "age_seconds", "step", "next_sequence", "missed_records", "running", "waiting", "preempted_waiting", "remote_kv_waiting", "held", "unassigned", "oldest_wait_seconds", "kv_usage_ratio", "kv_blocks_used", "max_seq_len", "admission_stop", "groups", "in_flight", "limits", "windows", "probe_us_per_step", "daemon_cpu_ratio", "host")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MISSED_RECORDS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    PREEMPTED_WAITING_FIELD_NUMBER: _ClassVar[int]
    REMOTE_KV_WAITING_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    UNASSIGNED_FIELD_NUMBER: _ClassVar[int]
    OLDEST_WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    KV_USAGE_RATIO_FIELD_NUMBER: _ClassVar[int]
    KV_BLOCKS_USED_FIELD_NUMBER: _ClassVar[int]
    MAX_SEQ_LEN_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_STOP_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    PROBE_US_PER_STEP_FIELD_NUMBER: _ClassVar[int]
    DAEMON_CPU_RATIO_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    engine: _engine_pb2.Engine
    time: _timestamp_pb2.Timestamp
    age_seconds: float
    step: int
    next_sequence: int
    missed_records: int
    running: int
    waiting: int
    preempted_waiting: int
    remote_kv_waiting: int
    held: int
    unassigned: int
    oldest_wait_seconds: float
    kv_usage_ratio: float
    kv_blocks_used: int
    max_seq_len: int
    admission_stop: _step_pb2.AdmissionStop
    groups: _containers.RepeatedCompositeFieldContainer[Group]
    in_flight: _containers.RepeatedCompositeFieldContainer[InFlightBatch]
    limits: _limits_pb2.Limits
    windows: _containers.RepeatedCompositeFieldContainer[Window]
    probe_us_per_step: float
    daemon_cpu_ratio: float
    host: _host_pb2.HostUsage
    def __init__(self, engine: _Optional[_Union[_engine_pb2.Engine, _Mapping]] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., age_seconds: _Optional[float] = ..., step: _Optional[int] = ..., next_sequence: _Optional[int] = ..., missed_records: _Optional[int] = ..., running: _Optional[int] = ..., waiting: _Optional[int] = ..., preempted_waiting: _Optional[int] = ..., remote_kv_waiting: _Optional[int] = ..., held: _Optional[int] = ..., unassigned: _Optional[int] = ..., oldest_wait_seconds: _Optional[float] = ..., kv_usage_ratio: _Optional[float] = ..., kv_blocks_used: _Optional[int] = ..., max_seq_len: _Optional[int] = ..., admission_stop: _Optional[_Union[_step_pb2.AdmissionStop, str]] = ..., groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ..., in_flight: _Optional[_Iterable[_Union[InFlightBatch, _Mapping]]] = ..., limits: _Optional[_Union[_limits_pb2.Limits, _Mapping]] = ..., windows: _Optional[_Iterable[_Union[Window, _Mapping]]] = ..., probe_us_per_step: _Optional[float] = ..., daemon_cpu_ratio: _Optional[float] = ..., host: _Optional[_Union[_host_pb2.HostUsage, _Mapping]] = ...) -> None: ...
