from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
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

class ChangeAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_ACTION_UNSPECIFIED: _ClassVar[ChangeAction]
    CHANGE_ACTION_START: _ClassVar[ChangeAction]
    CHANGE_ACTION_SET: _ClassVar[ChangeAction]
    CHANGE_ACTION_TRY: _ClassVar[ChangeAction]
    CHANGE_ACTION_CONFIRM: _ClassVar[ChangeAction]
    CHANGE_ACTION_CANCEL: _ClassVar[ChangeAction]
    CHANGE_ACTION_REVERT: _ClassVar[ChangeAction]
    CHANGE_ACTION_EXTEND: _ClassVar[ChangeAction]
    CHANGE_ACTION_RESET: _ClassVar[ChangeAction]
    CHANGE_ACTION_DETACH: _ClassVar[ChangeAction]
    CHANGE_ACTION_CLOSE: _ClassVar[ChangeAction]
    CHANGE_ACTION_OPEN: _ClassVar[ChangeAction]
    CHANGE_ACTION_REOPEN: _ClassVar[ChangeAction]
    CHANGE_ACTION_FAULT: _ClassVar[ChangeAction]
    CHANGE_ACTION_RESTART: _ClassVar[ChangeAction]
    CHANGE_ACTION_REAPPLY: _ClassVar[ChangeAction]

class ChangeResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_RESULT_UNSPECIFIED: _ClassVar[ChangeResult]
    CHANGE_RESULT_DONE: _ClassVar[ChangeResult]
    CHANGE_RESULT_REFUSED: _ClassVar[ChangeResult]
    CHANGE_RESULT_UNKNOWN: _ClassVar[ChangeResult]
CHANGE_PHASE_UNSPECIFIED: ChangePhase
CHANGE_PHASE_ACCEPTED: ChangePhase
CHANGE_PHASE_IN_FORCE: ChangePhase
CHANGE_PHASE_SETTLED: ChangePhase
CHANGE_ACTION_UNSPECIFIED: ChangeAction
CHANGE_ACTION_START: ChangeAction
CHANGE_ACTION_SET: ChangeAction
CHANGE_ACTION_TRY: ChangeAction
CHANGE_ACTION_CONFIRM: ChangeAction
CHANGE_ACTION_CANCEL: ChangeAction
CHANGE_ACTION_REVERT: ChangeAction
CHANGE_ACTION_EXTEND: ChangeAction
CHANGE_ACTION_RESET: ChangeAction
CHANGE_ACTION_DETACH: ChangeAction
CHANGE_ACTION_CLOSE: ChangeAction
CHANGE_ACTION_OPEN: ChangeAction
CHANGE_ACTION_REOPEN: ChangeAction
CHANGE_ACTION_FAULT: ChangeAction
CHANGE_ACTION_RESTART: ChangeAction
CHANGE_ACTION_REAPPLY: ChangeAction
CHANGE_RESULT_UNSPECIFIED: ChangeResult
CHANGE_RESULT_DONE: ChangeResult
CHANGE_RESULT_REFUSED: ChangeResult
CHANGE_RESULT_UNKNOWN: ChangeResult

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
    __slots__ = ("engine", "changes", "wait_for", "wait_timeout", "mode", "ttl", "validate_only", "expected_generation", "expected_generations", "reason", "change_id")
    class ExpectedGenerationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_FIELD_NUMBER: _ClassVar[int]
    WAIT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_GENERATION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_GENERATIONS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    engine: str
    changes: _containers.RepeatedCompositeFieldContainer[LimitChange]
    wait_for: ChangePhase
    wait_timeout: _duration_pb2.Duration
    mode: _limits_pb2.LimitMode
    ttl: _duration_pb2.Duration
    validate_only: bool
    expected_generation: int
    expected_generations: _containers.ScalarMap[str, int]
    reason: str
    change_id: str
    def __init__(self, engine: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[LimitChange, _Mapping]]] = ..., wait_for: _Optional[_Union[ChangePhase, str]] = ..., wait_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., mode: _Optional[_Union[_limits_pb2.LimitMode, str]] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., validate_only: bool = ..., expected_generation: _Optional[int] = ..., expected_generations: _Optional[_Mapping[str, int]] = ..., reason: _Optional[str] = ..., change_id: _Optional[str] = ...) -> None: ...

