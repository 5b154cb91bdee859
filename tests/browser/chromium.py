"""A headless Chromium, driven by the DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import attrs


PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
    "about:blank",
)


@attrs.define
class Tab:
    """A page that is open.

    Attributes:
        said: What the page wrote to its console, and the errors it met.
        asked: Addresses that it asked for.
    """

    socket: aiohttp.ClientWebSocketResponse
    said: list[str] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)
    _numbers: Any = attrs.field(factory=itertools.count)

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        await self.socket.send_json(message)
        while True:
            answer = await self.socket.receive_json(timeout=30)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        about = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.asked.append(about["request"]["url"])
        elif event.get("method") == "Log.entryAdded":
            self.said.append(about["entry"]["text"])
        elif event.get("method") in {
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Page.javascriptDialogOpening",
        }:
            self.said.append(str(about))

    async def show(self, address: str) -> None:
        """Go to *address*, and wait until it is there."""
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def ask(self, script: str) -> Any:
        """Return what *script* gives."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until *script* gives something true."""
        with anyio.fail_after(20):
            while not await self.ask(script):  # noqa: ASYNC110  # nothing tells
                await anyio.sleep(0.02)

    async def press(self, key: str) -> None:
        """Press a key that has a name, such as `"Enter"`."""
        codes = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}
        code: dict[str, Any] = {"key": key, "code": key}
        code |= {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
        code |= {"text": "\r"} if key == "Enter" else {}
        code |= {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, **code)

    async def type(self, text: str) -> None:
        """Type *text* where the focus is."""
        await self.call("Input.insertText", text=text)

    async def picture(self, path: Path) -> None:
        """Save what is seen, for people to look at."""
        shot = await self.call("Page.captureScreenshot")
        await anyio.Path(path).write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def browser(folder: Path, *options: str) -> AsyncIterator[Tab]:
    """Run a browser whose own files are in *folder* while the context lasts."""
    started = await anyio.open_process(
        [str(PROGRAM), f"--user-data-dir={folder}", *options, *OPTIONS],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        known = anyio.Path(folder / "DevToolsActivePort")
        with anyio.fail_after(30):
            while not await known.exists():  # noqa: ASYNC110  # nothing tells
                await anyio.sleep(0.05)
            port = ""
            while not port:  # nothing tells
                port = (await known.read_text()).partition("\n")[0]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.put("/json/new") as answer:
                address = (await answer.json())["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                tab = Tab(socket)
                for domain in ("Page", "Runtime", "Network", "Log"):
                    await tab.call(f"{domain}.enable")
                yield tab
    finally:
        started.kill()
        await started.wait()
