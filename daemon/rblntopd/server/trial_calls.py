"""ConfirmChange and CancelChange: what becomes of a change on trial."""

from __future__ import annotations

import asyncio

from rblntop_api.v1 import control_pb2
from rblntopd.audit import lines
from rblntopd.audit.caller import Caller
from rblntopd.probe.control_format import Op, Request
from rblntopd.server import request_fields as fields
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.engine_change import changed_now
from rblntopd.server.errors import RequestError
from rblntopd.server.orders import Order


async def confirm(
    desk: ControlDesk, request: control_pb2.ConfirmChangeRequest, caller: Caller
) -> list[control_pb2.EngineChange]:
    """Keep a change, or give it more time.

    Raises:
        RequestError: it is not on trial, or an engine did not say that it was kept.
    """
    extend_ms = fields.ttl_ms("extend", request.extend) if request.HasField("extend") else 0
    op, stage = (Op.EXTEND, lines.WAIT) if extend_ms else (Op.CONFIRM, lines.KEEP)
    return await _settle(
        desk, request.engine, request.change_id, request.reason, caller, op, stage, extend_ms
    )


async def cancel(
    desk: ControlDesk, request: control_pb2.CancelChangeRequest, caller: Caller
) -> list[control_pb2.EngineChange]:
    """Undo a change.

    Raises:
        RequestError: it is not on trial, or an engine did not say that it was undone.
    """
    return await _settle(
        desk, request.engine, request.change_id, request.reason, caller, Op.CANCEL, lines.UNDO
    )


async def _settle(
    desk: ControlDesk,
    wanted: str,
    change_id: str,
    reason: str,
    caller: Caller,
    op: Op,
    stage: str,
    ttl_ms: int = 0,
) -> list[control_pb2.EngineChange]:
    change_id = fields.required_change_id(change_id)
    reason = fields.reason_text(reason)
    engines = desk.engines_on_trial(wanted, change_id)
    asked = Request(op, 0, change_id=change_id, caller=caller.name, reason=reason, ttl_ms=ttl_ms)
    orders = [Order(engine, op.name, asked, caller) for engine in engines]
    try:
        desk.must_take_orders(engines)
        if len(orders) > 1 and op is Op.CANCEL:
            await desk.orders.validate_what_answers(orders)
        elif len(orders) > 1:
            await asyncio.gather(*map(desk.orders.validate, orders))
        noted = desk.orders.note_soon(orders)
        answers = await desk.to_the_end(desk.several.settle(noted, change_id, stage))
    except RequestError as error:
        desk.log_refusal(orders, error)
        raise
    return [changed_now(engine, answer) for engine, answer in zip(engines, answers, strict=True)]
