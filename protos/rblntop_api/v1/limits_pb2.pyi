from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LimitKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_KIND_UNSPECIFIED: _ClassVar[LimitKind]
    LIMIT_KIND_MAX_NUM_SEQS: _ClassVar[LimitKind]
    LIMIT_KIND_GROUP_CAP: _ClassVar[LimitKind]

class LimitScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_SCOPE_UNSPECIFIED: _ClassVar[LimitScope]
    LIMIT_SCOPE_ENGINE: _ClassVar[LimitScope]
    LIMIT_SCOPE_GROUP: _ClassVar[LimitScope]

class LimitMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_MODE_UNSPECIFIED: _ClassVar[LimitMode]
    LIMIT_MODE_DRAIN: _ClassVar[LimitMode]
    LIMIT_MODE_HOLD: _ClassVar[LimitMode]
LIMIT_KIND_UNSPECIFIED: LimitKind
LIMIT_KIND_MAX_NUM_SEQS: LimitKind
LIMIT_KIND_GROUP_CAP: LimitKind
LIMIT_SCOPE_UNSPECIFIED: LimitScope
LIMIT_SCOPE_ENGINE: LimitScope
LIMIT_SCOPE_GROUP: LimitScope
LIMIT_MODE_UNSPECIFIED: LimitMode
LIMIT_MODE_DRAIN: LimitMode
LIMIT_MODE_HOLD: LimitMode

class Limit(_message.Message):
    __slots__ = ("kind", "scope", "group", "floor", "ceiling", "target", "effective", "available", "unavailable_reason", "reverts_to")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    CEILING_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_REASON_FIELD_NUMBER: _ClassVar[int]
    REVERTS_TO_FIELD_NUMBER: _ClassVar[int]
    kind: LimitKind
    scope: LimitScope
    group: int
    floor: int
    ceiling: int
    target: int
    effective: int
    available: bool
    unavailable_reason: str
    reverts_to: int
    def __init__(self, kind: _Optional[_Union[LimitKind, str]] = ..., scope: _Optional[_Union[LimitScope, str]] = ..., group: _Optional[int] = ..., floor: _Optional[int] = ..., ceiling: _Optional[int] = ..., target: _Optional[int] = ..., effective: _Optional[int] = ..., available: bool = ..., unavailable_reason: _Optional[str] = ..., reverts_to: _Optional[int] = ...) -> None: ...

class Trial(_message.Message):
    __slots__ = ("change_id", "generation", "ttl", "reverts_at")
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    REVERTS_AT_FIELD_NUMBER: _ClassVar[int]
    change_id: str
    generation: int
    ttl: _duration_pb2.Duration
    reverts_at: _timestamp_pb2.Timestamp
    def __init__(self, change_id: _Optional[str] = ..., generation: _Optional[int] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., reverts_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Admission(_message.Message):
    __slots__ = ("closed", "closed_until", "paused_by_engine", "available", "unavailable_reason")
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PAUSED_BY_ENGINE_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_REASON_FIELD_NUMBER: _ClassVar[int]
    closed: bool
    closed_until: _timestamp_pb2.Timestamp
    paused_by_engine: bool
    available: bool
    unavailable_reason: str
    def __init__(self, closed: bool = ..., closed_until: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., paused_by_engine: bool = ..., available: bool = ..., unavailable_reason: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("generation", "limits", "admission", "admission_from", "accepted_step", "in_force_step", "settled_step", "mode", "trial", "admission_state", "accepted_at")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_FROM_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_STEP_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_STEP_FIELD_NUMBER: _ClassVar[int]
    SETTLED_STEP_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_STATE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    generation: int
    limits: _containers.RepeatedCompositeFieldContainer[Limit]
    admission: int
    admission_from: LimitKind
    accepted_step: int
    in_force_step: int
    settled_step: int
    mode: LimitMode
    trial: Trial
    admission_state: Admission
    accepted_at: _timestamp_pb2.Timestamp
    def __init__(self, generation: _Optional[int] = ..., limits: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ..., admission: _Optional[int] = ..., admission_from: _Optional[_Union[LimitKind, str]] = ..., accepted_step: _Optional[int] = ..., in_force_step: _Optional[int] = ..., settled_step: _Optional[int] = ..., mode: _Optional[_Union[LimitMode, str]] = ..., trial: _Optional[_Union[Trial, _Mapping]] = ..., admission_state: _Optional[_Union[Admission, _Mapping]] = ..., accepted_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
