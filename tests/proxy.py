"""A forward proxy, written from HTTP alone: CONNECT, and the absolute form."""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from .servers import HOST


class Proxy:
    """A proxy on 127.0.0.1 that keeps every byte of its clients.

    Args:
        password: What it asks for, as `name:password`; None if it is open.
        refuses: The status with which it refuses everything; None if it doesn't.
    """

    def __init__(self, password: str | None = None, refuses: int | None = None) -> None:
        self.heads: list[bytes] = []
        self.carried = b""
        self._password = password
        self._refuses = refuses
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address, with the password."""
        user = f"{self._password}@" if self._password else ""
        port = self._server.sockets[0].getsockname()[1]
        return f"http://{user}{HOST}:{port}"

    @property
    def bare_url(self) -> str:
        """Its address, without the password."""
        return f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    @property
    def targets(self) -> list[bytes]:
        """Method and target of every request."""
        return [head.rpartition(b" ")[0] for head in self._lines]

    @property
    def _lines(self) -> list[bytes]:
        return [head.partition(b"\r\n")[0] for head in self.heads]

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, HOST)
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
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            self.carried += head
            if (status := self._complaint(head)) is not None:
                writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
                await writer.drain()
            else:
                await self._relay(head, reader, writer)
        writer.transport.abort()

    def _complaint(self, head: bytes) -> int | None:
        if self._refuses is not None or self._password is None:
            return self._refuses
        token = base64.b64encode(self._password.encode())
        return None if b"Proxy-Authorization: Basic " + token in head else 407

    async def _relay(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        method, target, _ = head.split(b" ", 2)
        if method == b"CONNECT":
            host, _, port = target.decode().partition(":")
            onward = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 Go on\r\n\r\n")
        else:
            address = urlsplit(target.decode())
            onward = await asyncio.open_connection(address.hostname, address.port)
            path = target.decode().removeprefix(f"http://{address.netloc}")
            onward[1].write(head.replace(target, path.encode(), 1))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(reader, onward[1], keep=True))
            group.create_task(self._pump(onward[0], writer, keep=False))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, keep: bool
    ) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65536):
                if keep:
                    self.carried += piece
                writer.write(piece)
                await writer.drain()
        writer.close()
