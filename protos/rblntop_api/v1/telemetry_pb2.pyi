from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rblntop_api.v1 import engine_pb2 as _engine_pb2
from rblntop_api.v1 import event_pb2 as _event_pb2
from rblntop_api.v1 import history_pb2 as _history_pb2
from rblntop_api.v1 import request_pb2 as _request_pb2
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

class GetHistoryRequest(_message.Message):
    __slots__ = ("engine", "columns", "since", "last", "until", "interval", "max_points")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    engine: str
    columns: _containers.RepeatedScalarFieldContainer[_history_pb2.HistoryColumn]
    since: _timestamp_pb2.Timestamp
    last: _duration_pb2.Duration
    until: _timestamp_pb2.Timestamp
    interval: _duration_pb2.Duration
    max_points: int
    def __init__(self, engine: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[_history_pb2.HistoryColumn, str]]] = ..., since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., last: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., until: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_points: _Optional[int] = ...) -> None: ...

class GetHistoryResponse(_message.Message):
    __slots__ = ("engine", "start", "interval", "row_count", "series", "restarts")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    engine: str
    start: _timestamp_pb2.Timestamp
    interval: _duration_pb2.Duration
    row_count: int
    series: _containers.RepeatedCompositeFieldContainer[_history_pb2.HistorySeries]
    restarts: _containers.RepeatedCompositeFieldContainer[_history_pb2.HistoryRestart]
    def __init__(self, engine: _Optional[str] = ..., start: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., row_count: _Optional[int] = ..., series: _Optional[_Iterable[_Union[_history_pb2.HistorySeries, _Mapping]]] = ..., restarts: _Optional[_Iterable[_Union[_history_pb2.HistoryRestart, _Mapping]]] = ...) -> None: ...

class WatchEventsRequest(_message.Message):
    __slots__ = ("engine", "since", "after_id", "no_follow", "min_severity")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    AFTER_ID_FIELD_NUMBER: _ClassVar[int]
    NO_FOLLOW_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    engine: str
    since: _timestamp_pb2.Timestamp
    after_id: int
    no_follow: bool
    min_severity: _event_pb2.EventSeverity
    def __init__(self, engine: _Optional[str] = ..., since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., after_id: _Optional[int] = ..., no_follow: bool = ..., min_severity: _Optional[_Union[_event_pb2.EventSeverity, str]] = ...) -> None: ...

class WatchEventsResponse(_message.Message):
    __slots__ = ("events", "missed")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    missed: int
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., missed: _Optional[int] = ...) -> None: ...

class ListRequestsRequest(_message.Message):
    __slots__ = ("engine", "limit", "order", "states", "group")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    engine: str
    limit: int
    order: _request_pb2.RequestOrder
    states: _containers.RepeatedScalarFieldContainer[_request_pb2.RequestState]
    group: int
    def __init__(self, engine: _Optional[str] = ..., limit: _Optional[int] = ..., order: _Optional[_Union[_request_pb2.RequestOrder, str]] = ..., states: _Optional[_Iterable[_Union[_request_pb2.RequestState, str]]] = ..., group: _Optional[int] = ...) -> None: ...

class ListRequestsResponse(_message.Message):
    __slots__ = ("requests", "time", "total", "recorded", "matching")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    MATCHING_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[_request_pb2.EngineRequest]
    time: _timestamp_pb2.Timestamp
    total: int
    recorded: int
    matching: int
    def __init__(self, requests: _Optional[_Iterable[_Union[_request_pb2.EngineRequest, _Mapping]]] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., total: _Optional[int] = ..., recorded: _Optional[int] = ..., matching: _Optional[int] = ...) -> None: ...
