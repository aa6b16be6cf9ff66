from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProcessRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROCESS_ROLE_UNSPECIFIED: _ClassVar[ProcessRole]
    PROCESS_ROLE_API_SERVER: _ClassVar[ProcessRole]
    PROCESS_ROLE_ENGINE_CORE: _ClassVar[ProcessRole]
    PROCESS_ROLE_WORKER: _ClassVar[ProcessRole]
PROCESS_ROLE_UNSPECIFIED: ProcessRole
PROCESS_ROLE_API_SERVER: ProcessRole
PROCESS_ROLE_ENGINE_CORE: ProcessRole
PROCESS_ROLE_WORKER: ProcessRole

class ProcessUsage(_message.Message):
    __slots__ = ("pid", "role", "rank", "cpu_ratio", "memory_bytes", "threads")
    PID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    CPU_RATIO_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    pid: int
    role: ProcessRole
    rank: str
    cpu_ratio: float
    memory_bytes: int
    threads: int
    def __init__(self, pid: _Optional[int] = ..., role: _Optional[_Union[ProcessRole, str]] = ..., rank: _Optional[str] = ..., cpu_ratio: _Optional[float] = ..., memory_bytes: _Optional[int] = ..., threads: _Optional[int] = ...) -> None: ...

class HostUsage(_message.Message):
    __slots__ = ("cpu_ratio", "cpu_count", "memory_total_bytes", "memory_used_bytes", "processes")
    CPU_RATIO_FIELD_NUMBER: _ClassVar[int]
    CPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROCESSES_FIELD_NUMBER: _ClassVar[int]
    cpu_ratio: float
    cpu_count: int
    memory_total_bytes: int
    memory_used_bytes: int
    processes: _containers.RepeatedCompositeFieldContainer[ProcessUsage]
    def __init__(self, cpu_ratio: _Optional[float] = ..., cpu_count: _Optional[int] = ..., memory_total_bytes: _Optional[int] = ..., memory_used_bytes: _Optional[int] = ..., processes: _Optional[_Iterable[_Union[ProcessUsage, _Mapping]]] = ...) -> None: ...
