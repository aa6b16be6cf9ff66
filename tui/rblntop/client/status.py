"""Turns a grpc status into one of our errors."""

from __future__ import annotations

import grpc
import grpc.aio

from rblntop.client.address import Address
from rblntop.client.errors import ClientError, EngineNotFoundError, RefusedError, UnreachableError

DOMAIN = "rblntop"

_TRANSPORT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


def error_from_rpc(error: grpc.aio.AioRpcError, address: Address) -> ClientError:
    """The error that a failed call means.

    UNAVAILABLE from the transport means that the daemon is away; with an ErrorInfo of ours it is the
    daemon's own word that an engine does not answer.
    """
    reason, metadata = _error_info(error)
    code = error.code()
    message = error.details() or ""
    if not reason and code in _TRANSPORT:
        cause = "it did not answer in time" if code is grpc.StatusCode.DEADLINE_EXCEEDED else message
        return UnreachableError(str(address), cause or "the connection was closed")
    if code is grpc.StatusCode.UNIMPLEMENTED:
        message = f"the daemon at {address} is too old for this: {message}"
    kind = EngineNotFoundError if code is grpc.StatusCode.NOT_FOUND else RefusedError
    return kind(message or code.name, code=code.name, reason=reason, metadata=metadata)


def _error_info(error: grpc.aio.AioRpcError) -> tuple[str, dict[str, str]]:
    from google.rpc import error_details_pb2
    from grpc_status import rpc_status

    try:
        status = rpc_status.from_call(error)
    except ValueError:
        # The details contradict the code: not written by our daemon.
        return "", {}
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            return info.reason, dict(info.metadata)
    return "", {}
