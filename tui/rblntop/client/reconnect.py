"""Keeps a stream going while the daemon goes away and comes back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from rblntop.client.errors import UnreachableError

Message = TypeVar("Message")


@dataclass(frozen=True)
class Backoff:
    """Pauses between attempts: doubling, bounded, and spread so that many clients do not come at once."""

    first_s: float = 0.25
    longest_s: float = 2.0
    spread: float = 0.2

    def pause_s(self, attempt: int) -> float:
        """Pause before the attempt after ``attempt`` failed ones in a row (from 1)."""
        pause = min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, 16))
        return pause * (1 + self.spread * (2 * random.random() - 1))


@dataclass(frozen=True)
class Disconnected:
    """The stream broke; the next attempt follows after ``retry_in_s``."""

    cause: str
    attempt: int
    retry_in_s: float


async def keep_streaming(
    open_stream: Callable[[], AsyncGenerator[Message, None]],
    *,
    silence_s: float | Callable[[], float] | None = None,
    backoff: Backoff = Backoff(),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Message | Disconnected, None]:
    """The messages of a stream, and a ``Disconnected`` each time that it breaks. Close it with ``aclosing``.

    Args:
        open_stream: Starts the stream anew; a closure can pick up where the last one ended.
        silence_s: A stream that says nothing for so long counts as broken: a stopped daemon on a unix
            socket is noticed by nothing else. A function is asked before each message.
        backoff: Pauses between attempts.
        sleep: For a virtual clock.

    Raises:
        RefusedError: the daemon answered and said no; trying again would not help.
    """
    attempt = 0
    patience_s: float | None = None
    while True:
        cause = "the daemon closed the stream"
        try:
            async with aclosing(open_stream()) as stream:
                while True:
                    try:
                        patience_s = silence_s() if callable(silence_s) else silence_s
                        message = await asyncio.wait_for(anext(stream), patience_s)
                    except StopAsyncIteration:
                        break
                    attempt = 0
                    yield message
        except asyncio.TimeoutError:
            cause = f"nothing came for {patience_s:g} s"
        except UnreachableError as error:
            cause = error.cause
        attempt += 1
        pause = backoff.pause_s(attempt)
        yield Disconnected(cause, attempt, pause)
        await sleep(pause)
