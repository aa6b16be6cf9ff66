"""Turns a grpc status into one of our errors."""

from __future__ import annotations

import errno
import os

import grpc

from rblntop.client.address import Address
from rblntop.client.errors import (
    NOT_ALLOWED,
    NOT_TAKEN,
    ClientError,
    EngineNotFoundError,
    RefusedError,
    UnreachableError,
)

DOMAIN = "rblntop"

_TRANSPORT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


def error_from_rpc(error: grpc.RpcError, address: Address) -> ClientError:
    """The error that a failed call means.

    UNAVAILABLE from the transport means that the daemon is away; with an ErrorInfo of ours it is the
    daemon's own word that an engine does not answer.
    """
    reason, metadata = _error_info(error)
    code = error.code()
    message = error.details() or ""
    if not reason and code in _TRANSPORT:
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return UnreachableError(str(address), "it did not answer in time", timed_out=True)
        cause = _cause(message)
        hint = NOT_ALLOWED if cause == os.strerror(errno.EACCES) else NOT_TAKEN if address.tls else None
        return UnreachableError(str(address), cause, hint=hint)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        message = f"the daemon at {address} is too old for this: {message}"
    kind = EngineNotFoundError if code is grpc.StatusCode.NOT_FOUND else RefusedError
    return kind(message or code.name, code=code.name, reason=reason, metadata=metadata)


def _cause(message: str) -> str:
    """What the transport says, without grpc's way to it: the system's words where it ends in them."""
    if not message or "Socket closed" in message:
        return "the connection was closed"
    causes = (os.strerror(number) for number in errno.errorcode)
    return next((cause for cause in causes if message.endswith(cause)), message)


def _error_info(error: grpc.RpcError) -> tuple[str, dict[str, str]]:
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
