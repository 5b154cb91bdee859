"""HTTP requests and responses as plain values; nothing here touches a socket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, SupportsIndex, cast

from .uploads import Upload


NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

new_tuple: Final = cast("Any", tuple).__new__
"""Makes a named tuple of all its fields, in fewer steps than its class."""

PASSWORD: Final = re.compile(r"//[^/\s]*@")
"""Names and passwords in an address, such as that of a proxy."""


class Secret(str):
    """A text like any other, but for its repr: tracebacks may show that of locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return stars."""
        return "'***'"

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        """Return stars: what shows long texts cuts them."""
        return "***"


class Part(NamedTuple):
    """One part of a multipart form.

    Attributes:
        name: Name of the field.
        content: Bytes, or a file to stream.
        media_type: Of the content; None for a plain text field.
    """

    name: str
    content: bytes | Upload
    media_type: str | None = None


@lru_cache(maxsize=256)
def _header(name: str, filename: str | None, media_type: str | None) -> bytes:
    """Return all that stands between the boundary and the content."""
    head = f'Content-Disposition: form-data; name="{_escaped(name)}"'
    if filename is not None:
        head += f'; filename="{_escaped(filename)}"'
    if media_type:
        head += f"\r\nContent-Type: {_escaped(media_type)}"
    return f"{head}\r\n\r\n".encode(errors="replace")


class HttpRequest(NamedTuple):
    """One step of an exchange: one HTTP request to send.

    The body is either `content`, or a multipart `form`, or nothing.

    Attributes:
        method: HTTP method.
        url: Absolute address.
        headers: Header fields; the key is here and nowhere else.
        content: The body, where it is no form.
        form: The parts of a multipart form.
        places: Places it takes in the service's limit.
        delay: Seconds to wait before it is sent, as for a poll.
    """

    method: str
    url: str
    headers: Mapping[str, str] = NO_HEADERS
    content: bytes | None = None
    form: tuple[Part, ...] = ()
    places: int = 0
    delay: float = 0.0

    def __repr__(self) -> str:
        """Return where it goes: the header fields hold the key."""
        return f"<HttpRequest {self.method} {self.url}>"

    @property
    def is_harmless(self) -> bool:
        """Whether sending it twice costs nothing and changes nothing."""
        return self.method == "GET"

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """The files to stream."""
        return tuple([p.content for p in self.form if isinstance(p.content, Upload)])

    @property
    def is_repeatable(self) -> bool:
        """Whether its body can be sent (again): no stream in it is used up."""
        return all(upload.repeatable for upload in self.uploads)


class HttpResponse(NamedTuple):
    """One reply.

    Attributes:
        status: HTTP status code.
        headers: Header fields; their names are asked for in lower case.
        body: What came of the body.
        complete: False if the connection ended before the body did.
        received: When it came, in seconds since 1970; the base of a `Retry-After` date.
    """

    status: int
    headers: Mapping[str, str] = NO_HEADERS
    body: bytes = b""
    complete: bool = True
    received: float = 0.0

    def __repr__(self) -> str:
        """Return the status: the body may quote the key."""
        return f"<HttpResponse {self.status}, {len(self.body)} bytes>"


def multipart(form: tuple[Part, ...], boundary: bytes) -> list[bytes | Upload]:
    """Return the pieces of a multipart body in order; files are left to be streamed."""
    start = b"--%b\r\n" % boundary
    pieces: list[bytes | Upload] = []
    for name, content, media_type in form:
        if isinstance(content, Upload):
            head = _header(name, content.filename, media_type)
            pieces += (start + head, content, b"\r\n")
        else:
            head = _header(name, None, media_type)
            pieces.append(b"".join((start, head, content, b"\r\n")))
    pieces.append(b"--%b--\r\n" % boundary)
    return pieces


def without_password(text: str) -> str:
    """Return *text* without names and passwords in its addresses."""
    return PASSWORD.sub("//", text)


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
