"""Small servers that misbehave on purpose, written from HTTP alone, and their clients.

A `Server` listens on 127.0.0.1 and follows a script: each request that comes, in order
of arrival, meets the next act, and the last act goes on for ever. It counts what a
paid service would count: connections, requests as they came, and how often each prompt
was run, which is what is billed.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

import anyio
import attrs

from ideogram_async import IdeogramClient, RetryPolicy


HOST = "127.0.0.1"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
"""Begins as an image does, which is all that anybody here looks at."""
LINK = (
    "https://ideogram.ai/api/images/ephemeral/xtdZiqPwRxqY1Y7NExFmzB.png?exp=1743867804"
)

QUICK = RetryPolicy(attempts=3, wait_initial=0.01, wait_max=0.02)
"""A policy for tests: no wait is worth a mention."""

PROMPT = re.compile(rb'name="prompt"\r\n\r\n(.*?)\r\n--', re.DOTALL)

Act = Callable[["Visit"], Awaitable[None]]
"""What a server does about one request."""


@attrs.define
class Seen:
    """One request as it came.

    Attributes:
        method: Such as `"POST"`.
        target: Path and query.
        headers: Header fields, names in lower case.
        head: All before the body, raw.
        connection: Number of the connection that it came on, from 1.
        body: What was read of the body, without the framing of chunks.
        size: How many bytes that were, also where they were not kept.
        is_whole: Whether the body was read to its end.
    """

    method: str
    target: str
    headers: dict[str, str]
    head: bytes
    connection: int
    body: bytes = b""
    size: int = 0
    is_whole: bool = False

    @property
    def prompt(self) -> str:
        """The prompt in the form."""
        found = PROMPT.search(self.body)
        return found[1].decode() if found else ""


class Server:
    """A server on 127.0.0.1 that follows a script.

    Args:
        acts: What it does about the first request, the second, and so on.
        port: Where it listens; any free port if omitted.
        ssl: Its certificate, if it speaks TLS.
    """

    def __init__(
        self, *acts: Act, port: int = 0, ssl: SSLContext | None = None
    ) -> None:
        self.connections = 0
        self.requests: list[Seen] = []
        self.runs: Counter[str] = Counter()
        self.in_progress = 0
        self.peak = 0
        self._script = iter(acts)
        self._act = acts[-1] if acts else answer()
        self._port = port
        self._ssl = ssl
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address."""
        scheme = "https" if self._ssl else "http"
        return f"{scheme}://{HOST}:{self._port}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def ran(self) -> int:
        """How many requests ran, and would be billed."""
        return self.runs.total()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(
            self._accept, HOST, self._port, backlog=1000, ssl=self._ssl
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Drop everybody."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        try:
            while not writer.is_closing():
                seen = _parsed(await reader.readuntil(b"\r\n\r\n"), number)
                self.requests.append(seen)
                act = self._act = next(self._script, self._act)
                await act(Visit(self, seen, reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


@attrs.define(eq=False)
class Visit:
    """One request being served.

    Attributes:
        server: Where.
        seen: The request, as far as it was read.
        reader: What the client sends.
        writer: What it gets.
    """

    server: Server
    seen: Seen
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read(self, *, keep: bool = True, at_most: int | None = None) -> None:
        """Read the body, or its first bytes, unless it was read already."""
        if self.seen.is_whole:
            return
        async for piece in self._pieces():
            self.seen.size += len(piece)
            if keep:
                self.seen.body += piece
            if at_most is not None and self.seen.size >= at_most:
                return
        self.seen.is_whole = True

    async def run(self, *, seconds: float = 0.0) -> None:
        """Read the request and do what it asks for: from here on it is billed."""
        await self.read()
        self.server.runs[self.seen.prompt] += 1
        self.server.in_progress += 1
        self.server.peak = max(self.server.peak, self.server.in_progress)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.server.in_progress -= 1

    def send(
        self,
        status: int,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        length: int | None = None,
    ) -> None:
        """Write a reply that promises *length* bytes, all of them if omitted."""
        promised = len(body) if length is None else length
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {promised}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    def reset(self) -> None:
        """Drop the connection so that the client gets RST."""
        linger = struct.pack("ii", 1, 0)
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def hang_up(self) -> None:
        """Close the connection in good order, whatever was promised."""
        await self.writer.drain()
        self.writer.close()

    async def _pieces(self) -> AsyncIterator[bytes]:
        if self.seen.headers.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                yield await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
            return
        left = int(self.seen.headers.get("content-length", "0"))
        while left:
            piece = await self.reader.read(min(left, 256 * 1024))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece


def answer(
    *, after: float = 0.0, headers: dict[str, str] | None = None, **fields: Any
) -> Act:
    """Run the request and answer as the service does."""

    async def act(visit: Visit) -> None:
        await visit.run(seconds=after)
        visit.send(200, answer_body(visit.seen.prompt, **fields), headers)

    return act


def answer_body(prompt: str = "a cat", **fields: Any) -> bytes:
    """Return the documented answer about *prompt*, with other *fields* in its image."""
    image = {
        "url": LINK,
        "prompt": prompt,
        "resolution": "1024x1024",
        "is_image_safe": True,
        "seed": 12345,
        "style_type": "GENERAL",
    }
    answered = {"created": "2025-01-23T04:56:07Z", "data": [image | fields]}
    return json.dumps(answered).encode()


def refuse(
    status: int,
    body: bytes = b'{"error": "no"}',
    headers: dict[str, str] | None = None,
    *,
    after: float = 0.0,
) -> Act:
    """Say no, and run nothing."""

    async def act(visit: Visit) -> None:
        await visit.read()
        await asyncio.sleep(after)
        visit.send(status, body, headers)

    return act


def fail(status: int, body: bytes = b'{"error": "oops"}') -> Act:
    """Run the request, and fail before the answer."""

    async def act(visit: Visit) -> None:
        await visit.run()
        visit.send(status, body)

    return act


def reply(
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    status: int = 200,
    length: int | None = None,
) -> Act:
    """Run the request and answer with *body*; hang up where more was promised."""

    async def act(visit: Visit) -> None:
        await visit.run()
        visit.send(status, body, headers, length=length)
        if length is not None:
            await visit.hang_up()

    return act


def write_raw(content: bytes) -> Act:
    """Run the request, write *content* as it stands, and hang up."""

    async def act(visit: Visit) -> None:
        await visit.run()
        visit.writer.write(content)
        await visit.hang_up()

    return act


def drip(body: bytes, *, pause: float, headers: dict[str, str] | None = None) -> Act:
    """Run the request and answer byte by byte."""

    async def act(visit: Visit) -> None:
        await visit.run()
        visit.send(200, b"", headers, length=len(body))
        for byte in body:
            visit.writer.write(bytes([byte]))
            await visit.writer.drain()
            await asyncio.sleep(pause)

    return act


def redirect(target: str, *, status: int = 307) -> Act:
    """Send the client elsewhere."""
    return refuse(status, b"", {"Location": target})


def capped(places: int, *, seconds: float) -> Act:
    """Answer as the service does: at most so many at once, and 429 for the rest."""
    serve, say_no = answer(after=seconds), refuse(429, b'{"error": "in flight"}')

    async def act(visit: Visit) -> None:
        is_full = visit.server.in_progress >= places
        await (say_no if is_full else serve)(visit)

    return act


async def silence(visit: Visit) -> None:
    """Run the request and never answer."""
    await visit.run()
    await visit.reader.read()


async def hang_up(visit: Visit) -> None:
    """Run the request and close the connection without an answer."""
    await visit.run()
    await visit.hang_up()


async def reset_before_body(visit: Visit) -> None:
    """Reset the connection when the head has come."""
    visit.reset()


async def reset_during_body(visit: Visit) -> None:
    """Reset the connection when the body has begun to come."""
    await visit.read(at_most=1)
    visit.reset()


async def reset_after_body(visit: Visit) -> None:
    """Run the request and reset the connection."""
    await visit.run()
    visit.reset()


async def reset_during_answer(visit: Visit) -> None:
    """Run the request and reset the connection after a part of the answer."""
    await visit.run()
    visit.send(200, b'{"created": ', length=1000)
    await visit.writer.drain()
    await asyncio.sleep(0.05)
    visit.reset()


def closed_port() -> int:
    """Return a port where nobody listens."""
    with socket.create_server((HOST, 0)) as sock:
        return int(sock.getsockname()[1])


@contextmanager
def unreachable() -> Iterator[int]:
    """Give a port where no connection is ever made: the queue is full."""
    with socket.create_server((HOST, 0), backlog=0) as listening:
        port = int(listening.getsockname()[1])
        waiting: Sequence[socket.socket] = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)  # noqa: FBT003  # the standard library's order
            each.connect_ex((HOST, port))
        try:
            yield port
        finally:
            for each in waiting:
                each.close()


@asynccontextmanager
async def client_of(url: str, **options: Any) -> AsyncGenerator[IdeogramClient]:
    """Make a client, and see that it leaves no place in use."""
    given = {"retry": QUICK, "timeout": 5.0} | options
    async with IdeogramClient("secret", base_url=url, **given) as client:
        yield client
        assert client.limiter.in_use == 0
        assert client.limiter.waiting == 0


@asynccontextmanager
async def serving(
    *acts: Act, **options: Any
) -> AsyncGenerator[tuple[Server, IdeogramClient]]:
    """Make a server with its script, and a client for it."""
    async with Server(*acts) as server, client_of(server.url, **options) as client:
        yield server, client


async def until(condition: Callable[[], object]) -> None:
    """Wait until *condition* is true."""
    while not condition():  # noqa: ASYNC110  # anything may be asked
        await anyio.sleep(0.002)


def _parsed(head: bytes, connection: int) -> Seen:
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    fields = (line.split(":", 1) for line in lines)
    headers = {name.lower(): value.strip() for name, value in fields}
    return Seen(method, target, headers, head, connection)
