"""The table: what must come of every operation that meets a fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import attrs

from ideogram_async import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    DecodeError,
    DownloadError,
    IdeogramError,
    InsufficientFundsError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    SafetyError,
    ServerError,
    StatusError,
    TransportError,
    WebhookVerificationError,
)
from tests.faults.faults import (
    Cut,
    Drip,
    How,
    Idle,
    Jump,
    Nowhere,
    Reply,
    Tls,
    before,
    behind,
    body_of,
    chunked,
    cut_short,
    fails,
    headed,
    in_chunks,
    large,
    packed,
    promised,
    redirects,
    says,
)
from tests.faults.proxy import Fault, Stage


Name = Literal["generate", "remix", "list", "poll", "download", "keys"]
"""The operations; the first two are paid."""


@attrs.frozen
class Fate:
    """What comes of an operation that meets a fault.

    Attributes:
        kind: It is answered in spite of it; is sent again, and answered then; or ends.
        error: What it ends with: at once, or where the fault never ends. None if it is
            sent again as long as it takes.
    """

    kind: Literal["fine", "again", "ends"]
    error: type[IdeogramError] | None = None


@attrs.frozen
class Row:
    """A fault and what comes of it.

    Attributes:
        group: What the fault is about.
        name: What it is called.
        fault: What goes wrong.
        fates: What comes of each operation.
        waits: Whether nothing is sent for long afterwards.
    """

    group: str
    name: str
    fault: Fault
    fates: Mapping[Name, Fate]
    waits: bool = False

    @property
    def is_done_once(self) -> bool:
        """Whether it makes no sense for ever."""
        return self.waits or isinstance(self.fault, Idle) or "Retry-After" in self.name


def again(error: type[IdeogramError] | None) -> Fate:
    """Return the fate of being sent again; *error* if that never helps."""
    return Fate("again", error)


def ends(error: type[IdeogramError]) -> Fate:
    """Return the fate of not being sent again."""
    return Fate("ends", error)


Fates = Mapping[Name, Fate]


def fates(paid: Fate, asked: Fate, **others: Fate) -> Fates:
    """Return the fate of each operation.

    Args:
        paid: Of what is paid, with a file and without.
        asked: Of what only asks: it costs nothing, so it may be sent again. A wait asks
            until its time is up; a download and the keys of webhooks have errors of
            their own.
        **others: Of one operation, where that is another.
    """
    found: dict[Any, Fate] = {"generate": paid, "remix": paid, "list": asked}
    late = asked.kind == "again" and again(RequestTimeoutError)
    found["poll"] = late or asked
    for name, error in (
        ("download", DownloadError),
        ("keys", WebhookVerificationError),
    ):
        found[name] = asked if asked == FINE else Fate(asked.kind, error)
    return found | others


FINE: Final = Fate("fine")
UNKNOWN: Final = ends(OutcomeUnknownError)
UNREADABLE: Final = ends(DecodeError)
LATE: Final = ends(RequestTimeoutError)

NOT_SENT: Final = fates(again(ConnectionFailedError), again(ConnectionFailedError))
LOST: Final = fates(UNKNOWN, again(TransportError))
SILENT: Final = fates(UNKNOWN, again(RequestTimeoutError))
CUT_OFF: Final = fates(UNREADABLE, again(DecodeError), download=again(DownloadError))
NONSENSE: Final = fates(UNREADABLE, UNREADABLE)
ANSWERED: Final = fates(FINE, FINE)
FAILED: Final = fates(UNKNOWN, again(ServerError))
BUSY: Final = fates(again(None), again(RateLimitError))
DOWN: Final = fates(again(ServerError), again(ServerError))
WAITS: Final = fates(LATE, LATE)
NO_IMAGE: Final[Fates] = {"download": ends(DownloadError)}
"""A download that is too large, or silent for as long as the whole call may take."""


def refused(error: type[IdeogramError]) -> Fates:
    """Return the fates of what the service says no to."""
    return fates(ends(error), ends(error))


# DNS, connecting, TLS: nothing was sent

CONNECTING: Final[dict[str, tuple[Fault, Fates]]] = {
    "no such name": (Nowhere("unknown"), NOT_SENT),
    "connection refused": (Nowhere("refused"), NOT_SENT),
    "no connection in time": (Nowhere("silent"), NOT_SENT | NO_IMAGE),
    "certificate of nobody": (Tls("untrusted"), NOT_SENT),
    "certificate of another name": (Tls("another name"), NOT_SENT),
    "certificate that expired": (Tls("expired"), NOT_SENT),
    "no TLS": (Tls("not TLS"), NOT_SENT),
    "reset in the handshake": (Tls("reset"), NOT_SENT),
    "closed in the handshake": (Tls("closed"), NOT_SENT),
    "silent in the handshake": (Tls("silent"), NOT_SENT | NO_IMAGE),
    "wants our certificate": (Tls("wants a certificate"), LOST),
}

# The connection ends, at each stage and in each way


def cuts() -> Iterator[tuple[str, tuple[Fault, Fates]]]:
    """Give what comes of a connection that ends."""
    stages: tuple[Stage, ...] = ("connected", "head", "body", "asked", "answering")
    hows: tuple[How, ...] = ("reset", "closed", "half-closed", "silent")
    for how in hows:
        lost = SILENT | NO_IMAGE if how == "silent" else LOST
        cut_off = CUT_OFF | NO_IMAGE if how == "silent" else CUT_OFF
        for stage in stages:
            yield f"{how} when {stage}", (Cut(stage, how), lost)
        yield f"{how} when half answered", (Cut("half answered", how), cut_off)
        if how != "silent":
            yield f"{how} when answered", (Cut("answered", how), ANSWERED)
        yield f"{how} when head, used before", (Cut("head", how, needs_idle=True), lost)


STRAY: Final = (
    b"HTTP/1.1 408 Too Late\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

UNASKED: Final = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"data": []}'

ENDING: Final[dict[str, tuple[Fault, Fates]]] = {
    **dict(cuts()),
    "closed while idle": (Idle("closed"), ANSWERED),
    "reset while idle": (Idle("reset"), ANSWERED),
    "408 while idle": (Idle("closed", STRAY), ANSWERED),
    "408 while idle, and kept": (Idle("kept", STRAY), ANSWERED),
    "an answer while idle": (Idle("kept", UNASKED), ANSWERED),
    "half an answer while idle": (Idle("kept", UNASKED[:9]), ANSWERED),
    "slow drip": (Drip(0.03), ANSWERED),
}

# The frame of the answer

FRAME: Final[dict[str, tuple[Fault, Fates]]] = {
    "too long, closed": (promised(lambda n: n + 9, "closed"), CUT_OFF),
    "too long, silent": (promised(lambda n: n + 9, "silent"), CUT_OFF | NO_IMAGE),
    "too short": (promised(lambda n: n - 9), LOST),
    "length below zero": (promised(lambda _: -1), LOST),
    "length no number": (promised(lambda _: "9x"), LOST),
    "length enormous": (promised(lambda _: 10**30, "closed"), LOST),
    "two lengths": (headed("Content-Length: 2", "Content-Length: {length}"), LOST),
    "no length": (headed("X-Y: z", then="closed"), ANSWERED),
    "no length, cut": (
        Reply(cut_short, "closed"),
        NONSENSE | {"download": again(DownloadError)},
    ),
    "in chunks": (in_chunks(chunked), ANSWERED),
    "in chunks without end": (
        in_chunks(lambda body: chunked(body, last=b""), then="closed"),
        CUT_OFF,
    ),
    "in chunks of no size": (in_chunks(lambda body: b"zz\r\n" + body), LOST),
    "bytes behind it": (behind(b"0123456789"), LOST),
    "another answer behind it": (behind(STRAY), ANSWERED),
    "not HTTP": (before(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), LOST),
    "a header of 100 kB": (headed("X: " + "x" * 100_000), LOST),
}

# Its content


def replaced(body: bytes, **headers: str) -> Fault:
    """Return what puts *body* in the place of the answer's."""
    return body_of(lambda _: body, **headers)


