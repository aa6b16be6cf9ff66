"""Errors with google.rpc details: a reason that programs can tell apart, and a text for the person."""

from __future__ import annotations

import enum
import string
from typing import Any, NoReturn
from urllib.parse import quote

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from rblntopd.engines.registry import EngineLookupError
from rblntopd.engines.ring_file import RingFileError

DOMAIN = "rblntop"


#: An error travels in HTTP/2 headers, of which a client takes 8 KB: a longer one would not come at all.
MAX_TEXT_BYTES = 1500
MAX_VALUE_BYTES = 700


class Reason(enum.Enum):
    """Every ``ErrorInfo.reason`` there is."""

    ENGINE_NOT_FOUND = "ENGINE_NOT_FOUND"
    ENGINE_AMBIGUOUS = "ENGINE_AMBIGUOUS"
    INVALID_FIELD = "INVALID_FIELD"
    """A field has a value that is not allowed; ``field``, ``value`` and ``allowed`` are in the metadata."""
    CONTROL_UNAVAILABLE = "CONTROL_UNAVAILABLE"
    """This engine has no such control."""
    REQUESTS_UNAVAILABLE = "REQUESTS_UNAVAILABLE"
    """This engine cannot show its requests; the text says why."""
    ENGINE_GONE = "ENGINE_GONE"
    ENGINE_SILENT = "ENGINE_SILENT"
    """The engine lives and did not answer in time."""
    PROBE_DENIED = "PROBE_DENIED"
    PROBE_VERSION = "PROBE_VERSION"
    """The probe speaks another version of the control protocol."""
    RING_UNREADABLE = "RING_UNREADABLE"
    GENERATION_MISMATCH = "GENERATION_MISMATCH"
    """The limits have moved on; ``generation`` in the metadata is the current one."""
    TRIAL_PENDING = "TRIAL_PENDING"
    """A change is on trial, whose ``change_id`` is in the metadata: keep it or undo it first."""
    NO_TRIAL = "NO_TRIAL"
    WRONG_ID = "WRONG_ID"
    """Another change is on trial; its ``change_id`` is in the metadata."""
    REFUSED = "REFUSED"
    """Something else stands in the way; the text says what."""
    AUDIT_LOG_UNREADABLE = "AUDIT_LOG_UNREADABLE"
    AUDIT_LOG_UNWRITABLE = "AUDIT_LOG_UNWRITABLE"
    """Nobody could tell later who did it, so it was not done. What makes an engine safer still is."""


_CODES = {
    Reason.ENGINE_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Reason.ENGINE_AMBIGUOUS: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.INVALID_FIELD: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.CONTROL_UNAVAILABLE: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.REQUESTS_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.ENGINE_GONE: grpc.StatusCode.UNAVAILABLE,
    Reason.ENGINE_SILENT: grpc.StatusCode.UNAVAILABLE,
    Reason.PROBE_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Reason.PROBE_VERSION: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.RING_UNREADABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.GENERATION_MISMATCH: grpc.StatusCode.ABORTED,
    Reason.TRIAL_PENDING: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.NO_TRIAL: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.WRONG_ID: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.AUDIT_LOG_UNREADABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.AUDIT_LOG_UNWRITABLE: grpc.StatusCode.FAILED_PRECONDITION,
}


class RequestError(Exception):
    """A call that is refused or failed."""

    def __init__(self, reason: Reason, text: str, **metadata: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.metadata = metadata
        self.logged = False
        """Whether the audit log tells of it."""


def invalid_field(field: str, value: object, allowed: str) -> RequestError:
    """A value of a request that is not allowed."""
    text = f"{field}={value}: allowed is {allowed}"
    return RequestError(Reason.INVALID_FIELD, text, field=field, value=str(value), allowed=allowed)


def as_request_error(error: EngineLookupError | RingFileError) -> RequestError:
    """An error of the engine side in the API's terms."""
    if isinstance(error, RingFileError):
        return RequestError(Reason.RING_UNREADABLE, str(error))
    reason = Reason.ENGINE_AMBIGUOUS if error.ambiguous else Reason.ENGINE_NOT_FOUND
    return RequestError(reason, str(error), engines=",".join(error.known))


def _cut(text: str, size: int) -> str:
    """``text`` in at most ``size`` bytes of those that a header takes: what is not ASCII takes more."""
    raw = text.encode(errors="replace")
    if len(raw) <= size and len(quote(text, safe=string.punctuation + " ")) <= 2 * size:
        return text
    ascii_only = raw.decode(errors="replace").encode("ascii", "replace").decode()
    return ascii_only if len(ascii_only) <= size else ascii_only[: size - 3] + "..."


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: RequestError) -> NoReturn:
    """End the call with ``error``; the ErrorInfo travels in ``grpc-status-details-bin``."""
    detail = any_pb2.Any()
    metadata = {key: _cut(value, MAX_VALUE_BYTES) for key, value in error.metadata.items()}
    detail.Pack(error_details_pb2.ErrorInfo(reason=error.reason.value, domain=DOMAIN, metadata=metadata))
    code = _CODES[error.reason]
    text = _cut(error.text, MAX_TEXT_BYTES)
    status = rpc_status.to_status(status_pb2.Status(code=code.value[0], message=text, details=[detail]))
    await context.abort(status.code, status.details, status.trailing_metadata)
    raise AssertionError("abort() always raises")
