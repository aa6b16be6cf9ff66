"""The Control service: changes limits, and tells how far a change has come."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import grpc

from rblntop_api.v1 import control_pb2, limits_pb2
from rblntopd.engines.control_link import ControlLinkError, ask, set_limits_request
from rblntopd.engines.description import Control
from rblntopd.engines.engine import Engine
from rblntopd.engines.limits import LimitKind, Limits
from rblntopd.engines.registry import EngineLookupError, Registry
from rblntopd.engines.ring_file import RingFileError
from rblntopd.probe.control_format import Answer, Status
from rblntopd.server.errors import Reason, RequestError, abort, as_request_error, invalid_field
from rblntopd.server.limits_message import limits_message
from rblntopd.server.phases import PHASES, Phase, Progress, wait_for

DEFAULT_TIMEOUT_S = 5.0
MAX_TIMEOUT_S = 3600.0
#: The probe answers within a step's scheduling; this is for an engine that hangs.
ANSWER_TIMEOUT_S = 5.0

_KIND_NAMES = {
    limits_pb2.LIMIT_KIND_MAX_NUM_SEQS: LimitKind.MAX_NUM_SEQS,
    limits_pb2.LIMIT_KIND_GROUP_CAP: LimitKind.GROUP_CAP,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What a valid request asks for."""

    max_num_seqs: int | None
    group_caps: dict[int, int]


