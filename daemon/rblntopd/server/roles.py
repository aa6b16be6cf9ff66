"""Who may call what. A method that nobody listed for a role is refused: a new one starts closed."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

from rblntopd.server.errors import Reason, RequestError, abort

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Role(enum.Enum):
    """What a caller may do."""

    VIEWER = "viewer"
    """Look."""
    OPERATOR = "operator"
    """Look, and change."""


_ANYBODY = (
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
_LOOK = (
    "/rblntop.v1.Telemetry/ListEngines",
    "/rblntop.v1.Telemetry/GetSnapshot",
    "/rblntop.v1.Telemetry/WatchSnapshots",
    "/rblntop.v1.Telemetry/WatchSteps",
    "/rblntop.v1.Telemetry/GetHistory",
    "/rblntop.v1.Telemetry/WatchEvents",
    "/rblntop.v1.Telemetry/ListRequests",
)
_CHANGE = (
    "/rblntop.v1.Control/SetLimits",
    "/rblntop.v1.Control/ConfirmChange",
    "/rblntop.v1.Control/CancelChange",
    "/rblntop.v1.Control/ResetLimits",
    "/rblntop.v1.Control/CloseAdmission",
    "/rblntop.v1.Control/OpenAdmission",
    "/rblntop.v1.Control/ListChanges",
)
#: Every method that anybody may call, as gRPC names it.
METHODS = {
    Role.VIEWER: frozenset(_ANYBODY + _LOOK),
    Role.OPERATOR: frozenset(_ANYBODY + _LOOK + _CHANGE),
}


@dataclass(frozen=True, slots=True)
class Pass:
    """What a caller came with."""

    role: Role | None
    """None: nothing may be called."""
    through: str
    """What gave the role, for the refusal: ``the viewers' socket``."""


class RoleGate(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Stands before every method of a server, those of health and reflection included."""

    def __init__(self, shown: Callable[[Context], Pass]) -> None:
        """Refuse by what ``shown`` says of the call."""
        self._shown = shown
        self._gated: dict[str, tuple[Any, Any]] = {}

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], call: grpc.HandlerCallDetails
    ) -> Any:
        """The handler behind the gate; None where there is no such method, which gRPC tells the caller."""
        handler = await continuation(call)
        if handler is None:
            return None
        known, gated = self._gated.get(call.method, (None, None))
        if known is not handler:
            gated = self._behind_gate(call.method, handler)
            self._gated[call.method] = (handler, gated)
        return gated

    def _behind_gate(self, method: str, handler: Any) -> Any:
        kind = f"{_arity(handler.request_streaming)}_{_arity(handler.response_streaming)}"
        behaviour = getattr(handler, kind)

        async def answer(request: Any, context: Context) -> Any:
            await self._check(method, context)
            return await behaviour(request, context)

        async def stream(request: Any, context: Context) -> None:
            await self._check(method, context)
            if not inspect.isasyncgenfunction(behaviour):
                await behaviour(request, context)
                return
            async for message in behaviour(request, context):
                await context.write(message)

        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(
            stream if handler.response_streaming else answer,
            handler.request_deserializer,
            handler.response_serializer,
        )

    async def _check(self, method: str, context: Context) -> None:
        shown = self._shown(context)
        if shown.role is None or method not in METHODS[shown.role]:
            await abort(context, denied(method, shown))


def denied(method: str, shown: Pass) -> RequestError:
    """The refusal of a call."""
    needed = next((role.value for role, methods in METHODS.items() if method in methods), None)
    name = method.removeprefix("/").removeprefix("rblntop.v1.")
    has = f"{shown.through} gives {shown.role.value if shown.role else 'none'}"
    text = f"{name} needs the role {needed}: {has}" if needed else f"{name} is open to no role"
    role = shown.role.value if shown.role else ""
    return RequestError(Reason.ROLE_DENIED, text, method=name, role=role, needed=needed or "")


def _arity(streaming: bool) -> str:
    return "stream" if streaming else "unary"
