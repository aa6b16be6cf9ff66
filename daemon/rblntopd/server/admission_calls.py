"""CloseAdmission and OpenAdmission."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from rblntop_api.v1 import control_pb2
from rblntopd.audit.caller import Caller
from rblntopd.engines.engine import Engine
from rblntopd.engines.prediction import after_close
from rblntopd.probe.control_format import Answer, Op, Request
from rblntopd.probe.ring_format import Action
from rblntopd.server import request_fields as fields
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.engine_change import changed, changed_now, would_change
from rblntopd.server.errors import RequestError, invalid_field
from rblntopd.server.orders import Noted, Order, asked_at
from rblntopd.server.outlook import closing_outlook
from rblntopd.server.phases import wait_for
from rblntopd.server.several import done_on_all

NS_PER_MS = 1_000_000


async def close(
    desk: ControlDesk, request: control_pb2.CloseAdmissionRequest, caller: Caller
) -> list[control_pb2.EngineChange]:
    """Admit no waiting request any more, on all engines or on none.

    Raises:
        RequestError: nothing was closed, or an engine did not say whether it was.
    """
    engines = desk.engines(request.engine)
    orders = [Order(engine, Action.CLOSE.name, Request(Op.CLOSE_ADMISSION, 0), caller) for engine in engines]
    try:
        ttl_ms = _ttl_ms(request)
        phase = fields.wanted_phase(request.wait_for)
        timeout_s = fields.wait_timeout_s(request.wait_timeout if request.HasField("wait_timeout") else None)
        asked = Request(
            Op.CLOSE_ADMISSION,
            0,
            caller=caller.name,
            reason=fields.reason_text(request.reason),
            ttl_ms=ttl_ms,
        )
        if request.HasField("expected_generation"):
            asked = asked_at(asked, request.expected_generation)
        orders = [Order(engine, Action.CLOSE.name, asked, caller) for engine in engines]
        desk.must_take_orders(engines)
        await desk.registry.refresh(engines)
        until_ns = time.monotonic_ns() + ttl_ms * NS_PER_MS if ttl_ms else 0
        outlooks = [
            closing_outlook(engine, lambda moment: after_close(moment, until_ns)) for engine in engines
        ]
        if request.validate_only or len(orders) > 1:
            answers = await asyncio.gather(*map(desk.orders.validate, orders))
        if request.validate_only:
            return list(map(would_change, engines, answers, outlooks))
        answers = await desk.to_the_end(_close_all(desk, orders))
    except RequestError as error:
        if not request.validate_only:
            desk.log_refusal(orders, error)
        raise
    progress = await asyncio.gather(
        *(
            wait_for(engine, answer.generation, answer.step, phase, timeout_s, closing=True)
            for engine, answer in zip(engines, answers, strict=True)
        )
    )
    return list(map(changed, engines, answers, progress, outlooks))


async def open_again(
    desk: ControlDesk, request: control_pb2.OpenAdmissionRequest, caller: Caller
) -> list[control_pb2.EngineChange]:
    """Admit waiting requests again.

    Raises:
        RequestError: an engine did not say that it does; the others do.
    """
    reason = fields.reason_text(request.reason)
    engines = desk.engines(request.engine)
    orders = [_opening(engine, caller, reason) for engine in engines]
    try:
        desk.must_take_orders(engines)
        answers = await desk.to_the_end(_open_all(desk, desk.orders.note_soon(orders)))
    except RequestError as error:
        desk.log_refusal(orders, error)
        raise
    return [changed_now(engine, answer) for engine, answer in zip(engines, answers, strict=True)]


async def _close_all(desk: ControlDesk, orders: Sequence[Order]) -> list[Answer]:
    was_open = [order.engine for order in orders if not _is_closed(order.engine)]
    noted = await desk.orders.note(orders)
    found = await asyncio.gather(*map(desk.orders.carry_out, noted), return_exceptions=True)
    failed = [error for error in found if isinstance(error, BaseException)]
    if failed:
        reason = "it could not be closed on all engines"
        again = [
            _opening(order.engine, order.caller, reason)
            for order, answer in zip(orders, found, strict=True)
            if isinstance(answer, Answer) and order.engine in was_open
        ]
        opened = map(desk.orders.carry_out, desk.orders.note_soon(again))
        await asyncio.gather(*opened, return_exceptions=True)
        raise failed[0]
    return [answer for answer in found if isinstance(answer, Answer)]


async def _open_all(desk: ControlDesk, noted: Sequence[Noted]) -> list[Answer]:
    found = await asyncio.gather(*map(desk.orders.carry_out, noted), return_exceptions=True)
    return done_on_all(found, [one.order.engine for one in noted])


def _opening(engine: Engine, caller: Caller, reason: str) -> Order:
    asked = Request(Op.OPEN_ADMISSION, 0, caller=caller.name, reason=reason)
    return Order(engine, Action.OPEN.name, asked, caller)


def _is_closed(engine: Engine) -> bool:
    limits = engine.limits()
    return limits is not None and limits.admission_state.closed


def _ttl_ms(request: control_pb2.CloseAdmissionRequest) -> int:
    """How long it stays closed; 0: until it is opened."""
    until = request.WhichOneof("until")
    if until == "ttl":
        return fields.ttl_ms("ttl", request.ttl)
    if until == "until_opened" and request.until_opened:
        return 0
    raise invalid_field("until", "(absent)", "a ttl, or until_opened=true")
