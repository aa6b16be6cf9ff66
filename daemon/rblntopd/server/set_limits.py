"""SetLimits: validate, put on trial or set, and wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rblntop_api.v1 import control_pb2, limits_pb2
from rblntopd.audit.caller import Caller
from rblntopd.engines.control_link import set_limits_request
from rblntopd.engines.engine import Engine
from rblntopd.engines.prediction import Moment, Prediction, after_change
from rblntopd.probe.control_format import Answer, Op, Request
from rblntopd.probe.limits import LimitChange, LimitError
from rblntopd.probe.ring_format import Action
from rblntopd.server import request_fields as fields
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.engine_change import Outlook, changed, would_change
from rblntopd.server.errors import Reason, RequestError
from rblntopd.server.limit_request import asked_values, read_change
from rblntopd.server.orders import Order, asked_at
from rblntopd.server.outlook import limits_outlook
from rblntopd.server.phases import Phase, Progress, wait_for
from rblntopd.server.several import KEEP_WITHIN_MS

_MODES = {
    limits_pb2.LIMIT_MODE_UNSPECIFIED: "",
    limits_pb2.LIMIT_MODE_DRAIN: "DRAIN",
    limits_pb2.LIMIT_MODE_HOLD: "HOLD",
}


@dataclass(frozen=True, slots=True)
class _Fields:
    """The checked fields that are the same for every engine."""

    reason: str
    change_id: str
    """Empty: nobody needs one."""
    ttl_ms: int
    """0: it is to be kept."""
    wanted: Phase
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Planned:
    order: Order
    change: LimitChange


async def set_limits(
    desk: ControlDesk, request: control_pb2.SetLimitsRequest, caller: Caller
) -> control_pb2.SetLimitsResponse:
    """Carry the request out.

    Raises:
        RequestError: nothing was changed, or the engine did not say whether it was.
        RingFileError: a ring cannot be read any more.
    """
    engines = desk.engines(request.engine)
    orders: list[Order] = [
        Order(engine, _action(request), Request(Op.SET_LIMITS, 0), caller) for engine in engines
    ]
    try:
        given = _read_fields(request)
        desk.several.check_free(given.change_id)
        _must_be_expected(request, engines)
        planned = [_plan(request, given, engine, caller) for engine in engines]
        orders = [plan.order for plan in planned]
        await desk.registry.refresh(engines)
        outlooks = [_outlook(plan, given) for plan in planned]
        if request.validate_only:
            answers = await asyncio.gather(*map(desk.orders.validate, orders))
            shown = map(would_change, engines, answers, outlooks)
            return control_pb2.SetLimitsResponse(change_id=_kept_by(given), engines=shown)
        answers = await desk.to_the_end(_carry_out(desk, orders, given))
    except RequestError as error:
        if not request.validate_only:
            desk.log_refusal(orders, error)
        raise
    progress = await asyncio.gather(
        *(
            wait_for(engine, answer.generation, answer.step, given.wanted, given.timeout_s)
            for engine, answer in zip(engines, answers, strict=True)
        )
    )
    _must_live(engines, progress, given.wanted)
    return control_pb2.SetLimitsResponse(
        change_id=_kept_by(given), engines=map(changed, engines, answers, progress, outlooks)
    )


def _read_fields(request: control_pb2.SetLimitsRequest) -> _Fields:
    ttl_ms = fields.ttl_ms("ttl", request.ttl) if request.HasField("ttl") else 0
    change_id = fields.change_id_text(request.change_id)
    return _Fields(
        reason=fields.reason_text(request.reason),
        change_id=change_id or (fields.new_change_id() if ttl_ms else ""),
        ttl_ms=ttl_ms,
        wanted=fields.wanted_phase(request.wait_for),
        timeout_s=fields.wait_timeout_s(request.wait_timeout if request.HasField("wait_timeout") else None),
    )


def _must_be_expected(request: control_pb2.SetLimitsRequest, engines: Sequence[Engine]) -> None:
    """Check that the change is meant for the engines whose generations it names.

    Raises:
        RequestError: it is meant for others as well, or for fewer.
    """
    expected = set(request.expected_generations)
    if not expected:
        return
    if request.HasField("expected_generation"):
        raise RequestError(
            Reason.INVALID_FIELD,
            "expected_generation and expected_generations are both given: leave one out",
            field="expected_generations",
        )
    came = [
        f"{engine.name} ({engine.instance_id})" for engine in engines if engine.instance_id not in expected
    ]
    missing = sorted(expected - {engine.instance_id for engine in engines})
    if came or missing:
        parts = (("not expected", came), ("expected and not there", missing))
        text = "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)
        raise RequestError(Reason.GENERATION_MISMATCH, f"the engines that are meant have changed: {text}")


def _plan(
    request: control_pb2.SetLimitsRequest,
    given: _Fields,
    engine: Engine,
    caller: Caller,
) -> _Planned:
    limits = engine.limits()
    change = read_change(request.changes, request.mode, engine, limits)
    asked = set_limits_request(
        change,
        ttl_ms=given.ttl_ms,
        change_id=given.change_id,
        caller=caller.name,
        reason=given.reason,
    )
    if request.HasField("expected_generation"):
        asked = asked_at(asked, request.expected_generation)
    elif request.expected_generations:
        asked = asked_at(asked, request.expected_generations[engine.instance_id])
    values = tuple(asked_values(change, limits))
    return _Planned(Order(engine, _action(request), asked, caller, values, _MODES[request.mode]), change)


async def _carry_out(desk: ControlDesk, orders: Sequence[Order], given: _Fields) -> list[Answer]:
    if len(orders) == 1:
        desk.several.forget(given.change_id)
        (noted,) = await desk.orders.note(orders)
        return [await desk.orders.carry_out(noted)]
    if given.ttl_ms:
        return await desk.several.change(orders, given.change_id, keep=False)
    change_id = given.change_id or fields.new_change_id()
    return await desk.several.change([_tried(order, change_id) for order in orders], change_id, keep=True)


def _tried(order: Order, change_id: str) -> Order:
    """The order as a trial that is kept once it is on trial everywhere."""
    request = replace(order.request, change_id=change_id, ttl_ms=KEEP_WITHIN_MS)
    return replace(order, action=Action.TRY.name, request=request)


def _outlook(plan: _Planned, given: _Fields) -> Outlook:
    def predict(moment: Moment) -> Prediction:
        return after_change(moment, plan.change, given.change_id, given.ttl_ms)

    try:
        return limits_outlook(plan.order.engine, predict)
    except LimitError:
        return Outlook()  # The probe will say so.


def _action(request: control_pb2.SetLimitsRequest) -> str:
    return Action.TRY.name if request.HasField("ttl") else Action.SET.name


def _kept_by(given: _Fields) -> str:
    return given.change_id if given.ttl_ms else ""


def _must_live(engines: Sequence[Engine], progress: Sequence[Progress], wanted: Phase) -> None:
    for engine, reached in zip(engines, progress, strict=True):
        if reached.phase < wanted and not engine.check_alive():
            raise RequestError(
                Reason.ENGINE_GONE,
                f"engine {engine.name} died after it accepted the change",
                engine=engine.name,
            )
