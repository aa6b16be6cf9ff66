"""Puts one order to one engine's probe, with the audit log told before and after."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from rblntopd.audit import lines
from rblntopd.audit.caller import Caller
from rblntopd.audit.log import AuditLog
from rblntopd.audit.log_file import AuditLogError, Line
from rblntopd.engines.control_link import ControlLinkError, ask
from rblntopd.engines.engine import Engine
from rblntopd.engines.foreign_text import from_ring
from rblntopd.engines.ring_file import RingFileError
from rblntopd.probe.control_format import Answer, Flag, Request, Status
from rblntopd.probe.ring_format import Live
from rblntopd.server.errors import Reason, RequestError

#: The probe answers within a step's scheduling; this is for an engine that hangs.
ANSWER_TIMEOUT_S = 5.0
MAY_STILL_COME = ": the change may still come, look at the generation"

_REASONS = {
    Status.INVALID: Reason.INVALID_FIELD,
    Status.UNAVAILABLE: Reason.CONTROL_UNAVAILABLE,
    Status.DENIED: Reason.PROBE_DENIED,
    Status.CONFLICT: Reason.GENERATION_MISMATCH,
    Status.TRIAL_PENDING: Reason.TRIAL_PENDING,
    Status.NO_TRIAL: Reason.NO_TRIAL,
    Status.WRONG_ID: Reason.WRONG_ID,
    Status.REFUSED: Reason.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of one engine, and by whom."""

    engine: Engine
    action: str
    """As the audit log calls it."""
    request: Request
    caller: Caller
    values: tuple[Line, ...] = ()
    mode: str = ""

    def intent(self) -> Line:
        """The audit log's line before it is asked."""
        request = self.request
        return lines.intent(
            self.engine,
            self.action,
            self.caller,
            reason=request.reason,
            change_id=request.change_id,
            values=self.values,
            mode=self.mode,
            ttl_ms=request.ttl_ms,
        )


@dataclass(frozen=True, slots=True)
class Noted:
    """An order of which the audit log knows."""

    order: Order
    intent: Line


def asked_at(request: Request, generation: int) -> Request:
    """``request``, to be refused unless the limits are at this generation."""
    return replace(request, flags=request.flags | Flag.EXPECT_GENERATION, expected_generation=generation)


