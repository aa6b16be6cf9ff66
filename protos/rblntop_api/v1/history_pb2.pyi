from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HistoryColumn(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HISTORY_COLUMN_UNSPECIFIED: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_OUTPUT_TOKENS_PER_SECOND: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_PREFILL_TOKENS_PER_SECOND: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_RUNNING: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_RUNNING_MAX: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_WAITING: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_WAITING_MAX: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_DECODE_PAD_RATIO: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_PREFILL_STALL_RATIO: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_QUEUE_OCCUPANCY_RATIO: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_KV_USAGE_RATIO: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_KV_USAGE_RATIO_MAX: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_TOKEN_GAP_P50_SECONDS: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_TOKEN_GAP_P99_SECONDS: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_MAX_SEQ_LEN: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_PREEMPTED: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_COVERED_SECONDS: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_GROUP_RUNNING: _ClassVar[HistoryColumn]
    HISTORY_COLUMN_GROUP_MEAN_DECODE_BATCH: _ClassVar[HistoryColumn]
HISTORY_COLUMN_UNSPECIFIED: HistoryColumn
HISTORY_COLUMN_OUTPUT_TOKENS_PER_SECOND: HistoryColumn
HISTORY_COLUMN_PREFILL_TOKENS_PER_SECOND: HistoryColumn
HISTORY_COLUMN_RUNNING: HistoryColumn
HISTORY_COLUMN_RUNNING_MAX: HistoryColumn
HISTORY_COLUMN_WAITING: HistoryColumn
HISTORY_COLUMN_WAITING_MAX: HistoryColumn
HISTORY_COLUMN_DECODE_PAD_RATIO: HistoryColumn
HISTORY_COLUMN_PREFILL_STALL_RATIO: HistoryColumn
HISTORY_COLUMN_QUEUE_OCCUPANCY_RATIO: HistoryColumn
HISTORY_COLUMN_KV_USAGE_RATIO: HistoryColumn
HISTORY_COLUMN_KV_USAGE_RATIO_MAX: HistoryColumn
HISTORY_COLUMN_TOKEN_GAP_P50_SECONDS: HistoryColumn
HISTORY_COLUMN_TOKEN_GAP_P99_SECONDS: HistoryColumn
HISTORY_COLUMN_MAX_SEQ_LEN: HistoryColumn
HISTORY_COLUMN_PREEMPTED: HistoryColumn
HISTORY_COLUMN_COVERED_SECONDS: HistoryColumn
HISTORY_COLUMN_GROUP_RUNNING: HistoryColumn
HISTORY_COLUMN_GROUP_MEAN_DECODE_BATCH: HistoryColumn

class HistorySeries(_message.Message):
    __slots__ = ("column", "group", "values")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    column: HistoryColumn
    group: int
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, column: _Optional[_Union[HistoryColumn, str]] = ..., group: _Optional[int] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class HistoryRestart(_message.Message):
    __slots__ = ("time", "instance_id")
    TIME_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    instance_id: str
    def __init__(self, time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., instance_id: _Optional[str] = ...) -> None: ...
