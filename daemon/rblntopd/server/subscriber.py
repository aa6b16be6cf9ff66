"""Writes to subscribers, each with a deadline: one that stopped reading is dropped and hinders nobody."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import grpc

logger = logging.getLogger(__name__)


class SubscriberStuckError(Exception):
    """A subscriber took nothing for so long that its call is ended."""


class _NoStuckTraces(logging.Filter):
    """grpc logs what a handler raises with its trace; that a subscriber was dropped is logged here."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], SubscriberStuckError))


logging.getLogger("grpc._cython.cygrpc").addFilter(_NoStuckTraces())


class Subscriber:
    """The writing end of one streaming call."""

    __slots__ = ("_context", "_loop", "_task", "_watch", "stuck", "writing_since_s")

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any], watch: WriteWatch) -> None:
        self._context = context
        self._watch = watch
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self.stuck = False
        self.writing_since_s: float | None = None

    def __enter__(self) -> Subscriber:
        self._watch.subscribers.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.subscribers.discard(self)

    async def write(self, message: Any) -> None:
        """Send one message.

        Raises:
            SubscriberStuckError: the subscriber did not take it in time.
        """
        self.writing_since_s = self._loop.time()
        try:
            await self._context.write(message)
        except asyncio.CancelledError:
            if self.stuck:
                # Raised, because a cancelled handler would leave the client without a status for ever, and
                # abort() queues behind the write. The client reads this if it ever goes on.
                text = f"dropped: nothing was read for {self._watch.deadline_s:g} s"
                self._context.set_code(grpc.StatusCode.DEADLINE_EXCEEDED)
                self._context.set_details(text)
                raise SubscriberStuckError(text) from None
            raise
        finally:
            self.writing_since_s = None

    def end(self) -> None:
        """Interrupt the write that is stuck."""
        self.stuck = True
        logger.warning(
            "dropped a subscriber that took nothing for %g s (%s)",
            self._watch.deadline_s,
            self._context.peer(),
        )
        self._task.cancel()


class WriteWatch:
    """Ends writes that take too long.

    One look a second at all of them instead of a timer for each write, which would cost as much as the write.
    """

    def __init__(self, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.subscribers: set[Subscriber] = set()
        self.dropped = 0
        """Subscribers that took nothing for that long."""

    async def run(self) -> None:
        """Look at the writes, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self.deadline_s / 4))
            latest_s = loop.time() - self.deadline_s
            for subscriber in list(self.subscribers):
                since_s = subscriber.writing_since_s
                if since_s is not None and since_s < latest_s and not subscriber.stuck:
                    self.dropped += 1
                    subscriber.end()
