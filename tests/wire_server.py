"""A strict HTTP server that records what comes, and knows nothing of this package.

It takes requests apart by the letter of RFC 9112 and RFC 7578, without the help of any
HTTP library, and answers 400 to what is not well-formed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")
PART_HEADER = re.compile(rb"([A-Za-z-]+): ([^\r\n]*)")
"""What browsers send: a name may hold anything but line ends."""
REQUEST_LINE = re.compile(rb"([A-Z]+) (/[!-~]*) HTTP/1\.1")
FORM_TYPE = re.compile(r"multipart/form-data; boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})")
DISPOSITION = re.compile(r'form-data; name="([^"\r\n]*)"(?:; filename="([^"\r\n]*)")?')
ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}


class MalformedError(Exception):
    """The request is not well-formed; says where."""


@dataclass
class PartRecord:
    """One part of a form as it came."""

    name: str
    filename: str | None
    media_type: str | None
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the digest of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Record:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    parts: list[PartRecord] | None = None

    @property
    def path(self) -> str:
        """Return the path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[list[str]]:
        """Return the members of the query, in order."""
        query = self.target.partition("?")[2]
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        return [list(pair) for pair in pairs]

    @property
    def content_type(self) -> str | None:
        """Return the media type of the body, without parameters."""
        given = self.headers.get("content-type")
        return given and given.partition(";")[0]

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body.decode())


@dataclass
class WireServer:
    """Answers every request with *answer*, and keeps what came in *records*."""

    answer: Any = field(default_factory=dict)
    url: str = ""
    records: list[Record] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    connections: int = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take one request, answer it, and close."""
        self.connections += 1
        status, answer = b"200 OK", self.answer
        try:
            self.records.append(await read_record(reader))
        except (MalformedError, asyncio.IncompleteReadError) as error:
            self.faults.append(str(error))
            status, answer = b"400 Bad Request", {"error": str(error)}
        body = json.dumps(answer, ensure_ascii=False).encode()
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nConnection: close\r\n"
        writer.write(head % status + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def wire_server() -> AsyncIterator[WireServer]:
    """Run a server on a free port of this machine."""
    server = WireServer()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield server


async def read_record(reader: asyncio.StreamReader) -> Record:
    """Read one request whose length is told, and its form if it is one."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    start = REQUEST_LINE.fullmatch(first) or _refuse("request line", first)
    headers = _headers(lines)
    _check(start[2].count(b"#") == 0, "fragment in the target", start[2])
    _check("transfer-encoding" not in headers, "length is not told", b"")
    length = headers.get("content-length", "0")
    _check(length.isdecimal(), "content length", length.encode())
    body = await reader.readexactly(int(length))
    record = Record(start[1].decode(), start[2].decode(), headers, body)
    if record.method == "GET":
        _check(not body, "body of a GET", body)
    elif record.content_type == "multipart/form-data":
        record.parts = _parts(headers["content-type"], body)
    return record


def _headers(lines: list[bytes], form: re.Pattern[bytes] = HEADER) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        match = form.fullmatch(line) or _refuse("header", line)
        name = match[1].decode().lower()
        _check(name not in headers, "header given twice", line)
        headers[name] = match[2].decode().strip(" \t")
    return headers


def _parts(content_type: str, body: bytes) -> list[PartRecord]:
    match = FORM_TYPE.fullmatch(content_type) or _refuse(
        "content type", content_type.encode()
    )
    delimiter = b"--" + match[1].encode()
    _check(body.startswith(delimiter + b"\r\n"), "start of the form", body[:80])
    _check(
        body.endswith(b"\r\n" + delimiter + b"--\r\n"), "end of the form", body[-80:]
    )
    inner = body[len(delimiter) + 2 : -len(delimiter) - 6]
    return [_part(piece) for piece in inner.split(b"\r\n" + delimiter + b"\r\n")]


def _part(piece: bytes) -> PartRecord:
    head, blank, content = piece.partition(b"\r\n\r\n")
    _check(bool(blank), "part without a blank line", piece[:80])
    headers = _headers(head.split(b"\r\n"), PART_HEADER)
    disposition = headers.pop("content-disposition", "")
    media_type = headers.pop("content-type", None)
    _check(not headers, "header of a part", head)
    match = DISPOSITION.fullmatch(disposition) or _refuse("disposition", head)
    filename = match[2] if match[2] is None else _unescaped(match[2])
    return PartRecord(_unescaped(match[1]), filename, media_type, content)


def _unescaped(text: str) -> str:
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return text


def _check(condition: bool, what: str, where: bytes) -> None:  # noqa: FBT001
    if not condition:
        _refuse(what, where)


def _refuse(what: str, where: bytes) -> Any:
    raise MalformedError(f"{what}: {where[:200]!r}")
