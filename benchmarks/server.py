"""A server that costs little: it answers at once, and counts what it answered.

    python -m benchmarks.server [SECONDS]

Run in a process of its own, it prints its port, and ends with its standard input. It
answers every POST after SECONDS (0 if omitted) as the service that is asked would,
swallows bodies of any size, sends images of any size, and tells its ledger.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from . import ANSWER
from .figures import ENVIRONMENT, ROOT


PIECE: Final = 256 * 1024
PNG: Final = b"\x89PNG\r\n\x1a\n"
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)

LINK: Final = ANSWER["data"][0]["url"]
PREDICTION: Final = {
    "id": "gm3qorzdhgbfurvjtvhg6dckhu",
    "model": "ideogram-ai/ideogram-v3-turbo",
    "version": "dp-4d0bcc010b3049749a251855f12800be",
    "input": {"prompt": "a cat"},
    "output": LINK,
    "logs": "",
    "error": None,
    "status": "succeeded",
    "created_at": "2025-01-23T04:56:07.000Z",
    "urls": {"get": "https://api.replicate.com/v1/predictions/gm3qorzdhgbfurvj"},
}
"""Replicate's answer."""
IMAGES: Final = {"created": 1737608167, "data": ANSWER["data"]}
"""OpenAI's answer: its time is a number."""


def reply(body: bytes) -> bytes:
    """Return a whole response with *body*."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


ANSWERS: Final = {
    b"/v1/models/": reply(json.dumps(PREDICTION).encode()),
    b"/v1/images/": reply(json.dumps(IMAGES).encode()),
    b"/": reply(json.dumps(ANSWER).encode()),
}
"""Responses, by how the path begins."""
LOCAL: Final = b"/local/"
"""How it begins where the link in the answer is to lead to an image of this server."""


class Ledger:
    """What was served.

    Attributes:
        answered: Requests that were answered, but for those for the ledger.
        connections: Connections that were opened.
        received: Bytes of bodies.
        chunked: Bodies without a length, which are not read.
    """

    def __init__(self) -> None:
        self.answered = self.connections = self.received = self.chunked = 0


class Serving(asyncio.Protocol):
    """One connection."""

    def __init__(
        self, ledger: Ledger, seconds: float, answers: dict[bytes, bytes]
    ) -> None:
        self.ledger, self.seconds, self.answers = ledger, seconds, answers
        self.head = b""
        self.left = 0
        self.path = b""
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        """Count it."""
        self.transport = transport
        self.ledger.connections += 1

    def pause_writing(self) -> None:
        """Send no more of an image, for now."""
        self.flowing.clear()

    def resume_writing(self) -> None:
        """Send on."""
        self.flowing.set()

    def connection_lost(self, _: Exception | None) -> None:
        """Send nothing more."""
        if self.sending:
            self.sending.cancel()

    def data_received(self, data: bytes) -> None:
        """Read on: a head, or the body behind one."""
        while data:
            if self.left:
                taken = min(self.left, len(data))
                self.left -= taken
                self.ledger.received += taken
                data = data[taken:]
            else:
                self.head += data
                head, end, data = self.head.partition(b"\r\n\r\n")
                if not end:
                    return
                self.head = b""
                self.begin(head)
            if not self.left:
                self.answer()

    def begin(self, head: bytes) -> None:
        """Note what is asked, and how long its body is."""
        self.path = head.split(b" ", 2)[1]
        found = LENGTH.search(head)
        self.left = self.length = int(found[1]) if found else 0
        self.ledger.chunked += bool(CHUNKED.search(head))

    def answer(self) -> None:
        """Answer what is asked."""
        if self.path == b"/ledger":
            self.transport.write(reply(json.dumps(vars(self.ledger)).encode()))
            return
        self.ledger.answered += 1
        if self.path.startswith(b"/image/"):
            size = int(self.path.rsplit(b"/", 1)[1].split(b"?")[0])
            self.sending = asyncio.ensure_future(self.send_image(size))
        elif self.path.endswith(b"/upload_assets"):
            counts = {
                "total_count": self.length,
                "success_count": 1,
                "failure_count": 0,
            }
            self.transport.write(reply(json.dumps(counts).encode()))
        else:
            path = self.path
            found = next(each for each in self.answers if path.startswith(each))
            response = self.answers[found]
            if self.seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self.seconds, self.transport.write, response)
            else:
                self.transport.write(response)

    async def send_image(self, size: int) -> None:
        """Send an image of so many bytes, as fast as it is read."""
        head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
        self.transport.write(f"{head}Content-Length: {size}\r\n\r\n".encode() + PNG)
        piece, left = bytes(PIECE), size - len(PNG)
        while left:
            self.transport.write(piece[:left])
            left -= min(left, PIECE)
            await self.flowing.wait()


async def serve(seconds: float) -> None:
    """Serve until standard input ends."""
    ledger = Ledger()
    answers: dict[bytes, bytes] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Serving(ledger, seconds, answers), "127.0.0.1", 0, backlog=4096
    )
    port = server.sockets[0].getsockname()[1]
    image = ANSWER["data"][0] | {"url": f"http://127.0.0.1:{port}/image/2048?"}
    local = reply(json.dumps(ANSWER | {"data": [image]}).encode())
    answers |= {LOCAL: local, **ANSWERS}
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def running(seconds: float = 0.0) -> Generator[str]:
    """Run a server meanwhile; yield its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(seconds)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        if server.stdin is None or server.stdout is None:
            raise AssertionError("both are pipes")
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.stdin.close()
            server.wait()


def ledger_of(url: str) -> dict[str, int]:
    """Return what the server at *url* has counted."""
    with urllib.request.urlopen(f"{url}/ledger") as response:
        counts: dict[str, int] = json.load(response)
    return counts


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) if sys.argv[1:] else 0.0))
