from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rblntop_api.v1 import control_pb2 as _control_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventSeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_SEVERITY_UNSPECIFIED: _ClassVar[EventSeverity]
    EVENT_SEVERITY_INFO: _ClassVar[EventSeverity]
    EVENT_SEVERITY_WATCH: _ClassVar[EventSeverity]
    EVENT_SEVERITY_ACT: _ClassVar[EventSeverity]

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_DAEMON_STARTED: _ClassVar[EventKind]
    EVENT_KIND_ENGINE_APPEARED: _ClassVar[EventKind]
    EVENT_KIND_ENGINE_ENDED: _ClassVar[EventKind]
    EVENT_KIND_ENGINE_DIED: _ClassVar[EventKind]
    EVENT_KIND_ENGINE_RESTARTED: _ClassVar[EventKind]
    EVENT_KIND_ENGINE_STALLED: _ClassVar[EventKind]
    EVENT_KIND_ENGINE_RESUMED: _ClassVar[EventKind]
    EVENT_KIND_RECORDS_LOST: _ClassVar[EventKind]
    EVENT_KIND_LIMITS_CHANGED: _ClassVar[EventKind]
    EVENT_KIND_CHANGE_IN_FORCE: _ClassVar[EventKind]
    EVENT_KIND_CHANGE_SETTLED: _ClassVar[EventKind]
    EVENT_KIND_CHANGE_REFUSED: _ClassVar[EventKind]
    EVENT_KIND_CHANGE_UNKNOWN: _ClassVar[EventKind]
    EVENT_KIND_TRIAL_STARTED: _ClassVar[EventKind]
    EVENT_KIND_TRIAL_KEPT: _ClassVar[EventKind]
    EVENT_KIND_TRIAL_EXTENDED: _ClassVar[EventKind]
    EVENT_KIND_TRIAL_REVERTED: _ClassVar[EventKind]
    EVENT_KIND_ADMISSION_CLOSED: _ClassVar[EventKind]
    EVENT_KIND_ADMISSION_OPENED: _ClassVar[EventKind]
    EVENT_KIND_PROBE_DETACHED: _ClassVar[EventKind]
    EVENT_KIND_PROBE_FAULT: _ClassVar[EventKind]
    EVENT_KIND_CHANGES_LOST: _ClassVar[EventKind]
EVENT_SEVERITY_UNSPECIFIED: EventSeverity
EVENT_SEVERITY_INFO: EventSeverity
EVENT_SEVERITY_WATCH: EventSeverity
EVENT_SEVERITY_ACT: EventSeverity
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_DAEMON_STARTED: EventKind
EVENT_KIND_ENGINE_APPEARED: EventKind
EVENT_KIND_ENGINE_ENDED: EventKind
EVENT_KIND_ENGINE_DIED: EventKind
EVENT_KIND_ENGINE_RESTARTED: EventKind
EVENT_KIND_ENGINE_STALLED: EventKind
EVENT_KIND_ENGINE_RESUMED: EventKind
EVENT_KIND_RECORDS_LOST: EventKind
EVENT_KIND_LIMITS_CHANGED: EventKind
EVENT_KIND_CHANGE_IN_FORCE: EventKind
EVENT_KIND_CHANGE_SETTLED: EventKind
EVENT_KIND_CHANGE_REFUSED: EventKind
EVENT_KIND_CHANGE_UNKNOWN: EventKind
EVENT_KIND_TRIAL_STARTED: EventKind
EVENT_KIND_TRIAL_KEPT: EventKind
EVENT_KIND_TRIAL_EXTENDED: EventKind
EVENT_KIND_TRIAL_REVERTED: EventKind
EVENT_KIND_ADMISSION_CLOSED: EventKind
EVENT_KIND_ADMISSION_OPENED: EventKind
EVENT_KIND_PROBE_DETACHED: EventKind
EVENT_KIND_PROBE_FAULT: EventKind
EVENT_KIND_CHANGES_LOST: EventKind

class Event(_message.Message):
    __slots__ = ("id", "time", "kind", "severity", "engine", "instance_id", "group", "text", "generation", "step", "count", "seconds", "change", "daemon_version")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    id: int
    time: _timestamp_pb2.Timestamp
    kind: EventKind
    severity: EventSeverity
    engine: str
    instance_id: str
    group: int
    text: str
    generation: int
    step: int
    count: int
    seconds: float
    change: _control_pb2.Change
    daemon_version: str
    def __init__(self, id: _Optional[int] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[EventKind, str]] = ..., severity: _Optional[_Union[EventSeverity, str]] = ..., engine: _Optional[str] = ..., instance_id: _Optional[str] = ..., group: _Optional[int] = ..., text: _Optional[str] = ..., generation: _Optional[int] = ..., step: _Optional[int] = ..., count: _Optional[int] = ..., seconds: _Optional[float] = ..., change: _Optional[_Union[_control_pb2.Change, _Mapping]] = ..., daemon_version: _Optional[str] = ...) -> None: ...
