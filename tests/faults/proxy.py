"""A proxy on 127.0.0.1 between client and sandbox, which breaks what it is told.

It reads a request, asks the sandbox, and writes the answer; a fault may strike at every
stage of that. What a fault is stands in `faults`: a small value, told of the stages.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Literal, Self

import attrs

from ..servers import HOST, PNG


Stage = Literal[
    "connected", "head", "body", "asked", "answering", "half answered", "answered"
]
"""How far a request is: the connection is there; its head has come; some of its body
has come; it was passed on, ran and is billed; half of the answer's head was written;
half of its body; all of it."""

PICTURE = b"/picture.png"
CAT = PNG + b"\x00\x00\x00\x00IEND\xaeB`\x82"
"""The image at `PICTURE`."""
NAME = "service.test"
"""A name that only `Fault.port` can find."""


@attrs.frozen
class Answer:
    """What the sandbox answers.

    Attributes:
        status: Such as `b"200 OK"`.
        headers: Header fields, names in lower case.
        body: The body.
    """

    status: bytes
    headers: dict[str, str]
    body: bytes

    def raw(self) -> bytes:
        """Return it as it goes over the wire."""
        fields = [f"{name}: {value}" for name, value in self.headers.items()]
        head = "\r\n".join(["", *fields, "", ""]).encode()
        return b"HTTP/1.1 " + self.status + head + self.body

    def with_body(self, body: bytes, **headers: str) -> Answer:
        """Return it with another body, and its length."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        fields = {**self.headers, "content-length": str(len(body)), **named}
        return attrs.evolve(self, body=body, headers=fields)


class Broken(Exception):  # noqa: N818  # no error: a fault has struck
    """The connection is at its end."""


@attrs.define(eq=False)
class Line:
    """One connection of a client.

    Attributes:
        reader: What the client sends.
        writer: What it gets.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def reset(self) -> None:
        """Drop the connection so that the client gets RST."""
        linger = struct.pack("ii", 1, 0)
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()
        raise Broken

    async def close(self) -> None:
        """Close the connection in good order."""
        await self.writer.drain()
        self.writer.close()
        raise Broken

    async def half_close(self) -> None:
        """Say that no more comes, and go on to listen."""
        await self.writer.drain()
        self.writer.write_eof()
        await self.stall()

    async def stall(self) -> None:
        """Listen, and never say anything, until the client has left."""
        while await self.reader.read(1 << 16):
            pass
        raise Broken


class Fault:
    """What goes wrong; this one is nothing.

    Attributes:
        is_early: Whether it strikes before a request can have come.
        runs: Whether the request is passed on, so that it runs and is billed.
        is_silent: Whether it only ends by a timeout.
        answers_at_once: Whether the answer is written in one piece.
        needs_name: Whether it is for an address that is a name.
        needs_idle: Whether it is for connections that were used before.
        needs_tls: Whether it is for connections with TLS.
    """

    is_early = False
    runs = True
    is_silent = False
    answers_at_once = True
    needs_name = False
    needs_idle = False
    needs_tls = False

    async def meet(self, stage: Stage, line: Line) -> None:
        """Be told that the request on *line* is so far."""

    async def strike(self, line: Line) -> None:
        """Be told of a line that is idle."""

    def raw(self, answer: Answer) -> bytes:
        """Return what is written instead of *answer*."""
        return answer.raw()

    def port(self, port: int, stack: ExitStack) -> int | None:
        """Return where the service is said to be, until *stack* ends, if it is."""
        return port

    def context(self, good: ssl.SSLContext) -> ssl.SSLContext | None:
        """Return the certificate that is shown; None if TLS isn't spoken at all."""
        return good


class FaultyProxy:
    """Listens on 127.0.0.1, passes requests on, and lets a fault strike so many times.

    Args:
        fault: What goes wrong.
        upstream: Port of the sandbox.
        tls: The certificate, where TLS is spoken.

    Attributes:
        left: How many times the fault still strikes.
        heads: The head of every request that came.
    """

    def __init__(
        self, fault: Fault, upstream: int, tls: ssl.SSLContext | None = None
    ) -> None:
        self.fault = fault
        self.left = 0.0
        self.heads: list[bytes] = []
        self.port = 0
        self._upstream = upstream
        self._tls = tls
        self._lines: dict[Line, asyncio.Task[None]] = {}

    @property
    def url(self) -> str:
        """Its address; by its name where only the fault knows where that is."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{NAME if self.fault.needs_name else HOST}:{self.port}"

    @property
    def link(self) -> str:
        """The link of an image; the sandbox would take long to paint one."""
        return self.url + PICTURE.decode()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, HOST)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Drop everybody."""
        self._server.close()
        for task in list(self._lines.values()):
            task.cancel()
        await asyncio.gather(*self._lines.values(), return_exceptions=True)

    async def strike_idle(self) -> None:
        """Let the fault strike all connections that are idle."""
        for line in list(self._lines):
            with suppress(Broken):
                await self.fault.strike(line)
        await asyncio.sleep(0.02)  # for the loop to hear of it

    def drawn(self, *, early: bool = False) -> Fault:
        """Return what strikes now, if anything."""
        if self.left <= 0 or self.fault.is_early is not early:
            return Fault()
        self.left -= 1
        return self.fault

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        line = Line(reader, writer)
        task = asyncio.create_task(self._serve(line))
        self._lines[line] = task
        task.add_done_callback(lambda _: self._lines.pop(line))

    async def _serve(self, line: Line) -> None:
        try:
            early = Fault() if self.fault.needs_name else self.drawn(early=True)
            if self._tls and (context := early.context(self._tls)):
                await line.writer.start_tls(context)
            await early.meet("connected", line)
            while not line.writer.is_closing():
                head = await line.reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                await self._pass_on(head, line, self.drawn())
        except (OSError, asyncio.IncompleteReadError, Broken):
            pass
        finally:
            line.writer.transport.abort()

    async def _pass_on(self, head: bytes, line: Line, fault: Fault) -> None:
        await fault.meet("head", line)
        size = int(_fields(head).get("content-length", "0"))
        body = await line.reader.readexactly(min(size, 1))
        await fault.meet("body", line)
        body += await line.reader.readexactly(max(size - 1, 0))
        answer = Answer(b"200 OK", {}, b"")
        if PICTURE in head.partition(b"\r\n")[0]:
            answer = Answer(b"200 OK", {"content-length": str(len(CAT))}, CAT)
        elif fault.runs:
            answer = await self._asked(head + body)
        await fault.meet("asked", line)
        raw = fault.raw(answer)
        end = raw.find(b"\r\n\r\n") + 4
        half_head, half_body = end // 2, end + (len(raw) - end) // 2
        stages: dict[Stage, int] = {"answered": len(raw)}
        if not fault.answers_at_once:
            stages = {"answering": half_head, "half answered": half_body, **stages}
        written = 0
        for stage, until in stages.items():
            line.writer.write(raw[written:until])
            await line.writer.drain()
            written = until
            await fault.meet(stage, line)

    async def _asked(self, request: bytes) -> Answer:
        reader, writer = await asyncio.open_connection(HOST, self._upstream)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            headers = _fields(head)
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        finally:
            writer.close()
        status = head.partition(b"\r\n")[0].partition(b" ")[2]
        return Answer(status, headers, body)


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").rstrip().split("\r\n")[1:]
    pairs = (line.split(":", 1) for line in lines)
    return {name.lower(): value.strip() for name, value in pairs}
