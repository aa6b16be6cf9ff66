from google.protobuf import duration_pb2 as _duration_pb2
from rblntop_api.v1 import limits_pb2 as _limits_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangePhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_PHASE_UNSPECIFIED: _ClassVar[ChangePhase]
    CHANGE_PHASE_ACCEPTED: _ClassVar[ChangePhase]
    CHANGE_PHASE_IN_FORCE: _ClassVar[ChangePhase]
    CHANGE_PHASE_SETTLED: _ClassVar[ChangePhase]
CHANGE_PHASE_UNSPECIFIED: ChangePhase
CHANGE_PHASE_ACCEPTED: ChangePhase
CHANGE_PHASE_IN_FORCE: ChangePhase
CHANGE_PHASE_SETTLED: ChangePhase

class LimitChange(_message.Message):
    __slots__ = ("kind", "scope", "group", "value")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    kind: _limits_pb2.LimitKind
    scope: _limits_pb2.LimitScope
    group: int
    value: int
    def __init__(self, kind: _Optional[_Union[_limits_pb2.LimitKind, str]] = ..., scope: _Optional[_Union[_limits_pb2.LimitScope, str]] = ..., group: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...

class SetLimitsRequest(_message.Message):
    __slots__ = ("engine", "changes", "wait_for", "wait_timeout")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_FIELD_NUMBER: _ClassVar[int]
    WAIT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    engine: str
    changes: _containers.RepeatedCompositeFieldContainer[LimitChange]
    wait_for: ChangePhase
    wait_timeout: _duration_pb2.Duration
    def __init__(self, engine: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[LimitChange, _Mapping]]] = ..., wait_for: _Optional[_Union[ChangePhase, str]] = ..., wait_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SetLimitsResponse(_message.Message):
    __slots__ = ("generation", "phase", "limits", "warnings", "waiting_because")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    WAITING_BECAUSE_FIELD_NUMBER: _ClassVar[int]
    generation: int
    phase: ChangePhase
    limits: _limits_pb2.Limits
    warnings: _containers.RepeatedScalarFieldContainer[str]
    waiting_because: str
    def __init__(self, generation: _Optional[int] = ..., phase: _Optional[_Union[ChangePhase, str]] = ..., limits: _Optional[_Union[_limits_pb2.Limits, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ..., waiting_because: _Optional[str] = ...) -> None: ...
