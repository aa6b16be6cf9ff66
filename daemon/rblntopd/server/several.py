"""Carries a change out on several engines, or on none, also when the daemon dies in the middle.

The change is put on trial everywhere under one id, and kept once it is on trial everywhere. Before it begins,
and before it is kept, the audit log is told, so that the next daemon knows whether to undo or to keep what it
finds half-done. A daemon that never comes back leaves trials, which end by themselves.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rblntopd.audit import lines
from rblntopd.audit.caller import DAEMON
from rblntopd.audit.log import AuditLog
from rblntopd.audit.log_file import Line
from rblntopd.engines.engine import Engine
from rblntopd.engines.registry import Registry
from rblntopd.engines.ring_file import RingFileError
from rblntopd.probe.control_format import Answer, Op, Request
from rblntopd.server.errors import Reason, RequestError
from rblntopd.server.orders import Noted, Order, Orders

logger = logging.getLogger(__name__)

#: How long a change that is to be kept stays on trial if the daemon dies before it has kept it everywhere.
KEEP_WITHIN_MS = 30_000
#: What was left half-done is looked at this often.
LOOK_S = 1.0
#: A question that was not answered may still be carried out; so long is looked for what is to be undone.
UNDO_FOR_S = 600.0


def on_trial(engines: Iterable[Engine], change_id: str) -> list[Engine]:
    """The living engines on which a change is on trial, by name."""
    found = []
    for engine in engines:
        try:
            limits = None if engine.gone else engine.limits()
        except RingFileError:
            continue
        if limits is not None and limits.trial is not None and limits.trial.change_id == change_id:
            found.append(engine)
    return sorted(found, key=lambda engine: (engine.name, engine.instance_id))


class Several:
    """Changes of several engines, and what an earlier daemon left of them."""

    def __init__(self, registry: Registry, orders: Orders, audit: AuditLog) -> None:
        self._registry = registry
        self._orders = orders
        self._audit = audit
        self._under_way: set[str] = set()
        """Changes that a call of this daemon sees to."""

    async def change(self, orders: Sequence[Order], change_id: str, keep: bool) -> list[Answer]:
        """Put a change on trial on all engines, and keep it there if it is not meant as a trial.

        Raises:
            RequestError: it is on none of them; or it was to be kept, and an engine did not say that it was.
        """
        self._under_way.add(change_id)
        try:
            return await self._change(orders, change_id, keep)
        finally:
            self._under_way.discard(change_id)

    async def _change(self, orders: Sequence[Order], change_id: str, keep: bool) -> list[Answer]:
        await asyncio.gather(*map(self._orders.validate, orders))
        engines = [order.engine for order in orders]
        noted = await self._orders.note(orders, lines.several(change_id, lines.UNDO, engines))
        found = await asyncio.gather(*map(self._orders.carry_out, noted), return_exceptions=True)
        answers = [answer for answer in found if isinstance(answer, Answer)]
        failed = [error for error in found if not isinstance(error, Answer)]
        if not failed:
            confirms = [_decision(order, Op.CONFIRM) for order in orders] if keep else []
            stage = lines.KEEP if keep else lines.WAIT
            try:
                decided = await self._orders.note(confirms, lines.several(change_id, stage, engines))
            except RequestError as error:
                failed = [error]
        if failed:
            await self._undo(orders, change_id)
            raise _on_none(failed[0], engines)
        if keep:
            await self._keep(decided, change_id)
        return answers

    async def _keep(self, decided: Sequence[Noted], change_id: str) -> None:
        found = await asyncio.gather(*map(self._orders.carry_out, decided), return_exceptions=True)
        for error in found:
            if isinstance(error, RequestError):
                error.text += (
                    f": it is kept on the others, and there as soon as it answers (change {change_id})"
                )
            if isinstance(error, BaseException):
                raise error
        self._audit.write_soon(lines.several(change_id, lines.OVER, ()))

    async def _undo(self, orders: Sequence[Order], change_id: str) -> None:
        """Cancel it wherever it is on trial; what does not answer is tried again until its time runs out."""
        engines = on_trial([order.engine for order in orders], change_id)
        pending = [_decision(order, Op.CANCEL) for order in orders if order.engine in engines]
        noted = self._orders.note_soon(pending)
        await asyncio.gather(*map(self._orders.carry_out, noted), return_exceptions=True)

    def check_free(self, change_id: str) -> None:
        """Check that no earlier change under this id is still to be finished: it would meet this one.

        Raises:
            RequestError: there is one.
        """
        for line in self._audit.several():
            if line["change_id"] == change_id and line["stage"] != lines.WAIT:
                doing = "kept" if line["stage"] == lines.KEEP else "undone"
                names = ", ".join(self._names(line)) or "an engine that is gone"
                raise RequestError(
                    Reason.REFUSED,
                    f"change_id={change_id}: an earlier change of this id is still being {doing} on {names}: "
                    "use another id",
                    change_id=change_id,
                )

    def _names(self, line: Line) -> list[str]:
        return [engine.name for engine in self._registry.every() if engine.instance_id in line["instances"]]

    def forget(self, change_id: str) -> None:
        """It is over: nothing is left to be seen to."""
        if any(line["change_id"] == change_id for line in self._audit.several()):
            self._audit.write_soon(lines.several(change_id, lines.OVER, ()))

    async def settle(self, noted: Sequence[Noted], change_id: str, stage: str) -> list[Answer]:
        """Keep or cancel a trial of several engines, which the next daemon goes on with should this one die.

        Raises:
            RequestError: an engine refused or did not answer; the others were done.
        """
        engines = [found.order.engine for found in noted]
        if len(engines) > 1:
            self._audit.write_soon(lines.several(change_id, stage, engines))
        found = await asyncio.gather(*map(self._orders.carry_out, noted), return_exceptions=True)
        answers = done_on_all(found, engines)
        self.forget(change_id)
        return answers

    # --- what a daemon before this one, or an engine that did not answer, left --------------------------

    async def run(self) -> None:
        """Finish what is half-done, for ever."""
        while True:
            for line in self._audit.several():
                if line["change_id"] not in self._under_way:
                    await self._finish(line)
            await asyncio.sleep(LOOK_S)

    async def _finish(self, line: Line) -> None:
        change_id, stage = line["change_id"], line["stage"]
        meant = [engine for engine in self._registry.every() if engine.instance_id in line["instances"]]
        pending = on_trial(meant, change_id)
        if not pending:
            until = lines.time_text(time.time_ns() - int(UNDO_FOR_S * 1e9))
            if stage != lines.UNDO or line["time"] < until:
                self._audit.write_soon(lines.several(change_id, lines.OVER, ()))
        elif stage != lines.WAIT:
            op = Op.CONFIRM if stage == lines.KEEP else Op.CANCEL
            logger.warning(
                "change %s was left half-done: %s it on %s",
                change_id, "keeping" if op is Op.CONFIRM else "undoing",
                ", ".join(engine.name for engine in pending),
            )  # fmt: skip
            noted = self._orders.note_soon([_finishing(engine, op, change_id) for engine in pending])
            # One that does not answer is asked again at the next look.
            await asyncio.gather(*map(self._orders.carry_out, noted), return_exceptions=True)


def _decision(order: Order, op: Op) -> Order:
    request = Request(op, 0, change_id=order.request.change_id, caller=order.caller.name)
    return replace(
        order,
        action=op.name,
        request=replace(request, reason=order.request.reason),
        values=(),
        mode="",
    )


def _finishing(engine: Engine, op: Op, change_id: str) -> Order:
    reason = "the daemon ended before it was done on all engines"
    request = Request(op, 0, change_id=change_id, caller=DAEMON.name, reason=reason)
    return Order(engine, op.name, request, DAEMON)


def done_on_all(found: Sequence[Answer | BaseException], engines: Sequence[Engine]) -> list[Answer]:
    """The answers of all engines.

    Raises:
        RequestError: of the first that gave none, saying where it was done.
    """
    done = [engine.name for engine, answer in zip(engines, found, strict=True) if isinstance(answer, Answer)]
    for error in found:
        if isinstance(error, RequestError) and done:
            error.text += f"; done on {', '.join(done)}"
            error.metadata["done"] = ",".join(done)
        if isinstance(error, BaseException):
            raise error
    return [answer for answer in found if isinstance(answer, Answer)]


def _on_none(error: BaseException, engines: Sequence[Engine]) -> BaseException:
    if isinstance(error, RequestError):
        if error.metadata.get("outcome") == "unknown":
            names = ", ".join(engine.name for engine in engines if engine.name != error.metadata["engine"])
            error.text += f", where it would be undone; {names}: nothing is changed"
        else:
            names = ", ".join(engine.name for engine in engines)
            error.text += f": nothing is changed on {names}"
    return error
