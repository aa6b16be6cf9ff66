"""What all calls of the Control service need: the engines that are meant, the caller, the audit log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from rblntopd.audit.log import AuditLog
from rblntopd.engines.engine import Engine
from rblntopd.engines.registry import EngineLookupError, Registry
from rblntopd.server.errors import Reason, RequestError, as_request_error
from rblntopd.server.orders import Order, Orders, gone
from rblntopd.server.several import Several, on_trial

_T = TypeVar("_T")


class ControlDesk:
    """Shared by the calls."""

    def __init__(self, registry: Registry, audit: AuditLog) -> None:
        self.registry = registry
        self.audit = audit
        self.orders = Orders(audit)
        self.several = Several(registry, self.orders, audit)
        self._tasks: set[asyncio.Task[Any]] = set()

    def engines(self, wanted: str) -> list[Engine]:
        """The engines that ``wanted`` means, all of which live.

        Raises:
            RequestError: there is none, it is not clear which, or the one that is meant has ended.
        """
        self.registry.scan()
        try:
            found = self.registry.select(wanted)
        except EngineLookupError as error:
            raise as_request_error(error) from error
        for engine in found:
            if not engine.check_alive():
                raise gone(engine)
        return found

    def engines_on_trial(self, wanted: str, change_id: str) -> list[Engine]:
        """The engines that ``wanted`` means; if it is empty, those on which the change is on trial.

        Raises:
            RequestError: there is none.
        """
        if wanted:
            return self.engines(wanted)
        self.registry.scan()
        living = [engine for engine in self.registry.every() if engine.check_alive()]
        found = on_trial(living, change_id)
        if not found and len(living) > 1:
            text = f"change {change_id} is on trial on no engine"
            raise RequestError(Reason.NO_TRIAL, text, change_id=change_id)
        # Of a single engine the probe itself says what became of it.
        return found or self.engines("")

    def must_take_orders(self, engines: Sequence[Engine]) -> None:
        """Check that the probes can be asked at all.

        Raises:
            RequestError: one cannot.
        """
        for engine in engines:
            if engine.unavailable_reason:
                text = f"engine {engine.name} cannot be changed: {engine.unavailable_reason}"
                raise RequestError(Reason.CONTROL_UNAVAILABLE, text, engine=engine.name)

    async def to_the_end(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do what must not stop half-way, also when the client goes away meanwhile."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def in_background(self, work: Callable[..., Coroutine[Any, Any, None]], *given: Any) -> None:
        """Do what nobody waits for."""
        task = asyncio.create_task(work(*given))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Whoever waited for it is told, or has gone; the audit log tells of it, too.

    def log_refusal(self, orders: Sequence[Order], error: RequestError) -> None:
        """Have a refusal in the audit log, unless it is there."""
        if error.logged:
            return
        error.logged = True
        named = [order for order in orders if order.engine.name == error.metadata.get("engine")]
        for order in named or orders:
            self.orders.refused(order, error.text)
