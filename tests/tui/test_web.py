"""The dashboard in a browser: on this machine, with the secret of its link, and nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from tests.tui.browser import CHROMIUM, browser

from rblntop.web.server import MOST_SESSIONS, WebServer, listen
from rblntop_api.v1 import engine_pb2, snapshot_pb2

SECOND = 1_000_000_000


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[WebServer]:
    """A server on a free port."""
    listener = listen(0)
    server = WebServer(arguments, listener)
    runner = web.AppRunner(await server._make_app())
    await runner.setup()
    await web.SockSite(runner, listener).start()
    try:
        yield server
    finally:
        await runner.cleanup()


def root(server: WebServer) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Something to show without a daemon."""
    from rblntop.recording.recorder import Recorder
    from rblntop.recording.writer import RecordingWriter

    path = tmp_path / "shown.rec"
    writer = RecordingWriter.append_to(path, 1 << 30)
    recorder = Recorder(writer, SECOND, {})
    engine = engine_pb2.Engine(name="shown-70b/0", instance_id="i", pp_size=1, group_count=1)
    snapshot = snapshot_pb2.Snapshot(engine=engine)
    snapshot.time.FromNanoseconds(SECOND)
    recorder.add_snapshot(snapshot, SECOND)
    recorder.flush(SECOND)
    writer.close()
    return path


async def test_it_listens_on_loopback_alone():
    async with serving() as server:
        assert server._listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/?secret=wrong"])
async def test_without_the_secret_there_is_nothing(path):
    async with serving() as server, aiohttp.ClientSession() as session:
        headers = {"Origin": root(server)}
        async with session.get(root(server) + path, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/ws"])
async def test_another_page_gets_nothing_even_with_the_cookie(headers, path):
    async with serving() as server, aiohttp.ClientSession() as session:
        cookies = {server._cookie: server._secret}
        async with session.get(root(server) + path, headers=headers, cookies=cookies) as answer:
            assert answer.status == 403


async def test_a_session_needs_an_origin():
    async with serving() as server, aiohttp.ClientSession() as session:
        cookies = {server._cookie: server._secret}
        async with session.get(f"{root(server)}/ws", cookies=cookies) as answer:
            assert answer.status == 403


async def test_there_are_only_so_many_sessions():
    async with serving() as server, aiohttp.ClientSession() as session:
        server._sessions = MOST_SESSIONS
        cookies = {server._cookie: server._secret}
        headers = {"Origin": root(server)}
        async with session.get(f"{root(server)}/ws", cookies=cookies, headers=headers) as answer:
            assert answer.status == 503


async def test_the_page_and_what_it_loads_come_from_here():
    jar = aiohttp.CookieJar(unsafe=True)  # Cookies of an address, not of a name.
    async with serving() as server, aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(server.link) as answer:
            assert str(answer.url) == f"{root(server)}/"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            html = await answer.text()
        urls = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']([^"']+)""", html)
        assert len(urls) >= 4
        assert not re.search(r"https?://", html)
        for url in urls:
            assert url.startswith(("/", "data:", f"ws://127.0.0.1:{server.port}/"))
            if url.startswith("/static"):
                async with session.get(root(server) + url) as answer:
                    assert answer.status == 200


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
async def test_a_browser_shows_the_dashboard_and_asks_nobody_else(tmp_path, recording):
    async with serving("--replay", str(recording)) as server, browser(tmp_path / "profile") as page:
        await page.open(server.link)
        await page.until_received(b"shown-70b/0")
        assert len(page.asked_for) >= 5
        assert {urlsplit(url).netloc for url in page.asked_for} == {f"127.0.0.1:{server.port}"}
        assert any(url.endswith(".ttf") for url in page.asked_for)
