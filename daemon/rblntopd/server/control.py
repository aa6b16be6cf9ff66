"""The Control service: each call is carried out in a module of its own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeAlias, TypeVar

import grpc

from rblntop_api.v1 import control_pb2
from rblntopd.audit.caller import Caller
from rblntopd.engines.ring_file import RingFileError
from rblntopd.server import tls
from rblntopd.server.admission_calls import close, open_again
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.errors import RequestError, abort, as_request_error
from rblntopd.server.identity import Identities
from rblntopd.server.list_changes import list_changes
from rblntopd.server.reset_call import reset
from rblntopd.server.set_limits import set_limits
from rblntopd.server.trial_calls import cancel, confirm

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_T = TypeVar("_T")


class ControlService:
    """Finds out who calls, and puts errors into the API's terms."""

    def __init__(self, desk: ControlDesk, identities: Identities) -> None:
        self._desk = desk
        self._identities = identities

    async def SetLimits(  # noqa: N802 - the name in the proto
        self, request: control_pb2.SetLimitsRequest, context: Context
    ) -> control_pb2.SetLimitsResponse:
        """Change limits, together or not at all."""
        return await _answered(context, set_limits(self._desk, request, self._caller(context)))

    async def ConfirmChange(  # noqa: N802
        self, request: control_pb2.ConfirmChangeRequest, context: Context
    ) -> control_pb2.ConfirmChangeResponse:
        """Keep the change on trial, or give it more time."""
        engines = await _answered(context, confirm(self._desk, request, self._caller(context)))
        return control_pb2.ConfirmChangeResponse(engines=engines)

    async def CancelChange(  # noqa: N802
        self, request: control_pb2.CancelChangeRequest, context: Context
    ) -> control_pb2.CancelChangeResponse:
        """Undo the change on trial."""
        engines = await _answered(context, cancel(self._desk, request, self._caller(context)))
        return control_pb2.CancelChangeResponse(engines=engines)

    async def ResetLimits(  # noqa: N802
        self, request: control_pb2.ResetLimitsRequest, context: Context
    ) -> control_pb2.ResetLimitsResponse:
        """Put all limits back to what the engine was started with."""
        engines = await _answered(context, reset(self._desk, request, self._caller(context)))
        return control_pb2.ResetLimitsResponse(engines=engines)

    async def CloseAdmission(  # noqa: N802
        self, request: control_pb2.CloseAdmissionRequest, context: Context
    ) -> control_pb2.CloseAdmissionResponse:
        """Admit no waiting request any more."""
        engines = await _answered(context, close(self._desk, request, self._caller(context)))
        return control_pb2.CloseAdmissionResponse(engines=engines)

    async def OpenAdmission(  # noqa: N802
        self, request: control_pb2.OpenAdmissionRequest, context: Context
    ) -> control_pb2.OpenAdmissionResponse:
        """Admit waiting requests again."""
        engines = await _answered(context, open_again(self._desk, request, self._caller(context)))
        return control_pb2.OpenAdmissionResponse(engines=engines)

    async def ListChanges(  # noqa: N802
        self, request: control_pb2.ListChangesRequest, context: Context
    ) -> control_pb2.ListChangesResponse:
        """Read the audit log."""
        return await _answered(context, list_changes(self._desk.audit, request))

    def _caller(self, context: Context) -> Caller:
        return tls.caller(context) or self._identities.caller(context.invocation_metadata())


async def _answered(context: Context, call: Awaitable[_T]) -> _T:
    try:
        return await call
    except RequestError as error:
        await abort(context, error)
    except RingFileError as error:
        await abort(context, as_request_error(error))