class EngineChange(_message.Message):
    __slots__ = ("engine", "instance_id", "generation", "phase", "limits", "warnings", "waiting_because", "preview")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    WAITING_BECAUSE_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    engine: str
    instance_id: str
    generation: int
    phase: ChangePhase
    limits: _limits_pb2.Limits
    warnings: _containers.RepeatedScalarFieldContainer[str]
    waiting_because: str
    preview: Preview
    def __init__(self, engine: _Optional[str] = ..., instance_id: _Optional[str] = ..., generation: _Optional[int] = ..., phase: _Optional[_Union[ChangePhase, str]] = ..., limits: _Optional[_Union[_limits_pb2.Limits, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ..., waiting_because: _Optional[str] = ..., preview: _Optional[_Union[Preview, _Mapping]] = ...) -> None: ...

class SetLimitsResponse(_message.Message):
    __slots__ = ("change_id", "engines")
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    change_id: str
    engines: _containers.RepeatedCompositeFieldContainer[EngineChange]
    def __init__(self, change_id: _Optional[str] = ..., engines: _Optional[_Iterable[_Union[EngineChange, _Mapping]]] = ...) -> None: ...

class GroupPreview(_message.Message):
    __slots__ = ("group", "running", "cap", "excess", "mean_decode_batch_now", "mean_decode_batch_then", "decode_pad_ratio_now", "decode_pad_ratio_then")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    CAP_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    MEAN_DECODE_BATCH_NOW_FIELD_NUMBER: _ClassVar[int]
    MEAN_DECODE_BATCH_THEN_FIELD_NUMBER: _ClassVar[int]
    DECODE_PAD_RATIO_NOW_FIELD_NUMBER: _ClassVar[int]
    DECODE_PAD_RATIO_THEN_FIELD_NUMBER: _ClassVar[int]
    group: int
    running: int
    cap: int
    excess: int
    mean_decode_batch_now: float
    mean_decode_batch_then: float
    decode_pad_ratio_now: float
    decode_pad_ratio_then: float
    def __init__(self, group: _Optional[int] = ..., running: _Optional[int] = ..., cap: _Optional[int] = ..., excess: _Optional[int] = ..., mean_decode_batch_now: _Optional[float] = ..., mean_decode_batch_then: _Optional[float] = ..., decode_pad_ratio_now: _Optional[float] = ..., decode_pad_ratio_then: _Optional[float] = ...) -> None: ...

class Preview(_message.Message):
    __slots__ = ("draining", "drain_estimate", "decode_pad_ratio_now", "decode_pad_ratio_then", "steps_in_smaller_bucket", "decode_steps", "groups")
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    DRAIN_ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    DECODE_PAD_RATIO_NOW_FIELD_NUMBER: _ClassVar[int]
    DECODE_PAD_RATIO_THEN_FIELD_NUMBER: _ClassVar[int]
    STEPS_IN_SMALLER_BUCKET_FIELD_NUMBER: _ClassVar[int]
    DECODE_STEPS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    draining: int
    drain_estimate: _duration_pb2.Duration
    decode_pad_ratio_now: float
    decode_pad_ratio_then: float
    steps_in_smaller_bucket: int
    decode_steps: int
    groups: _containers.RepeatedCompositeFieldContainer[GroupPreview]
    def __init__(self, draining: _Optional[int] = ..., drain_estimate: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., decode_pad_ratio_now: _Optional[float] = ..., decode_pad_ratio_then: _Optional[float] = ..., steps_in_smaller_bucket: _Optional[int] = ..., decode_steps: _Optional[int] = ..., groups: _Optional[_Iterable[_Union[GroupPreview, _Mapping]]] = ...) -> None: ...

class ConfirmChangeRequest(_message.Message):
    __slots__ = ("engine", "change_id", "extend", "reason")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    EXTEND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    engine: str
    change_id: str
    extend: _duration_pb2.Duration
    reason: str
    def __init__(self, engine: _Optional[str] = ..., change_id: _Optional[str] = ..., extend: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class ConfirmChangeResponse(_message.Message):
    __slots__ = ("engines",)
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    engines: _containers.RepeatedCompositeFieldContainer[EngineChange]
    def __init__(self, engines: _Optional[_Iterable[_Union[EngineChange, _Mapping]]] = ...) -> None: ...

class CancelChangeRequest(_message.Message):
    __slots__ = ("engine", "change_id", "reason")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    engine: str
    change_id: str
    reason: str
    def __init__(self, engine: _Optional[str] = ..., change_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelChangeResponse(_message.Message):
    __slots__ = ("engines",)
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    engines: _containers.RepeatedCompositeFieldContainer[EngineChange]
    def __init__(self, engines: _Optional[_Iterable[_Union[EngineChange, _Mapping]]] = ...) -> None: ...

class ResetLimitsRequest(_message.Message):
    __slots__ = ("engine", "detach", "validate_only", "reason")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    engine: str
    detach: bool
    validate_only: bool
    reason: str
    def __init__(self, engine: _Optional[str] = ..., detach: bool = ..., validate_only: bool = ..., reason: _Optional[str] = ...) -> None: ...

class ResetLimitsResponse(_message.Message):
    __slots__ = ("engines",)
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    engines: _containers.RepeatedCompositeFieldContainer[EngineChange]
    def __init__(self, engines: _Optional[_Iterable[_Union[EngineChange, _Mapping]]] = ...) -> None: ...

class CloseAdmissionRequest(_message.Message):
    __slots__ = ("engine", "ttl", "until_opened", "validate_only", "expected_generation", "reason", "wait_for", "wait_timeout")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    UNTIL_OPENED_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_GENERATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_FIELD_NUMBER: _ClassVar[int]
    WAIT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    engine: str
    ttl: _duration_pb2.Duration
    until_opened: bool
    validate_only: bool
    expected_generation: int
    reason: str
    wait_for: ChangePhase
    wait_timeout: _duration_pb2.Duration
    def __init__(self, engine: _Optional[str] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., until_opened: bool = ..., validate_only: bool = ..., expected_generation: _Optional[int] = ..., reason: _Optional[str] = ..., wait_for: _Optional[_Union[ChangePhase, str]] = ..., wait_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CloseAdmissionResponse(_message.Message):
    __slots__ = ("engines",)
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    engines: _containers.RepeatedCompositeFieldContainer[EngineChange]
    def __init__(self, engines: _Optional[_Iterable[_Union[EngineChange, _Mapping]]] = ...) -> None: ...

class OpenAdmissionRequest(_message.Message):
    __slots__ = ("engine", "reason")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    engine: str
    reason: str
    def __init__(self, engine: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class OpenAdmissionResponse(_message.Message):
    __slots__ = ("engines",)
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    engines: _containers.RepeatedCompositeFieldContainer[EngineChange]
    def __init__(self, engines: _Optional[_Iterable[_Union[EngineChange, _Mapping]]] = ...) -> None: ...

class Caller(_message.Message):
    __slots__ = ("name", "uid", "verified")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    name: str
    uid: int
    verified: bool
    def __init__(self, name: _Optional[str] = ..., uid: _Optional[int] = ..., verified: bool = ...) -> None: ...

class LimitValue(_message.Message):
    __slots__ = ("kind", "group", "old_value", "new_value")
    KIND_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    OLD_VALUE_FIELD_NUMBER: _ClassVar[int]
    NEW_VALUE_FIELD_NUMBER: _ClassVar[int]
    kind: _limits_pb2.LimitKind
    group: int
    old_value: int
    new_value: int
    def __init__(self, kind: _Optional[_Union[_limits_pb2.LimitKind, str]] = ..., group: _Optional[int] = ..., old_value: _Optional[int] = ..., new_value: _Optional[int] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("time", "engine", "instance_id", "action", "result", "caller", "reason", "change_id", "generation", "step", "values", "mode", "ttl", "detail")
    TIME_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    engine: str
    instance_id: str
    action: ChangeAction
    result: ChangeResult
    caller: Caller
    reason: str
    change_id: str
    generation: int
    step: int
    values: _containers.RepeatedCompositeFieldContainer[LimitValue]
    mode: _limits_pb2.LimitMode
    ttl: _duration_pb2.Duration
    detail: str
    def __init__(self, time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., engine: _Optional[str] = ..., instance_id: _Optional[str] = ..., action: _Optional[_Union[ChangeAction, str]] = ..., result: _Optional[_Union[ChangeResult, str]] = ..., caller: _Optional[_Union[Caller, _Mapping]] = ..., reason: _Optional[str] = ..., change_id: _Optional[str] = ..., generation: _Optional[int] = ..., step: _Optional[int] = ..., values: _Optional[_Iterable[_Union[LimitValue, _Mapping]]] = ..., mode: _Optional[_Union[_limits_pb2.LimitMode, str]] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., detail: _Optional[str] = ...) -> None: ...

class ListChangesRequest(_message.Message):
    __slots__ = ("engine", "limit", "since")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    engine: str
    limit: int
    since: _timestamp_pb2.Timestamp
    def __init__(self, engine: _Optional[str] = ..., limit: _Optional[int] = ..., since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListChangesResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...
