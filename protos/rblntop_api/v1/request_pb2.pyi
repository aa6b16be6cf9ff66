from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RequestState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REQUEST_STATE_UNSPECIFIED: _ClassVar[RequestState]
    REQUEST_STATE_WAITING: _ClassVar[RequestState]
    REQUEST_STATE_RUNNING: _ClassVar[RequestState]
    REQUEST_STATE_PREEMPTED: _ClassVar[RequestState]
    REQUEST_STATE_HELD: _ClassVar[RequestState]
    REQUEST_STATE_REMOTE_KV: _ClassVar[RequestState]

class RequestOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REQUEST_ORDER_UNSPECIFIED: _ClassVar[RequestOrder]
    REQUEST_ORDER_AGE: _ClassVar[RequestOrder]
    REQUEST_ORDER_WAIT: _ClassVar[RequestOrder]
    REQUEST_ORDER_PROMPT_TOKENS: _ClassVar[RequestOrder]
    REQUEST_ORDER_OUTPUT_TOKENS: _ClassVar[RequestOrder]
    REQUEST_ORDER_GROUP: _ClassVar[RequestOrder]
REQUEST_STATE_UNSPECIFIED: RequestState
REQUEST_STATE_WAITING: RequestState
REQUEST_STATE_RUNNING: RequestState
REQUEST_STATE_PREEMPTED: RequestState
REQUEST_STATE_HELD: RequestState
REQUEST_STATE_REMOTE_KV: RequestState
REQUEST_ORDER_UNSPECIFIED: RequestOrder
REQUEST_ORDER_AGE: RequestOrder
REQUEST_ORDER_WAIT: RequestOrder
REQUEST_ORDER_PROMPT_TOKENS: RequestOrder
REQUEST_ORDER_OUTPUT_TOKENS: RequestOrder
REQUEST_ORDER_GROUP: RequestOrder

class EngineRequest(_message.Message):
    __slots__ = ("id", "state", "group", "prompt_tokens", "output_tokens", "computed_tokens", "preemptions", "age_seconds", "wait_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPUTED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PREEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: str
    state: RequestState
    group: int
    prompt_tokens: int
    output_tokens: int
    computed_tokens: int
    preemptions: int
    age_seconds: float
    wait_seconds: float
    def __init__(self, id: _Optional[str] = ..., state: _Optional[_Union[RequestState, str]] = ..., group: _Optional[int] = ..., prompt_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., computed_tokens: _Optional[int] = ..., preemptions: _Optional[int] = ..., age_seconds: _Optional[float] = ..., wait_seconds: _Optional[float] = ...) -> None: ...
