"""File content to send: from a path, from bytes, or from a stream.

An upload is a value that is cheap to hold: a path stays a path, and is read in pieces
when it is sent. The media type is told from the first bytes.
"""

from __future__ import annotations

import mimetypes
import os
import threading
from collections.abc import AsyncIterable
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote, urlsplit

import attrs

from ._value import Value


HEAD: Final = 16
"""How many bytes tell a media type."""

SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
)

UNKNOWN_TYPE: Final = "application/octet-stream"


class StreamSource:
    """A stream to read from: an open binary file, or an async iterable of bytes.

    A file that can be rewound may be sent any number of times, also at the same time;
    any other stream is sent once.

    Attributes:
        stream: The file or async iterable; gone after pickling.
        start: Where the content of a rewindable file begins; None for other streams.
        started: Whether reading has begun.
    """

    def __init__(self, stream: IO[bytes] | AsyncIterable[bytes] | None) -> None:
        self.stream: IO[bytes] | AsyncIterable[bytes] | None = stream
        self.started: bool = False
        self.start: int | None = None
        self._lock = threading.Lock()
        if stream is not None and not isinstance(stream, AsyncIterable):
            self.start = stream.tell() if stream.seekable() else None

    def __reduce__(self) -> tuple[type[StreamSource], tuple[None]]:
        """Leave the stream behind: it can't go with a pickle."""
        return type(self), (None,)

    @property
    def repeatable(self) -> bool:
        """Whether the content can be sent (again)."""
        return self.start is not None or not (self.started or self.stream is None)

    def read_at(self, offset: int, length: int) -> bytes:
        """Read up to *length* bytes of a file, *offset* bytes after its start."""
        self.started = True
        file: IO[bytes] = self.stream  # type: ignore[assignment]  # callers know
        with self._lock:
            if self.start is not None:
                file.seek(self.start + offset)
            return file.read(length)

    def size(self) -> int | None:
        """Return the number of bytes from the start to the end, or None."""
        if self.start is None:
            return None
        file: IO[bytes] = self.stream  # type: ignore[assignment]  # has a start
        with self._lock:
            return file.seek(0, os.SEEK_END) - self.start


@attrs.frozen(eq=False, repr=False)
class UrlSource(Value):
    """A link to read from, each time the upload is sent.

    Attributes:
        url: An http or https address.
    """

    url: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Upload(Value):
    """A file to send: `from_path`, `from_bytes`, `from_stream` or `from_url` make one.

    Attributes:
        source: The path, the bytes, the stream, or the link.
        filename: The name the service sees.
        media_type: Such as `"image/png"`.
        size: Length in bytes when the upload was made; None if unknown.
    """

    source: Path | bytes | StreamSource | UrlSource = attrs.field(repr=False)
    filename: str
    media_type: str
    size: int | None

    def __str__(self) -> str:
        """Return the file's name, for messages."""
        return self.filename

    @property
    def repeatable(self) -> bool:
        """Whether the content can be sent (again): False for a stream in use."""
        return not isinstance(self.source, StreamSource) or self.source.repeatable

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Upload:
        """Send the file at *path*, streamed from disk.

        Only its first bytes are read now, to tell the media type.

        Raises:
            OSError: The file is missing or can't be read.
        """
        source = Path(path)
        with source.open("rb") as file:
            head = file.read(HEAD)
            size = os.fstat(file.fileno()).st_size
        return cls(
            source=source,
            filename=source.name,
            media_type=media_type_of(head, source.name),
            size=size,
        )

    @classmethod
    def from_bytes(
        cls, content: bytes, filename: str = "upload", *, media_type: str | None = None
    ) -> Upload:
        """Send *content* under the name *filename*."""
        return cls(
            source=bytes(content),
            filename=filename,
            media_type=media_type or media_type_of(content[:HEAD], filename),
            size=len(content),
        )

    @classmethod
    def from_stream(
        cls,
        stream: IO[bytes] | AsyncIterable[bytes],
        filename: str = "upload",
        *,
        media_type: str | None = None,
    ) -> Upload:
        """Send what *stream* holds, from its present position on.

        A file that can be rewound may be sent again (after a refusal, or in another
        request). A pipe or an async iterable is sent once, and never again; its media
        type is told from *filename* unless given.

        Args:
            stream: A file opened in binary mode, or an async iterable of bytes.
            filename: The name the service sees.
            media_type: Such as `"image/png"`.
        """
        source = StreamSource(stream)
        head = None if source.start is None else source.read_at(0, HEAD)
        return cls(
            source=source,
            filename=filename,
            media_type=media_type or media_type_of(head, filename),
            size=source.size(),
        )

    @classmethod
    def from_url(
        cls, url: str, filename: str | None = None, *, media_type: str | None = None
    ) -> Upload:
        """Send what *url* holds, streamed through and not kept.

        It is fetched, without any key, each time the upload is sent.

        Args:
            url: An http or https address.
            filename: The name the service sees; from *url* if omitted.
            media_type: Such as `"image/png"`; told from the name if omitted.

        Raises:
            ValueError: *url* is no such address.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"url must be an http or https address, got {url!r}")
        name = filename or unquote(parts.path.rpartition("/")[2]) or "upload"
        return cls(
            source=UrlSource(url),
            filename=name,
            media_type=media_type or media_type_of(None, name),
            size=None,
        )


def media_type_of(head: bytes | None, filename: str = "") -> str:
    """Tell a media type from the first bytes; from the name if they are unknown.

    A name alone never makes an image of content that has no image's signature.
    """
    head, seen = head or b"", head is not None
    for signature, media_type in SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    guessed = mimetypes.guess_type(filename)[0] or UNKNOWN_TYPE
    return UNKNOWN_TYPE if seen and guessed.startswith("image/") else guessed
