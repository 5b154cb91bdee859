"""The kinds of faults, each a small value: where it strikes, and how."""

from __future__ import annotations

import asyncio
import gzip
import math
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Literal

import attrs
import trustme

from ..servers import HOST, Server, closed_port, reply, unreachable
from .proxy import CAT, Answer, Fault, Line, Stage


How = Literal["reset", "closed", "half-closed", "silent"]
"""What becomes of a connection: RST; FIN; FIN of one direction; nothing ever again."""

Then = Literal["kept", "closed", "silent"]
"""What becomes of a connection after an answer."""


async def end(line: Line, how: How | Then) -> None:
    """Let *line* end so."""
    if how == "reset":
        line.reset()
    elif how == "closed":
        await line.close()
    elif how == "half-closed":
        await line.half_close()
    elif how == "silent":
        await line.stall()


@attrs.frozen
class Cut(Fault):
    """The connection ends at a stage of a request.

    Attributes:
        stage: When.
        how: How.
        needs_idle: Whether on a connection that was used before.
    """

    stage: Stage
    how: How
    needs_idle: bool = False
    answers_at_once = False

    @property
    def is_early(self) -> bool:
        """Whether it strikes before a request can have come."""
        return self.stage == "connected"

    @property
    def is_silent(self) -> bool:
        """Whether it only ends by a timeout."""
        return self.how == "silent"

    @property
    def runs(self) -> bool:
        """Whether the request runs before."""
        return self.stage not in {"connected", "head", "body"}

    async def meet(self, stage: Stage, line: Line) -> None:
        """End the connection at its stage."""
        if stage == self.stage:
            await end(line, self.how)


@attrs.frozen
class Idle(Fault):
    """Something happens to a connection that was used, and is kept for the next time.

    Attributes:
        how: How it ends.
        before: What is written to it before.
    """

    how: How | Then
    before: bytes = b""
    needs_idle = True

    async def strike(self, line: Line) -> None:
        """Let it happen."""
        line.writer.write(self.before)
        await end(line, self.how)


@attrs.frozen
class Reply(Fault):
    """Another answer comes than that of the sandbox.

    Attributes:
        make: Makes the bytes of the answer.
        then: What becomes of the connection.
        runs: Whether the request runs nevertheless.
    """

    make: Callable[[Answer], bytes]
    then: Then = "kept"
    runs: bool = True

    @property
    def is_silent(self) -> bool:
        """Whether it only ends by a timeout."""
        return self.then == "silent"

    def raw(self, answer: Answer) -> bytes:
        """Return what is written."""
        return self.make(answer)

    async def meet(self, stage: Stage, line: Line) -> None:
        """Do with the connection what is to be done."""
        if stage == "answered":
            await end(line, self.then)


@attrs.frozen
class Drip(Fault):
    """The answer comes slowly.

    Attributes:
        seconds: How long each of its five pieces is kept back.
    """

    seconds: float
    answers_at_once = False

    @property
    def is_silent(self) -> bool:
        """Whether it only ends by a timeout."""
        return math.isinf(self.seconds)

    async def meet(self, stage: Stage, line: Line) -> None:
        """Wait, unless nobody listens any more."""
        if stage in {"asked", "answering", "half answered"}:
            await line.writer.drain()
            await asyncio.sleep(self.seconds)


@attrs.frozen
class Jump(Fault):
    """The clock on the wall is set while the request is under way.

    Attributes:
        seconds: How far it is set forward.
    """

    seconds: float

    async def meet(self, stage: Stage, line: Line) -> None:
        """Set it."""
        if stage == "asked":
            clock = time.time
            time.time = lambda: clock() + self.seconds


@attrs.frozen
class Nowhere(Fault):
    """The service's name leads nowhere.

    Attributes:
        why: It is not known; nobody listens there; or nobody ever answers there.
    """

    why: Literal["unknown", "refused", "silent"]
    is_early = True
    runs = False
    needs_name = True

    @property
    def is_silent(self) -> bool:
        """Whether it only ends by a timeout."""
        return self.why == "silent"

    def port(self, port: int, stack: ExitStack) -> int | None:
        """Return another port, or none."""
        if self.why == "unknown":
            return None
        if self.why == "refused":
            return closed_port()
        return stack.enter_context(unreachable())


