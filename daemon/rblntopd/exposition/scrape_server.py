"""Answers Prometheus over HTTP, on this host only. Who is slow or hostile costs a connection of a few."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from rblntopd.exposition.daemon_collector import DaemonCounts
from rblntopd.server.socket_place import SocketPlaceError

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 8
#: From the connection to the last byte taken.
DEADLINE_S = 5.0
MAX_REQUEST_BYTES = 16 * 1024
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_END_OF_HEAD = b"\r\n\r\n"


class ScrapeServerError(SocketPlaceError):
    """The address cannot be served."""


class ScrapeServer:
    """One request a connection: GET /metrics."""

    def __init__(
        self,
        page: Callable[[], Awaitable[bytes]],
        counts: DaemonCounts,
        *,
        deadline_s: float = DEADLINE_S,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._page = page
        self._counts = counts
        self._deadline_s = deadline_s
        self._max_connections = max_connections
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            ScrapeServerError: the address is taken, or is none of this host.
        """
        try:
            self._server = await asyncio.start_server(self._connected, host, port, limit=MAX_REQUEST_BYTES)
        except OSError as error:
            raise ScrapeServerError(f"metrics cannot be served at {host}:{port}: {error.strerror}") from error

    def close(self) -> None:
        """Stop listening, and drop who is connected."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        if len(self._open) >= self._max_connections:
            self._counts.scrapes_dropped += 1
            transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await asyncio.wait_for(self._answer(reader, writer), self._deadline_s)
        except (asyncio.TimeoutError, asyncio.LimitOverrunError):
            self._counts.scrapes_dropped += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # It went away.
        finally:
            self._open.discard(task)
            # What it has not taken by now is not kept for it.
            transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(_END_OF_HEAD)
        status, body = await self._response(head)
        # drain() then returns when the kernel has taken everything, and not when most of it was.
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        writer.write(body)
        await writer.drain()
        writer.write_eof()
        # An abort with something unread would take the answer from it.
        await reader.read(1)

    async def _response(self, head: bytes) -> tuple[str, bytes]:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return "400 Bad Request", b"this is not HTTP/1\n"
        method, path = words[0], words[1].split(b"?", 1)[0]
        if path != b"/metrics":
            return "404 Not Found", b"metrics are at /metrics\n"
        if method != b"GET":
            return "405 Method Not Allowed", b"only GET\n"
        try:
            return "200 OK", await self._page()
        except Exception:
            # Its fault is the daemon's, which goes on.
            logger.exception("the metrics could not be made")
            return "500 Internal Server Error", b"the metrics could not be made: see the daemon's log\n"