def zipped(body: bytes) -> bytes:
    """Return *body* packed, with what can't be unpacked."""
    return packed(body)[:10] + b"\xff" * 60


DEEP: Final = b"[" * 200_000
HUGE: Final = 100 << 20
GZIP: Final = {"content_encoding": "gzip"}

CONTENT: Final[dict[str, tuple[Fault, Fates]]] = {
    "as text/html": (
        headed("Content-Type: text/html", "Content-Length: {length}"),
        ANSWERED,
    ),
    "without a type": (headed("Content-Length: {length}"), ANSWERED),
    "of an unknown encoding": (body_of(bytes, content_encoding="ys"), ANSWERED),
    "packed": (body_of(packed, **GZIP), ANSWERED),
    "packed, broken": (body_of(zipped, **GZIP), CUT_OFF),
    "packed, cut": (
        body_of(lambda b: packed(b)[:-20], **GZIP),
        NONSENSE | {"download": again(DownloadError)},
    ),
    "not packed, but said so": (body_of(bytes, **GZIP), CUT_OFF),
    "empty": (replaced(b""), NONSENSE),
    "not UTF-8": (replaced(b'{"created": "\xff\xfe\x00"}'), NONSENSE),
    "not JSON": (replaced(b"<html>\r\nWelcome\x1b[31m</html>"), NONSENSE),
    "null": (replaced(b"null"), NONSENSE),
    "a list": (replaced(b"[]"), NONSENSE),
    "nested 200,000 deep": (replaced(DEEP), NONSENSE),
    "the same, closed": (replaced(DEEP + b"]" * len(DEEP)), NONSENSE),
    "the same, in a field": (
        replaced(b'{"data": ' + DEEP + b"]" * len(DEEP) + b"}"),
        NONSENSE,
    ),
    "a number of 10,000 digits": (
        replaced(b'{"created": ' + b"9" * 10_000 + b"}"),
        NONSENSE,
    ),
    "the key": (replaced(b'["a-key/that+nobody=may:see"]'), NONSENSE),
    "100 MB": (body_of(lambda body: large(body, HUGE)), CUT_OFF | NO_IMAGE),
    "100 MB packed": (
        body_of(lambda body: packed(large(body, HUGE)), **GZIP),
        CUT_OFF | NO_IMAGE,
    ),
}

