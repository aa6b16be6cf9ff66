from google.protobuf import duration_pb2 as _duration_pb2
from rblntop_api.v1 import engine_pb2 as _engine_pb2
from rblntop_api.v1 import snapshot_pb2 as _snapshot_pb2
from rblntop_api.v1 import step_pb2 as _step_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListEnginesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListEnginesResponse(_message.Message):
    __slots__ = ("engines", "daemon_version")
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    engines: _containers.RepeatedCompositeFieldContainer[_engine_pb2.Engine]
    daemon_version: str
    def __init__(self, engines: _Optional[_Iterable[_Union[_engine_pb2.Engine, _Mapping]]] = ..., daemon_version: _Optional[str] = ...) -> None: ...

class GetSnapshotRequest(_message.Message):
    __slots__ = ("engine", "window_seconds", "strip_cells")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    WINDOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STRIP_CELLS_FIELD_NUMBER: _ClassVar[int]
    engine: str
    window_seconds: _containers.RepeatedScalarFieldContainer[int]
    strip_cells: int
    def __init__(self, engine: _Optional[str] = ..., window_seconds: _Optional[_Iterable[int]] = ..., strip_cells: _Optional[int] = ...) -> None: ...

class GetSnapshotResponse(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: _snapshot_pb2.Snapshot
    def __init__(self, snapshot: _Optional[_Union[_snapshot_pb2.Snapshot, _Mapping]] = ...) -> None: ...

class WatchSnapshotsRequest(_message.Message):
    __slots__ = ("engine", "interval", "window_seconds", "strip_cells")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    WINDOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STRIP_CELLS_FIELD_NUMBER: _ClassVar[int]
    engine: str
    interval: _duration_pb2.Duration
    window_seconds: _containers.RepeatedScalarFieldContainer[int]
    strip_cells: int
    def __init__(self, engine: _Optional[str] = ..., interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., window_seconds: _Optional[_Iterable[int]] = ..., strip_cells: _Optional[int] = ...) -> None: ...

class WatchSnapshotsResponse(_message.Message):
    __slots__ = ("snapshots",)
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    snapshots: _containers.RepeatedCompositeFieldContainer[_snapshot_pb2.Snapshot]
    def __init__(self, snapshots: _Optional[_Iterable[_Union[_snapshot_pb2.Snapshot, _Mapping]]] = ...) -> None: ...

class WatchStepsRequest(_message.Message):
    __slots__ = ("engine", "from_sequence", "no_follow")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    FROM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NO_FOLLOW_FIELD_NUMBER: _ClassVar[int]
    engine: str
    from_sequence: int
    no_follow: bool
    def __init__(self, engine: _Optional[str] = ..., from_sequence: _Optional[int] = ..., no_follow: bool = ...) -> None: ...

class WatchStepsResponse(_message.Message):
    __slots__ = ("steps", "missed")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_step_pb2.Step]
    missed: int
    def __init__(self, steps: _Optional[_Iterable[_Union[_step_pb2.Step, _Mapping]]] = ..., missed: _Optional[int] = ...) -> None: ...
