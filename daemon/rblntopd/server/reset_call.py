"""ResetLimits: back to what the engines were started with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rblntop_api.v1 import control_pb2
from rblntopd.audit.caller import Caller
from rblntopd.engines.prediction import after_reset
from rblntopd.probe.control_format import Answer, Op, Request
from rblntopd.server import request_fields as fields
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.engine_change import changed, would_change
from rblntopd.server.errors import RequestError
from rblntopd.server.orders import Noted, Order
from rblntopd.server.outlook import limits_outlook
from rblntopd.server.phases import Progress, phase_of
from rblntopd.server.several import done_on_all


async def reset(
    desk: ControlDesk, request: control_pb2.ResetLimitsRequest, caller: Caller
) -> list[control_pb2.EngineChange]:
    """Take all limits of ours back, and the probe out where that is asked for.

    Raises:
        RequestError: an engine refused, or did not say that it was done; it was done on the others.
    """
    reason = fields.reason_text(request.reason)
    op = Op.DETACH if request.detach else Op.RESET
    engines = desk.engines(request.engine)
    asked = Request(op, 0, caller=caller.name, reason=reason)
    orders = [Order(engine, op.name, asked, caller) for engine in engines]
    try:
        desk.must_take_orders(engines)
        await desk.registry.refresh(engines)
        outlooks = [limits_outlook(engine, after_reset) for engine in engines]
        if request.validate_only:
            answers = await asyncio.gather(*map(desk.orders.validate, orders))
            return list(map(would_change, engines, answers, outlooks))
        if len(orders) > 1:
            await desk.orders.validate_what_answers(orders)
        answers = await desk.to_the_end(_reset_all(desk, desk.orders.note_soon(orders)))
    except RequestError as error:
        if not request.validate_only:
            desk.log_refusal(orders, error)
        raise
    shown = []
    for engine, answer, outlook in zip(engines, answers, outlooks, strict=True):
        limits = engine.limits()
        progress = Progress(phase_of(limits, answer.generation), limits, "")
        shown.append(changed(engine, answer, progress, outlook))
    return shown


async def _reset_all(desk: ControlDesk, noted: Sequence[Noted]) -> list[Answer]:
    found = await asyncio.gather(*map(desk.orders.carry_out, noted), return_exceptions=True)
    return done_on_all(found, [one.order.engine for one in noted])