class Orders:
    """Carries orders out, or says why not."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    async def validate(self, order: Order) -> Answer:
        """The verdict that the probe would give now.

        Raises:
            RequestError: it would refuse, or gives no answer.
        """
        request = replace(order.request, flags=order.request.flags | Flag.VALIDATE_ONLY)
        try:
            return _accepted(order.engine, await put(order.engine, request))
        except ControlLinkError as error:
            raise no_answer(order.engine, error, MAY_STILL_COME) from error

    async def validate_what_answers(self, orders: Sequence[Order]) -> None:
        """Check that no engine would refuse; one that is silent or gone keeps the others from nothing.

        Raises:
            RequestError: one would refuse.
        """
        for error in await asyncio.gather(*map(self.validate, orders), return_exceptions=True):
            if isinstance(error, RequestError) and error.reason in (Reason.ENGINE_SILENT, Reason.ENGINE_GONE):
                continue
            if isinstance(error, BaseException):
                raise error

    async def note(self, orders: Sequence[Order], *more: Line) -> list[Noted]:
        """Have the intents on the disk, and whatever ``more`` goes with them, before anything is asked.

        Raises:
            RequestError: the audit log cannot be written.
        """
        noted = [Noted(order, order.intent()) for order in orders]
        try:
            await self._audit.write(*more, *(found.intent for found in noted))
        except AuditLogError as error:
            text = f"nothing was changed: {error}"
            self.not_asked(noted, text)
            failure = RequestError(Reason.AUDIT_LOG_UNWRITABLE, text)
            failure.logged = True
            raise failure from error
        return noted

    def note_soon(self, orders: Sequence[Order]) -> list[Noted]:
        """Have the intents written soon: what makes an engine safer must not wait for a disk."""
        noted = [Noted(order, order.intent()) for order in orders]
        self._audit.write_soon(*(found.intent for found in noted))
        return noted

    def not_asked(self, noted: Sequence[Noted], text: str) -> None:
        """Say of orders that they were never put to an engine."""
        self._audit.write_soon(*(lines.outcome(found.intent, "refused", text) for found in noted))

    def refused(self, order: Order, text: str) -> None:
        """Say of an order that it was refused before the audit log knew of it."""
        self._audit.write_soon(lines.outcome(order.intent(), "refused", text))

    async def carry_out(self, noted: Noted) -> Answer:
        """Put an order to its engine.

        Raises:
            RequestError: the engine refused it, or gave no answer: then it may have been carried out.
        """
        engine, request = noted.order.engine, noted.order.request
        before = _journal_head(engine)
        try:
            answer = await put(engine, request)
        except ControlLinkError as error:
            failure = no_answer(engine, error, MAY_STILL_COME)
            self._end(noted, "unknown" if error.asked else "refused", failure)
            raise failure from error
        try:
            _accepted(engine, answer)
        except RequestError as refusal:
            self._end(noted, "refused", refusal)
            raise
        if not _is_in_journal(noted.order, before):
            self._audit.write_soon(lines.outcome(noted.intent, "nothing", answer.text))
        self._audit.look_soon()
        return answer

    def _end(self, noted: Noted, outcome: str, error: RequestError) -> None:
        error.logged = True
        generation = error.metadata.get("generation")
        self._audit.write_soon(
            lines.outcome(noted.intent, outcome, error.text, int(generation) if generation else None)
        )


async def put(engine: Engine, request: Request) -> Answer:
    """Put a request to the probe of an engine.

    Raises:
        ControlLinkError: no answer came.
    """
    return await ask(
        engine.reader.path.with_name(engine.description.control_socket), request, ANSWER_TIMEOUT_S
    )


def _journal_head(engine: Engine) -> int:
    try:
        return engine.reader.live()[Live.JOURNAL_HEAD]
    except RingFileError:
        return 0


def _is_in_journal(order: Order, since: int) -> bool:
    """Whether the probe carried something out: to reset what nobody has set is accepted and does nothing."""
    try:
        _, entries = order.engine.reader.journal(since)
    except RingFileError:
        return True
    return any(from_ring(entry.caller) == order.caller.name for entry in entries)


def _accepted(engine: Engine, answer: Answer) -> Answer:
    if answer.status != Status.OK:
        _refuse(engine, answer)
    return answer


def _refuse(engine: Engine, answer: Answer) -> NoReturn:
    metadata = {"engine": engine.name, "generation": str(answer.generation)}
    limits = engine.limits()
    if limits is not None and limits.trial is not None:
        metadata["change_id"] = limits.trial.change_id
    raise RequestError(
        _REASONS.get(answer.status, Reason.PROBE_VERSION),  # type: ignore[call-overload]
        f"engine {engine.name} refused: {answer.text or 'it gave no reason'}",
        **metadata,
    )


def no_answer(engine: Engine, error: ControlLinkError, hint: str = "") -> RequestError:
    """The engine is gone, speaks another version, or is silent; ``hint`` says what that means then."""
    if not engine.check_alive():
        return gone(engine)
    if error.version:
        return RequestError(Reason.PROBE_VERSION, f"engine {engine.name}: {error}", engine=engine.name)
    text = f"engine {engine.name} does not answer: {error}{hint if error.timed_out else ''}"
    return RequestError(Reason.ENGINE_SILENT, text, engine=engine.name)


def gone(engine: Engine) -> RequestError:
    """The engine has ended."""
    text = f"engine {engine.name} ({engine.instance_id}) is gone"
    return RequestError(Reason.ENGINE_GONE, text, engine=engine.name)
