from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EngineState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENGINE_STATE_UNSPECIFIED: _ClassVar[EngineState]
    ENGINE_STATE_STARTING: _ClassVar[EngineState]
    ENGINE_STATE_IDLE: _ClassVar[EngineState]
    ENGINE_STATE_SERVING: _ClassVar[EngineState]
    ENGINE_STATE_STALLED: _ClassVar[EngineState]
    ENGINE_STATE_CLOSED: _ClassVar[EngineState]
    ENGINE_STATE_GONE: _ClassVar[EngineState]
ENGINE_STATE_UNSPECIFIED: EngineState
ENGINE_STATE_STARTING: EngineState
ENGINE_STATE_IDLE: EngineState
ENGINE_STATE_SERVING: EngineState
ENGINE_STATE_STALLED: EngineState
ENGINE_STATE_CLOSED: EngineState
ENGINE_STATE_GONE: EngineState

class Engine(_message.Message):
    __slots__ = ("name", "instance_id", "state", "pid", "started_at", "model", "vllm_version", "vllm_rbln_version", "probe_version", "scheduler_class", "pp_size", "tp_size", "dp_size", "dp_rank", "batch_queue_depth", "group_count", "max_num_seqs", "max_num_batched_tokens", "max_model_len", "block_size", "num_blocks", "decode_buckets", "simulated", "padding_is_local", "restarts", "notice")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VLLM_VERSION_FIELD_NUMBER: _ClassVar[int]
    VLLM_RBLN_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROBE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SCHEDULER_CLASS_FIELD_NUMBER: _ClassVar[int]
    PP_SIZE_FIELD_NUMBER: _ClassVar[int]
    TP_SIZE_FIELD_NUMBER: _ClassVar[int]
    DP_SIZE_FIELD_NUMBER: _ClassVar[int]
    DP_RANK_FIELD_NUMBER: _ClassVar[int]
    BATCH_QUEUE_DEPTH_FIELD_NUMBER: _ClassVar[int]
    GROUP_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_NUM_SEQS_FIELD_NUMBER: _ClassVar[int]
    MAX_NUM_BATCHED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_MODEL_LEN_FIELD_NUMBER: _ClassVar[int]
    BLOCK_SIZE_FIELD_NUMBER: _ClassVar[int]
    NUM_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    DECODE_BUCKETS_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    PADDING_IS_LOCAL_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    name: str
    instance_id: str
    state: EngineState
    pid: int
    started_at: _timestamp_pb2.Timestamp
    model: str
    vllm_version: str
    vllm_rbln_version: str
    probe_version: str
    scheduler_class: str
    pp_size: int
    tp_size: int
    dp_size: int
    dp_rank: int
    batch_queue_depth: int
    group_count: int
    max_num_seqs: int
    max_num_batched_tokens: int
    max_model_len: int
    block_size: int
    num_blocks: int
    decode_buckets: _containers.RepeatedScalarFieldContainer[int]
    simulated: bool
    padding_is_local: bool
    restarts: int
    notice: str
    def __init__(self, name: _Optional[str] = ..., instance_id: _Optional[str] = ..., state: _Optional[_Union[EngineState, str]] = ..., pid: _Optional[int] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., model: _Optional[str] = ..., vllm_version: _Optional[str] = ..., vllm_rbln_version: _Optional[str] = ..., probe_version: _Optional[str] = ..., scheduler_class: _Optional[str] = ..., pp_size: _Optional[int] = ..., tp_size: _Optional[int] = ..., dp_size: _Optional[int] = ..., dp_rank: _Optional[int] = ..., batch_queue_depth: _Optional[int] = ..., group_count: _Optional[int] = ..., max_num_seqs: _Optional[int] = ..., max_num_batched_tokens: _Optional[int] = ..., max_model_len: _Optional[int] = ..., block_size: _Optional[int] = ..., num_blocks: _Optional[int] = ..., decode_buckets: _Optional[_Iterable[int]] = ..., simulated: bool = ..., padding_is_local: bool = ..., restarts: _Optional[int] = ..., notice: _Optional[str] = ...) -> None: ...