class ControlService:
    """Checks a request against what the engine shows, and asks its probe."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def SetLimits(  # noqa: N802 - the name in the proto
        self,
        request: control_pb2.SetLimitsRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> control_pb2.SetLimitsResponse:
        """Change limits of one engine, together or not at all."""
        try:
            return await self._set_limits(request)
        except RequestError as error:
            await abort(context, error)
        except RingFileError as error:
            await abort(context, as_request_error(error))

    async def _set_limits(self, request: control_pb2.SetLimitsRequest) -> control_pb2.SetLimitsResponse:
        engine = self._find(request.engine)
        wanted = _phase(request.wait_for)
        timeout_s = _timeout_s(request)
        limits = engine.limits()
        if not engine.check_alive():
            raise _gone(engine)
        change = read_change(request, engine, limits)
        answer = await self._ask(engine, change)
        progress = await wait_for(engine, answer.generation, answer.step, wanted, timeout_s)
        if not engine.check_alive() and progress.phase is not wanted:
            raise RequestError(
                Reason.ENGINE_GONE,
                f"engine {engine.name} died after it accepted the change",
                engine=engine.name,
            )
        return _response(engine, answer, progress)

    async def _ask(self, engine: Engine, change: Change) -> Answer:
        path = engine.reader.path.with_name(engine.description.control_socket)
        try:
            request = set_limits_request(
                change.max_num_seqs, change.group_caps, caller=f"rblntopd {os.getpid()}"
            )
            answer = await ask(path, request, ANSWER_TIMEOUT_S)
        except ControlLinkError as error:
            if not engine.check_alive():
                raise _gone(engine) from error
            if error.version:
                raise RequestError(
                    Reason.PROBE_VERSION, f"engine {engine.name}: {error}", engine=engine.name
                ) from error
            hint = ": the change may still come, look at the generation" if error.timed_out else ""
            raise RequestError(
                Reason.ENGINE_SILENT,
                f"engine {engine.name} does not answer: {error}{hint}",
                engine=engine.name,
            ) from error
        if answer.status != Status.OK:
            raise _refusal(engine, answer)
        return answer

    def _find(self, wanted: str) -> Engine:
        self._registry.scan()
        try:
            return self._registry.find(wanted)
        except EngineLookupError as error:
            raise as_request_error(error) from error


def read_change(request: control_pb2.SetLimitsRequest, engine: Engine, limits: Limits | None) -> Change:
    """The change that ``request`` asks for, checked against the ranges that the engine shows.

    Raises:
        RequestError: a field is invalid, or the engine has no such control.
    """
    if not request.changes:
        raise invalid_field("changes", "(empty)", "at least one change")
    max_num_seqs: int | None = None
    group_caps: dict[int, int] = {}
    groups = engine.description.group_count
    for number, change in enumerate(request.changes):
        field = f"changes[{number}]"
        kind = _KIND_NAMES.get(change.kind)
        if kind is None:
            allowed = "LIMIT_KIND_MAX_NUM_SEQS or LIMIT_KIND_GROUP_CAP"
            raise invalid_field(f"{field}.kind", change.kind, allowed)
        _check_scope(field, kind, change, groups)
        _check_available(engine, kind)
        _check_range(field, kind, change.group, change.value, limits)
        if kind is LimitKind.MAX_NUM_SEQS:
            if max_num_seqs is not None:
                raise invalid_field(field, "max_num_seqs", "one change of each limit")
            max_num_seqs = change.value
        else:
            if change.group in group_caps:
                raise invalid_field(field, f"group_cap of group {change.group}", "one change of each limit")
            group_caps[change.group] = change.value
    return Change(max_num_seqs, group_caps)


def _check_scope(field: str, kind: LimitKind, change: control_pb2.LimitChange, groups: int) -> None:
    if kind is LimitKind.MAX_NUM_SEQS:
        if change.scope == limits_pb2.LIMIT_SCOPE_GROUP:
            raise invalid_field(
                f"{field}.scope", "LIMIT_SCOPE_GROUP", "LIMIT_SCOPE_ENGINE: this engine has one scheduler"
            )
        if change.HasField("group"):
            raise invalid_field(f"{field}.group", change.group, "no group: max_num_seqs is of the engine")
        return
    if change.scope == limits_pb2.LIMIT_SCOPE_ENGINE:
        raise invalid_field(f"{field}.scope", "LIMIT_SCOPE_ENGINE", "LIMIT_SCOPE_GROUP for a group cap")
    if not change.HasField("group"):
        raise invalid_field(f"{field}.group", "(absent)", f"0..{groups - 1}")
    if change.group >= groups:
        raise invalid_field(f"{field}.group", change.group, f"0..{groups - 1}")


def _check_available(engine: Engine, kind: LimitKind) -> None:
    description = engine.description
    control: Control = (
        description.max_num_seqs_control if kind is LimitKind.MAX_NUM_SEQS else description.group_cap_control
    )
    reason = control.reason
    if control.available and not description.control_socket:
        reason = "the engine has no control socket"
    if reason:
        raise RequestError(
            Reason.CONTROL_UNAVAILABLE,
            f"{kind.value} of engine {engine.name} cannot be changed: {reason}",
            engine=engine.name,
            limit=kind.value,
        )


def _check_range(field: str, kind: LimitKind, group: int, value: int, limits: Limits | None) -> None:
    for limit in limits.limits if limits else ():
        if limit.kind is not kind or limit.group not in (None, group):
            continue
        if not limit.floor <= value <= limit.ceiling:
            what = kind.value if limit.group is None else f"{kind.value} of group {group}"
            raise invalid_field(f"{field}.value ({what})", value, f"{limit.floor}..{limit.ceiling}")
    if value < 1:
        raise invalid_field(f"{field}.value", value, "1 or more")


def _phase(asked: int) -> Phase:
    if asked == control_pb2.CHANGE_PHASE_UNSPECIFIED:
        return Phase.ACCEPTED
    for phase, number in PHASES.items():
        if number == asked:
            return phase
    names = ", ".join(control_pb2.ChangePhase.Name(number) for number in PHASES.values())
    raise invalid_field("wait_for", asked, names)


def _timeout_s(request: control_pb2.SetLimitsRequest) -> float:
    if not request.HasField("wait_timeout"):
        return DEFAULT_TIMEOUT_S
    timeout_s = request.wait_timeout.seconds + request.wait_timeout.nanos / 1e9
    if not 0 <= timeout_s <= MAX_TIMEOUT_S:
        raise invalid_field("wait_timeout", f"{timeout_s:g} s", f"0 s..{MAX_TIMEOUT_S:g} s")
    return float(timeout_s)


def _gone(engine: Engine) -> RequestError:
    text = f"engine {engine.name} ({engine.instance_id}) is gone"
    return RequestError(Reason.ENGINE_GONE, text, engine=engine.name)


def _refusal(engine: Engine, answer: Answer) -> RequestError:
    reasons = {
        Status.INVALID: Reason.INVALID_FIELD,
        Status.UNAVAILABLE: Reason.CONTROL_UNAVAILABLE,
        Status.DENIED: Reason.PROBE_DENIED,
    }
    reason = reasons.get(answer.status, Reason.PROBE_VERSION)  # type: ignore[call-overload]
    return RequestError(
        reason, f"engine {engine.name} refused: {answer.text or 'it gave no reason'}", engine=engine.name
    )


def _response(engine: Engine, answer: Answer, progress: Progress) -> control_pb2.SetLimitsResponse:
    change = control_pb2.EngineChange(
        engine=engine.name,
        instance_id=engine.instance_id,
        generation=answer.generation,
        phase=PHASES[progress.phase],
        limits=limits_message(progress.limits) if progress.limits else None,
        warnings=[line for line in answer.text.splitlines() if line],
        waiting_because=progress.waiting_because,
    )
    return control_pb2.SetLimitsResponse(engines=[change])
