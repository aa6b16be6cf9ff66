"""ListRequests: has an engine write its requests down, and gives those that are asked for."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from rblntop_api.v1 import request_pb2, telemetry_pb2
from rblntopd.engines.control_link import ControlLinkError
from rblntopd.engines.engine import Engine
from rblntopd.engines.foreign_text import from_ring
from rblntopd.engines.ring_file import RingFileError
from rblntopd.engines.ring_reader import RequestTable
from rblntopd.metrics.cells import NS
from rblntopd.probe.control_format import Op, Request, Status
from rblntopd.probe.ring_format import NO_GROUP, UNKNOWN_MS, RequestRow, RequestState
from rblntopd.server.errors import Reason, RequestError, as_request_error, invalid_field
from rblntopd.server.orders import gone, no_answer, put

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
#: The engine writes a table a second: in between nobody needs to ask it.
FRESH_NS = NS
#: A table that changes while it is read is whole a moment later.
READ_TRIES, READ_AGAIN_S = 20, 0.005

_STATES: dict[int, Any] = {
    int(state): request_pb2.RequestState.Value(f"REQUEST_STATE_{state.name}")
    for state in RequestState
    if state is not RequestState.OTHER
}
_RUNNING = (RequestState.RUNNING, RequestState.HELD)
#: What comes first has the smallest key.
_ORDERS: dict[int, Callable[[RequestRow], tuple[int, ...]]] = {
    request_pb2.REQUEST_ORDER_UNSPECIFIED: lambda row: (-row.age_ms,),
    request_pb2.REQUEST_ORDER_AGE: lambda row: (-row.age_ms,),
    request_pb2.REQUEST_ORDER_WAIT: lambda row: (row.state in _RUNNING, -row.age_ms),
    request_pb2.REQUEST_ORDER_PROMPT_TOKENS: lambda row: (-row.prompt_tokens, -row.age_ms),
    request_pb2.REQUEST_ORDER_OUTPUT_TOKENS: lambda row: (-row.output_tokens, -row.age_ms),
    request_pb2.REQUEST_ORDER_GROUP: lambda row: (row.group == NO_GROUP, row.group, -row.age_ms),
}


class RequestTables:
    """The latest table of each engine; those who ask at the same time ask once."""

    def __init__(self) -> None:
        self._turns: weakref.WeakKeyDictionary[Engine, asyncio.Lock] = weakref.WeakKeyDictionary()
        self._tables: weakref.WeakKeyDictionary[Engine, RequestTable] = weakref.WeakKeyDictionary()
        self._asked_ns: weakref.WeakKeyDictionary[Engine, int] = weakref.WeakKeyDictionary()

    async def table(self, engine: Engine) -> RequestTable:
        """The requests of an engine, a second old at most.

        Raises:
            RequestError: the engine cannot show them, or gives no answer.
        """
        async with self._turns.setdefault(engine, asyncio.Lock()):
            table = self._tables.get(engine)
            if table is None or time.monotonic_ns() - self._asked_ns[engine] >= FRESH_NS:
                asked_ns = time.monotonic_ns()
                table = self._tables[engine] = await _ask(engine)
                self._asked_ns[engine] = asked_ns
            return table


async def list_requests(
    tables: RequestTables, engine: Engine, request: telemetry_pb2.ListRequestsRequest
) -> telemetry_pb2.ListRequestsResponse:
    """The requests that are asked for.

    Raises:
        RequestError: a field is invalid, the engine cannot show its requests, or gives no answer.
    """
    if request.limit > MAX_LIMIT:
        raise invalid_field("limit", request.limit, f"0..{MAX_LIMIT}")
    order = _ORDERS.get(request.order)
    if order is None:
        raise invalid_field("order", request.order, "a value of RequestOrder")
    for state in request.states:
        if state not in _STATES.values():
            raise invalid_field("states", state, "values of RequestState but for UNSPECIFIED")
    groups = engine.description.group_count
    if request.HasField("group") and request.group >= groups:
        raise invalid_field("group", request.group, f"0..{groups - 1}")
    table = await tables.table(engine)
    found = [
        row
        for row in table.rows
        if (not request.states or _STATES.get(row.state) in request.states)
        and (not request.HasField("group") or row.group == request.group)
    ]
    found.sort(key=order)
    moment = Timestamp()
    moment.FromNanoseconds(min(table.real_ns, 2**62))
    return telemetry_pb2.ListRequestsResponse(
        requests=map(_message, found[: request.limit or DEFAULT_LIMIT]),
        time=moment,
        total=table.total,
        recorded=len(table.rows),
        matching=len(found),
    )


def _message(row: RequestRow) -> request_pb2.EngineRequest:
    return request_pb2.EngineRequest(
        id=from_ring(row.request_id),
        state=_STATES.get(row.state),
        group=row.group if row.group != NO_GROUP else None,
        prompt_tokens=row.prompt_tokens,
        output_tokens=row.output_tokens,
        computed_tokens=row.computed_tokens,
        preemptions=row.preemptions,
        age_seconds=row.age_ms / 1000,
        wait_seconds=row.wait_ms / 1000 if row.wait_ms != UNKNOWN_MS else None,
    )


async def _ask(engine: Engine) -> RequestTable:
    if not engine.check_alive():
        raise gone(engine)
    if reason := engine.unavailable_reason:
        raise _unavailable(engine, reason)
    if not engine.reader.has_requests:
        header = engine.reader.header
        text = f"its probe writes ring format {header.major}.{header.minor}, which has no table of requests"
        raise _unavailable(engine, f"{text}: restart the engine to update it")
    try:
        answer = await put(engine, Request(Op.LIST_REQUESTS, 0))
    except ControlLinkError as error:
        raise no_answer(engine, error) from error
    if answer.status == Status.DENIED:
        raise RequestError(
            Reason.PROBE_DENIED, f"engine {engine.name} refused: {answer.text}", engine=engine.name
        )
    if answer.status != Status.OK:
        raise _unavailable(engine, answer.text)
    try:
        for _ in range(READ_TRIES):
            table = engine.reader.requests()
            if table is not None:
                return table
            await asyncio.sleep(READ_AGAIN_S)
    except RingFileError as error:
        raise as_request_error(error) from error
    raise _unavailable(engine, "its table of requests is never whole")


def _unavailable(engine: Engine, why: str) -> RequestError:
    text = f"engine {engine.name} cannot show its requests: {why}"
    return RequestError(Reason.REQUESTS_UNAVAILABLE, text, engine=engine.name)
