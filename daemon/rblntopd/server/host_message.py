"""The host and an engine's processes as a message."""

from __future__ import annotations

from rblntop_api.v1 import host_pb2
from rblntopd.devices.host import HostUsage, Role

_ROLES = {
    Role.OTHER: host_pb2.PROCESS_ROLE_UNSPECIFIED,
    Role.API_SERVER: host_pb2.PROCESS_ROLE_API_SERVER,
    Role.ENGINE_CORE: host_pb2.PROCESS_ROLE_ENGINE_CORE,
    Role.WORKER: host_pb2.PROCESS_ROLE_WORKER,
}


def host_message(host: HostUsage, instance_id: str) -> host_pb2.HostUsage:
    """The host, with the processes of one engine."""
    return host_pb2.HostUsage(
        cpu_ratio=host.cpu_ratio,
        cpu_count=host.cpu_count,
        memory_total_bytes=host.memory_total_bytes,
        memory_used_bytes=host.memory_used_bytes,
        processes=[
            host_pb2.ProcessUsage(
                pid=process.pid,
                role=_ROLES[process.role],
                rank=process.rank,
                cpu_ratio=process.cpu_ratio,
                memory_bytes=process.memory_bytes,
                threads=process.threads,
            )
            for process in host.processes.get(instance_id, ())
        ],
    )