@attrs.frozen
class Tls(Fault):
    """TLS can't be established.

    Attributes:
        why: What is wrong with the certificate, or with the handshake.
    """

    why: Literal[
        "untrusted",
        "another name",
        "expired",
        "not TLS",
        "reset",
        "closed",
        "silent",
        "wants a certificate",
    ]
    is_early = True
    runs = False
    needs_tls = True

    @property
    def is_silent(self) -> bool:
        """Whether it only ends by a timeout."""
        return self.why == "silent"

    def context(self, good: ssl.SSLContext) -> ssl.SSLContext | None:
        """Return a certificate that can't be trusted, or None to do without."""
        if self.why == "untrusted":
            return certified(trustme.CA())
        if self.why == "another name":
            return certified(AUTHORITY, "another.test")
        if self.why == "expired":
            past = datetime.now(UTC) - timedelta(days=2)
            return certified(AUTHORITY, not_after=past)
        if self.why == "wants a certificate":
            context = certified(AUTHORITY)
            context.verify_mode = ssl.CERT_REQUIRED
            return context
        return None

    async def meet(self, stage: Stage, line: Line) -> None:
        """Break the handshake off when it has begun."""
        if self.why == "not TLS":
            await line.reader.read(1 << 16)
            line.writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await line.close()
        elif self.why in {"reset", "closed", "silent"}:
            await line.reader.read(1 << 16)
            await end(line, self.why)


AUTHORITY = trustme.CA()
ELSEWHERE = Server(reply(CAT))
"""Another host, which has a picture."""


def certified(
    authority: trustme.CA, name: str = HOST, **options: datetime
) -> ssl.SSLContext:
    """Return a server's context with a certificate of *authority* for *name*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    """Return a client's context that trusts our authority alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    AUTHORITY.configure_trust(context)
    return context


# What answers are made of


def written(
    status: int, body: bytes = b"", *fields: str, length: int | None = None
) -> bytes:
    """Return an answer as bytes, that promises *length* bytes."""
    promised = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {promised}", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(status: int, body: bytes = b'{"error": "no"}', *fields: str) -> Reply:
    """Say so instead, and run nothing."""
    return Reply(lambda _: written(status, body, *fields), runs=False)


def fails(status: int, body: bytes = b'{"error": "oops"}', *fields: str) -> Reply:
    """Run the request, and say so instead of the answer."""
    return Reply(lambda _: written(status, body, *fields))


def redirects(status: int) -> Reply:
    """Send the client elsewhere."""
    return Reply(
        lambda _: written(status, b"", f"Location: {ELSEWHERE.url}"), runs=False
    )


def headed(*lines: str, then: Then = "kept") -> Reply:
    """Put *lines* in the place of all that tells of the body's length and type."""

    def make(answer: Answer) -> bytes:
        shown = (each.format(length=len(answer.body)) for each in lines)
        return "\r\n".join(["HTTP/1.1 200 OK", *shown, "", ""]).encode() + answer.body

    return Reply(make, then)


def cut_short(answer: Answer) -> bytes:
    """Return half of an answer that doesn't tell its length."""
    return b"HTTP/1.1 200 OK\r\n\r\n" + answer.body[: len(answer.body) // 2]


def before(raw: bytes) -> Reply:
    """Write *raw*, and then the answer."""
    return Reply(lambda answer: raw + answer.raw())


def behind(raw: bytes) -> Reply:
    """Write the answer, and then *raw*."""
    return Reply(lambda answer: answer.raw() + raw)


def body_of(change: Callable[[bytes], bytes], **headers: str) -> Reply:
    """Change the body, and announce it as it then is."""
    return Reply(lambda a: a.with_body(change(a.body), **headers).raw())


def promised(change: Callable[[int], object], then: Then = "kept") -> Reply:
    """Announce another length than the body has."""

    def make(answer: Answer) -> bytes:
        length = str(change(len(answer.body)))
        return answer.with_body(answer.body, content_length=length).raw()

    return Reply(make, then)


def chunked(body: bytes, *, last: bytes = b"0\r\n\r\n") -> bytes:
    """Return *body* in chunks of 1000 bytes, and the end."""
    pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + last


def in_chunks(
    change: Callable[[bytes], bytes], *fields: str, then: Then = "kept"
) -> Reply:
    """Send the body in chunks, as *change* makes them of it."""

    def make(answer: Answer) -> bytes:
        head = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *fields, "", ""]
        return "\r\n".join(head).encode() + change(answer.body)

    return Reply(make, then)


def large(body: bytes, size: int) -> bytes:
    """Return *body*, and white space up to *size* bytes: still the same JSON."""
    return body + b" " * (size - len(body))


def packed(body: bytes) -> bytes:
    """Return *body* as gzip has it."""
    return gzip.compress(body, 1)