# Its status

ECHO: Final = b'{"error": "bad key a-key/that+nobody=may:see\\r\\n\\u001b[31m"}'
PAGE: Final = b"<html>\r\n\r\n<h1>Bad gateway\x00</h1></html>"

STATUSES: Final[dict[str, tuple[Fault, Fates]]] = {
    "100 before": (before(b"HTTP/1.1 100 Continue\r\n\r\n"), ANSWERED),
    "102 before": (before(b"HTTP/1.1 102 Processing\r\n\r\n"), ANSWERED),
    "103 before": (before(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"), ANSWERED),
    "103 a hundred times": (
        before(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
        ANSWERED,
    ),
    "101": (
        before(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
        FAILED,
    ),
    "204": (fails(204, b""), NONSENSE),
    "206": (fails(206, b"{"), NONSENSE),
    "304": (says(304, b""), refused(StatusError)),
    **{
        f"{status} to elsewhere": (
            redirects(status),
            refused(StatusError) | {"download": FINE},
        )
        for status in (301, 302, 303, 307, 308)
    },
    "307 to nowhere": (says(307, b""), refused(StatusError)),
    **{
        f"{status} {what}": (says(status, body), refused(error))
        for status, error in (
            (400, BadRequestError),
            (401, AuthenticationError),
            (402, InsufficientFundsError),
            (403, AuthenticationError),
            (404, NotFoundError),
            (405, StatusError),
            (408, StatusError),
            (413, BadRequestError),
            (422, SafetyError),
        )
        for what, body in (
            ("with a reason", ECHO),
            ("without a body", b""),
            ("with a page", PAGE),
        )
    },
    **{
        f"{status} {what}": (fails(status, body), FAILED)
        for status in (500, 502, 503, 504, 520)
        for what, body in (("with a reason", ECHO), ("without a body", b""))
    },
    "502 with a page": (fails(502, PAGE), FAILED),
    "500 with 100 MB": (fails(500, bytes(HUGE)), FAILED),
    "503 that asks to wait": (says(503, b"", "Retry-After: 0"), DOWN),
    "599": (fails(599), FAILED),
}

# 429, and when to come again

LATER: Final = "Sun, 06 Nov 2044 08:49:37 GMT"


def busy(*fields: str, body: bytes = b'{"error": "in flight"}') -> Fault:
    """Say that there are too many in progress."""
    return says(429, body, *fields)


REFUSALS: Final[dict[str, tuple[Fault, Fates]]] = {
    "429": (busy(), BUSY),
    "429 without a body": (busy(body=b""), BUSY),
    "429 with a limit": (busy(body=b'{"max_inflight_requests": 3}'), BUSY),
    "429 with a limit of -1": (busy(body=b'{"max_inflight_requests": -1}'), BUSY),
    **{
        f"429, Retry-After {asked[:30]!r}": (busy(f"Retry-After: {asked}"), BUSY)
        for asked in (
            "0",
            "0.01",
            "-1",
            "-1e400",
            "nan",
            "soon",
            "",
            "1, 2",
            "1" * 5000 + "x",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 0000 08:49:37 GMT",
        )
    },
    "429, the service's clock is 20 years ahead": (
        busy(f"Retry-After: {LATER}", f"Date: {LATER}"),
        BUSY,
    ),
}

WAITING: Final[dict[str, tuple[Fault, Fates]]] = {
    f"429, Retry-After {asked[:30]!r}": (busy(f"Retry-After: {asked}"), WAITS)
    for asked in (
        "3600",
        "1e400",
        "9" * 300,
        "inf",
        LATER,
        LATER.replace("2044", "9999"),
    )
}

CLOCKS: Final[dict[str, tuple[Fault, Fates]]] = {
    "the clock is set forward by a year": (Jump(365 * 86_400.0), ANSWERED),
    "the clock is set back by a year": (Jump(-365 * 86_400.0), ANSWERED),
}

ROWS: Final = [
    Row(group, name, fault, found, waits=named is WAITING)
    for group, named in {
        "DNS, connecting, TLS": CONNECTING,
        "the connection ends": ENDING,
        "the frame of the answer": FRAME,
        "its content": CONTENT,
        "its status": STATUSES,
        "429 and when to come again": REFUSALS,
        "429 and to come again much later": WAITING,
        "the clock on the wall": CLOCKS,
    }.items()
    for name, (fault, found) in named.items()
]
