"""Serves the dashboard over HTTP, on loopback and to whoever has the link that it prints.

Loopback alone is no door: every user of the machine can connect to it, and so can a page from anywhere that
is open in the operator's browser. So a session needs the secret of the link, and a Host and an Origin that
are this machine's.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from rblntop.web.page import page

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8066
MOST_SESSIONS = 8
"""Each is a process of its own."""
LOCAL_NAMES = {"127.0.0.1", "localhost", "::1"}
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def listen(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes a free one. Raises OSError where the port is taken."""
    return socket.create_server((LOOPBACK, port))


def session_command(arguments: Sequence[str]) -> str:
    """What runs for each browser that connects."""
    return shlex.join([sys.executable, "-m", "rblntop.web.session", *arguments])


class WebServer(Server):
    """One dashboard a browser."""

    def __init__(self, arguments: Sequence[str], listener: socket.socket) -> None:
        """Serve sessions with these arguments on a socket that listens."""
        self._listener = listener
        port = listener.getsockname()[1]
        super().__init__(session_command(arguments), host=LOOPBACK, port=port, title="rblntop")
        self._secret = secrets.token_urlsafe(24)
        self._cookie = f"rblntop-{port}"
        self._sessions = 0

    @property
    def link(self) -> str:
        """What the operator opens. Whoever has it is the operator."""
        return f"http://{LOOPBACK}:{self.port}/?secret={self._secret}"

    def run(self) -> None:
        """Until SIGINT or SIGTERM."""
        web.run_app(self._make_app(), sock=self._listener, print=None)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """The command prints the link."""

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = _name(f"//{request.host}")
        origin = request.headers.get("Origin")
        if host not in LOCAL_NAMES:
            raise web.HTTPForbidden(text=f"rblntop answers on this machine only, not to {host!r}.")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="rblntop answers to its own page only.")
        given = request.query.get("secret")
        if given is not None and self._knows(given):
            answer = web.HTTPFound("/")
            # Strict: no other page can make the browser send it.
            answer.set_cookie(self._cookie, self._secret, httponly=True, samesite="Strict", path="/")
            raise answer
        if not self._knows(request.cookies.get(self._cookie, "")):
            raise web.HTTPForbidden(text="Open the link that `rblntop --web` printed: it has the secret.")
        return await handler(request)

    def _knows(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._secret.encode())

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        size = request.query.get("fontsize", "")
        text = page(self.title, f"ws://{request.host}/ws", int(size) if size in _SIZES else 16)
        headers = {
            "Content-Security-Policy": CONTENT_POLICY.format(host=request.host),
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A session."""
        if request.headers.get("Origin") is None:
            raise web.HTTPForbidden(text="rblntop answers to its own page only.")
        if self._sessions >= MOST_SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_SESSIONS} sessions are open: close one.")
        self._sessions += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self._sessions -= 1


_SIZES = {str(size) for size in range(8, 33)}


def _name(url: str) -> str:
    return urlsplit(url).hostname or ""
