"""Request bodies, made afresh for every attempt; files are streamed in pieces.

aiohttp's own form costs two and a half times a whole request where there is no file,
and gives no exact length where there is one; so the pieces come from `_http.multipart`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, cast

import aiohttp
import anyio
import attrs

from ._http import HttpRequest, multipart
from ._ready import backend_ready
from ._threads import opened
from .errors import TransportError
from .uploads import StreamSource, Upload, UrlSource


CHUNK: Final = 256 * 1024
BINARY: Final = "application/octet-stream"

Fetch = Callable[
    [str, AsyncExitStack], Awaitable[tuple[AsyncIterator[bytes], int | None]]
]
"""Opens a link until the stack is closed; returns its content and its length."""


class Body:
    """The body of one attempt.

    Attributes:
        content: What aiohttp sends: whole, in pieces, or None.
        headers: Type and length of a form that is streamed.
        is_streamed: Whether it has files, so that it must be opened.
        fault: Why a file could not be read to its end, once that has happened: the
            service then has only a part of the request, and can't run it.
    """

    __slots__ = ("_pieces", "content", "fault", "headers", "is_streamed")

    def __init__(self, step: HttpRequest) -> None:
        self.content: _Whole | AsyncIterator[bytes] | None = None
        self.headers: dict[str, str] = {}
        self.fault = ""
        self.is_streamed = False
        if step.form:
            boundary = os.urandom(16).hex()
            media_type = f"multipart/form-data; boundary={boundary}"
            pieces: list[Any] = multipart(step.form, boundary.encode())
            self.is_streamed = Upload in map(type, pieces)
            if self.is_streamed:
                self.headers["Content-Type"] = media_type
                self._pieces: list[bytes | Upload] = pieces
            else:
                self.content = _Whole(b"".join(pieces), media_type)
        elif step.content is not None:
            self.content = _Whole(step.content, BINARY)

    async def open(self, files: AsyncExitStack, fetch: Fetch) -> None:
        """Open and measure the files of a form that has some.

        Args:
            files: Closes the files at the end.
            fetch: Opens a link.

        Raises:
            TransportError: A file can't be opened; nothing was sent.
        """
        await backend_ready()
        pieces = [
            await self._open(piece, files, fetch)
            if isinstance(piece, Upload)
            else piece
            for piece in self._pieces
        ]
        sizes = [len(p) if isinstance(p, bytes) else p.size for p in pieces]
        if None not in sizes:
            self.headers["Content-Length"] = str(sum(cast("list[int]", sizes)))
        self.content = self._stream(pieces)

    async def _open(
        self, upload: Upload, files: AsyncExitStack, fetch: Fetch
    ) -> _Reader:
        if not isinstance(upload.source, UrlSource):
            return await _opened_file(upload, files)
        try:
            chunks, size = await fetch(upload.source.url, files)
        except Exception as error:
            reason = str(error) or type(error).__name__
            self.fault = f"can't fetch the upload {upload.filename}: {reason}"
            raise
        return _Reader(upload.filename, chunks, size)

    async def _stream(self, pieces: list[bytes | _Reader]) -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            try:
                async for chunk in piece.chunks():
                    yield chunk
            except Exception as error:
                self.fault = f"{piece.filename} could not be read to its end: {error}"
                raise


class _Whole(aiohttp.BytesPayload):
    """A body that is there as a whole: what aiohttp makes of bytes, in fewer steps.

    Args:
        content: The body.
        media_type: What it is, where the header fields of the step don't say.
    """

    def __init__(self, content: bytes, media_type: str) -> None:
        aiohttp.Payload.__init__(self, content, content_type=media_type)
        self._size = len(content)


@attrs.define(eq=False, repr=False)
class _Reader:
    """Reads one upload in pieces, exactly as many bytes as were promised."""

    filename: str
    source: bytes | StreamSource | IO[bytes] | AsyncIterator[bytes]
    size: int | None

    async def chunks(self) -> AsyncIterator[bytes]:
        sent = 0
        async for chunk in self._pieces():
            sent += len(chunk)
            yield chunk
        if self.size is not None and sent != self.size:
            raise EOFError(f"{sent} bytes came of {self.size}")

    async def _pieces(self) -> AsyncIterator[bytes]:
        stream: Any = self.source
        if isinstance(self.source, StreamSource):
            _raise_if_used(self.source)
            self.source.started = True
            stream = self.source.stream
        if isinstance(stream, AsyncIterable):
            async for chunk in cast("AsyncIterable[bytes]", stream):
                yield chunk
            return
        at = 0
        while self.size is None or at < self.size:
            length = CHUNK if self.size is None else min(CHUNK, self.size - at)
            chunk = await self._read(at, length)
            if not chunk:
                return
            at += len(chunk)
            yield chunk

    async def _read(self, at: int, length: int) -> bytes:
        source = self.source
        if isinstance(source, bytes):
            return source[at : at + length]
        if isinstance(source, StreamSource):
            return await anyio.to_thread.run_sync(source.read_at, at, length)
        return await anyio.to_thread.run_sync(cast("IO[bytes]", source).read, length)


async def _opened_file(upload: Upload, files: AsyncExitStack) -> _Reader:
    source = upload.source
    if isinstance(source, bytes):
        return _Reader(upload.filename, source, len(source))
    try:
        if isinstance(source, StreamSource):
            _raise_if_used(source)
            return _Reader(upload.filename, source, source.size())
        file = await opened(partial(_binary, cast("Path", source)))
        files.callback(file.close)
        return _Reader(upload.filename, file, os.fstat(file.fileno()).st_size)
    except OSError as error:
        reason = f"{error.strerror}: {source}"
    except ValueError as error:  # a stream that is closed, or used up
        reason = f"{error}: {upload.filename}"
    raise TransportError(f"can't read the upload: {reason}", delivery="not_sent")


def _raise_if_used(source: StreamSource) -> None:
    if not source.repeatable:
        raise ValueError("the stream was read before, or left behind by pickling")


def _binary(path: Path) -> IO[bytes]:
    return path.open("rb")
