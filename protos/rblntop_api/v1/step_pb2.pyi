from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StepKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STEP_KIND_UNSPECIFIED: _ClassVar[StepKind]
    STEP_KIND_EMPTY: _ClassVar[StepKind]
    STEP_KIND_PREFILL: _ClassVar[StepKind]
    STEP_KIND_DECODE: _ClassVar[StepKind]
    STEP_KIND_MIXED: _ClassVar[StepKind]
    STEP_KIND_LOST: _ClassVar[StepKind]

class AdmissionStop(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADMISSION_STOP_UNSPECIFIED: _ClassVar[AdmissionStop]
    ADMISSION_STOP_NONE: _ClassVar[AdmissionStop]
    ADMISSION_STOP_MAX_NUM_SEQS: _ClassVar[AdmissionStop]
    ADMISSION_STOP_GROUP_CAPS: _ClassVar[AdmissionStop]
    ADMISSION_STOP_KV: _ClassVar[AdmissionStop]
    ADMISSION_STOP_TOKENS: _ClassVar[AdmissionStop]
    ADMISSION_STOP_CLOSED: _ClassVar[AdmissionStop]

class EmptyCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EMPTY_CAUSE_UNSPECIFIED: _ClassVar[EmptyCause]
    EMPTY_CAUSE_CLOSED: _ClassVar[EmptyCause]
    EMPTY_CAUSE_BLOCKED: _ClassVar[EmptyCause]
    EMPTY_CAUSE_DEMAND: _ClassVar[EmptyCause]
    EMPTY_CAUSE_LIMIT: _ClassVar[EmptyCause]
    EMPTY_CAUSE_PREFILL: _ClassVar[EmptyCause]
    EMPTY_CAUSE_COLLAPSE: _ClassVar[EmptyCause]
STEP_KIND_UNSPECIFIED: StepKind
STEP_KIND_EMPTY: StepKind
STEP_KIND_PREFILL: StepKind
STEP_KIND_DECODE: StepKind
STEP_KIND_MIXED: StepKind
STEP_KIND_LOST: StepKind
ADMISSION_STOP_UNSPECIFIED: AdmissionStop
ADMISSION_STOP_NONE: AdmissionStop
ADMISSION_STOP_MAX_NUM_SEQS: AdmissionStop
ADMISSION_STOP_GROUP_CAPS: AdmissionStop
ADMISSION_STOP_KV: AdmissionStop
ADMISSION_STOP_TOKENS: AdmissionStop
ADMISSION_STOP_CLOSED: AdmissionStop
EMPTY_CAUSE_UNSPECIFIED: EmptyCause
EMPTY_CAUSE_CLOSED: EmptyCause
EMPTY_CAUSE_BLOCKED: EmptyCause
EMPTY_CAUSE_DEMAND: EmptyCause
EMPTY_CAUSE_LIMIT: EmptyCause
EMPTY_CAUSE_PREFILL: EmptyCause
EMPTY_CAUSE_COLLAPSE: EmptyCause

class EmptyCauseCount(_message.Message):
    __slots__ = ("cause", "steps", "slot_us")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    SLOT_US_FIELD_NUMBER: _ClassVar[int]
    cause: EmptyCause
    steps: int
    slot_us: int
    def __init__(self, cause: _Optional[_Union[EmptyCause, str]] = ..., steps: _Optional[int] = ..., slot_us: _Optional[int] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("sequence", "step", "kind", "group", "row", "scheduled_ns", "completed_ns", "schedule_ns", "requests", "prefill_requests", "tokens", "padded_batch", "max_seq_len", "running", "waiting", "held", "ready", "preempted", "finished", "unfinished", "new_requests", "queue_wait_us", "admission_stop", "in_flight", "kv_usage_ratio", "generation", "count", "causes")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_NS_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_NS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_NS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    PREFILL_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    PADDED_BATCH_FIELD_NUMBER: _ClassVar[int]
    MAX_SEQ_LEN_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    PREEMPTED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    NEW_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_WAIT_US_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_STOP_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    KV_USAGE_RATIO_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    step: int
    kind: StepKind
    group: int
    row: int
    scheduled_ns: int
    completed_ns: int
    schedule_ns: int
    requests: int
    prefill_requests: int
    tokens: int
    padded_batch: int
    max_seq_len: int
    running: int
    waiting: int
    held: int
    ready: int
    preempted: int
    finished: int
    unfinished: int
    new_requests: int
    queue_wait_us: int
    admission_stop: AdmissionStop
    in_flight: int
    kv_usage_ratio: float
    generation: int
    count: int
    causes: _containers.RepeatedCompositeFieldContainer[EmptyCauseCount]
    def __init__(self, sequence: _Optional[int] = ..., step: _Optional[int] = ..., kind: _Optional[_Union[StepKind, str]] = ..., group: _Optional[int] = ..., row: _Optional[int] = ..., scheduled_ns: _Optional[int] = ..., completed_ns: _Optional[int] = ..., schedule_ns: _Optional[int] = ..., requests: _Optional[int] = ..., prefill_requests: _Optional[int] = ..., tokens: _Optional[int] = ..., padded_batch: _Optional[int] = ..., max_seq_len: _Optional[int] = ..., running: _Optional[int] = ..., waiting: _Optional[int] = ..., held: _Optional[int] = ..., ready: _Optional[int] = ..., preempted: _Optional[int] = ..., finished: _Optional[int] = ..., unfinished: _Optional[int] = ..., new_requests: _Optional[int] = ..., queue_wait_us: _Optional[int] = ..., admission_stop: _Optional[_Union[AdmissionStop, str]] = ..., in_flight: _Optional[int] = ..., kv_usage_ratio: _Optional[float] = ..., generation: _Optional[int] = ..., count: _Optional[int] = ..., causes: _Optional[_Iterable[_Union[EmptyCauseCount, _Mapping]]] = ...) -> None: ...
