"""A headless browser, driven over its DevTools socket, that remembers all that it asked for."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_S = 60.0


class Browser:
    """One page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.asked_for: list[str] = []
        """Every URL that the page wanted."""
        self.received = b""
        """All that came over its websockets."""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Do something; what happens meanwhile is noted."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        number = self._number
        while True:
            message = json.loads(await asyncio.wait_for(self._socket.receive_str(), PATIENCE_S))
            if message.get("id") == number:
                return message.get("result", {})
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.asked_for.append(params["request"]["url"])
        elif message.get("method") == "Network.webSocketCreated":
            self.asked_for.append(params["url"])
        elif message.get("method") == "Network.webSocketFrameReceived":
            frame = params["response"]
            data = frame["payloadData"]
            self.received += base64.b64decode(data) if frame["opcode"] == 2 else data.encode()

    async def open(self, url: str) -> None:
        """Go to a page."""
        await self.call("Network.enable")
        await self.call("Page.enable")
        await self.call("Page.navigate", url=url)

    async def until_received(self, text: bytes) -> None:
        """Wait until a websocket brought a text."""
        while text not in self.received:
            self._note(json.loads(await asyncio.wait_for(self._socket.receive_str(), PATIENCE_S)))

    async def picture(self) -> bytes:
        """The page as a PNG."""
        result = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(result["data"])


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Browser]:
    """A browser with an empty page."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
        "--window-size=1300,800", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        address = ""
        while not address:
            line = (await asyncio.wait_for(process.stderr.readline(), PATIENCE_S)).decode()
            assert line, "the browser has ended"
            if "DevTools listening on ws://" in line:
                address = line.split("ws://")[1].split("/")[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{address}/json/list") as answer:
                pages = [page for page in await answer.json() if page["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Browser(socket)
    finally:
        process.terminate()
        # To the end of its pipe: a transport that is left open complains after the loop is gone.
        await process.communicate()
