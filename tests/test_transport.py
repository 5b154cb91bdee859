"""The adapter to aiohttp over real sockets: one step, one reply, or what is known."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from ideogram_async import (
    ConnectionFailedError,
    RequestTimeoutError,
    TransportError,
    __version__,
)
from ideogram_async import _transport as module
from ideogram_async._http import HttpRequest, HttpResponse
from ideogram_async._transport import Transport

from .servers import (
    HOST,
    PNG,
    Act,
    Server,
    Visit,
    answer,
    closed_port,
    drip,
    hang_up,
    redirect,
    refuse,
    reply,
    reset_after_body,
    reset_before_body,
    reset_during_answer,
    silence,
    unreachable,
    until,
    write_raw,
)


@asynccontextmanager
async def transport_of(
    session: aiohttp.ClientSession | None = None,
) -> AsyncIterator[Transport]:
    """Make a transport that is closed at the end."""
    transport = Transport(session)
    try:
        yield transport
    finally:
        await transport.aclose()


async def sent_to(url: str, seconds: float = 5.0, body: bytes = b"{}") -> HttpResponse:
    """Post something to *url*."""
    async with transport_of() as transport:
        step = HttpRequest("POST", url, headers={"Api-Key": "secret"}, content=body)
        return await transport.send(step, seconds)


async def fetched_from(url: str, idle: float = 5.0) -> tuple[int, bytes]:
    """Get *url* in pieces."""
    content = b""
    async with transport_of() as transport, transport.fetch(url, idle) as download:
        async for chunk in download.chunks:
            content += chunk
        return download.status, content


# Replies


@pytest.mark.parametrize("status", [200, 302, 400, 429, 500, 599])
async def test_reply(status: int) -> None:
    """Every reply is a value, whatever its status; names of fields are lower case."""
    before = time.time()
    async with Server(refuse(status, b"body", {"X-Some-Thing": "Else"})) as server:
        response = await sent_to(server.url)

    assert response.status == status
    assert response.body == b"body"
    assert response.headers["x-some-thing"] == "Else"
    assert response.complete
    assert before <= response.received <= time.time()


async def test_what_is_sent() -> None:
    """A step goes out as it stands, with the version in the user agent."""
    async with Server(answer()) as server:
        await sent_to(f"{server.url}/v1/a%2Fb?c=d%20e", body=b"[1]")

    (seen,) = server.requests
    assert seen.method == "POST"
    assert seen.target == "/v1/a%2Fb?c=d%20e"
    assert seen.headers["api-key"] == "secret"
    assert seen.headers["user-agent"] == (
        f"ideogram-async/{__version__}"
        f" python/{sys.version_info.major}.{sys.version_info.minor}"
        f" aiohttp/{aiohttp.__version__}"
    )
    assert seen.body == b"[1]"


async def test_cookies_are_not_kept() -> None:
    """A cookie that the service sets is not sent back."""
    cookie = {"Set-Cookie": "session=1; Path=/"}
    async with Server(answer(headers=cookie)) as server, transport_of() as transport:
        for _ in range(2):
            await transport.send(HttpRequest("GET", server.url), 5)

    assert all("cookie" not in seen.headers for seen in server.requests)


async def test_many_at_once() -> None:
    """There is no limit on connections but the gate."""
    async with Server(answer(after=0.3)) as server, transport_of() as transport:
        step = HttpRequest("GET", server.url)
        await asyncio.gather(*(transport.send(step, 10) for _ in range(150)))

    assert server.peak == 150


INCOMPLETE: dict[str, tuple[Act, bytes]] = {
    "truncated": (reply(b"abc", length=9), b"abc"),
    "reset": (reset_during_answer, b'{"created": '),
    "too slow": (drip(b"a" * 1000, pause=0.02), b"a"),
    "cut in a chunk": (
        write_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"),
        b"abc",
    ),
    "broken gzip": (reply(b"abc", {"Content-Encoding": "gzip"}), b""),
}


@pytest.mark.parametrize(("act", "body"), INCOMPLETE.values(), ids=INCOMPLETE.keys())
async def test_incomplete(act: Act, body: bytes) -> None:
    """A body that breaks off is a reply that says so, with all that came."""
    async with Server(act) as server:
        response = await sent_to(server.url, 0.3)

    assert response.status == 200
    assert not response.complete
    assert response.body.startswith(body)


async def test_endless_answer() -> None:
    """An answer above 64 MB is cut off, so that it can't fill the memory."""

    async def flood(visit: Visit) -> None:
        await visit.read()
        visit.send(200, length=2 * module.LARGEST_ANSWER)
        while True:
            visit.writer.write(bytes(1024 * 1024))
            await visit.writer.drain()

    async with Server(flood) as server:
        response = await sent_to(server.url, 20)

    assert not response.complete
    assert module.LARGEST_ANSWER < len(response.body) < 1.1 * module.LARGEST_ANSWER


# No reply

LOST: dict[str, tuple[Act, type[TransportError]]] = {
    "reset": (reset_after_body, TransportError),
    "reset before the body": (reset_before_body, TransportError),
    "closed": (hang_up, TransportError),
    "not HTTP": (write_raw(b"nonsense\r\n\r\n"), TransportError),
    "headers too long": (
        write_raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"),
        TransportError,
    ),
    "silence": (silence, RequestTimeoutError),
}


@pytest.mark.parametrize(("act", "kind"), LOST.values(), ids=LOST.keys())
async def test_no_reply(act: Act, kind: type[TransportError]) -> None:
    """Without a reply it is unknown what became of a step that was sent."""
    async with Server(act) as server:
        with pytest.raises(kind) as caught:
            await sent_to(server.url, 0.3)

    assert type(caught.value) is kind
    assert caught.value.delivery == "unknown"
    assert str(caught.value)


@pytest.mark.parametrize("cut", [b"", b"HTTP/1.1 200 OK\r\nX: y\r\nContent-"])
async def test_cut_off_within_the_head(cut: bytes) -> None:
    """What came of a head that breaks off is not quoted."""
    async with Server(write_raw(cut)) as server:
        with pytest.raises(TransportError, match=r"lost: the server disconnected$"):
            await sent_to(server.url)


@pytest.mark.parametrize(("act", "kind"), LOST.values(), ids=LOST.keys())
async def test_no_secrets_behind_an_error(act: Act, kind: type[TransportError]) -> None:
    """Aiohttp's own error, which holds the headers, is not left behind ours."""
    async with Server(act) as server:
        with pytest.raises(kind) as caught:
            await sent_to(server.url, 0.3)

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [f"http://{HOST}:{closed_port()}", "http://nowhere.invalid"],
    ids=["closed port", "no such name"],
)
async def test_no_connection(url: str) -> None:
    """Without a connection nothing was sent."""
    with pytest.raises(ConnectionFailedError, match="nothing was sent") as caught:
        await sent_to(url)

    assert caught.value.delivery == "not_sent"
    assert caught.value.__context__ is None


async def test_slow_connection() -> None:
    """A connection that is not made in time is known not to have carried anything."""
    with unreachable() as port, pytest.raises(ConnectionFailedError):
        await sent_to(f"http://{HOST}:{port}", 0.4)


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1", "http://127.0.0.1:x"])
async def test_no_address(url: str) -> None:
    """What is no web address is never sent to."""
    with pytest.raises(TransportError, match="no such address") as caught:
        await sent_to(url)

    assert caught.value.delivery == "not_sent"


async def test_redirect_is_not_followed() -> None:
    """A redirect of a step is a reply: the key never follows it."""
    async with Server(answer()) as other, Server(redirect(other.url)) as server:
        response = await sent_to(server.url)

    assert response.status == 307
    assert other.connections == 0


# Downloads


async def test_fetch() -> None:
    """A download comes in pieces, with its status and headers."""
    async with Server(reply(PNG, {"Content-Type": "image/png"})) as server:
        assert await fetched_from(server.url) == (200, PNG)

    assert server.requests[0].headers["user-agent"].startswith("ideogram-async/")


async def test_fetch_follows_redirects() -> None:
    """A download follows redirects, to another host as well."""
    async with (
        Server(reply(PNG)) as other,
        Server(redirect(other.url, status=302)) as server,
    ):
        assert await fetched_from(server.url) == (200, PNG)


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_fetch_of_what_is_refused(status: int) -> None:
    """A refusal is a status like any other here."""
    async with Server(refuse(status, b"no")) as server:
        assert await fetched_from(server.url) == (status, b"no")


async def test_fetch_that_falls_silent() -> None:
    """A download may take long as a whole, but not between two bytes."""
    async with Server(drip(PNG[:20], pause=0.03)) as server:
        assert await fetched_from(server.url, 0.3) == (200, PNG[:20])
    async with Server(drip(PNG[:20], pause=2)) as server:
        with pytest.raises(RequestTimeoutError, match=r"within 0\.3 s"):
            await fetched_from(server.url, 0.3)


@pytest.mark.parametrize(
    "act",
    [hang_up, reset_after_body, reply(PNG, length=9_999), reset_during_answer],
    ids=["closed", "reset", "truncated", "reset in the body"],
)
async def test_fetch_that_is_lost(act: Act) -> None:
    """A download that breaks off is an error."""
    async with Server(act) as server:
        with pytest.raises(TransportError, match="lost"):
            await fetched_from(server.url)


async def test_fetch_whose_reader_fails() -> None:
    """An error of the reader of a download comes out as it is."""
    async with Server(reply(PNG)) as server, transport_of() as transport:
        with pytest.raises(LookupError, match="mine"):
            async with transport.fetch(server.url, 5):
                raise LookupError("mine")


# The session


async def test_given_session_is_used_and_not_closed() -> None:
    """A given session is used, with its own headers, and stays open."""
    async with (
        Server(answer()) as server,
        aiohttp.ClientSession(headers={"X-Team": "cats"}) as session,
    ):
        async with transport_of(session) as transport:
            await transport.send(HttpRequest("GET", server.url), 5)
        assert not session.closed

    assert server.requests[0].headers["x-team"] == "cats"


async def test_given_session_that_raises_for_status() -> None:
    """A session that makes errors of statuses doesn't take our replies away."""
    async with (
        Server(refuse(429, b"busy")) as server,
        aiohttp.ClientSession(raise_for_status=True) as session,
        transport_of(session) as transport,
    ):
        response = await transport.send(HttpRequest("POST", server.url), 5)
        async with transport.fetch(server.url, 5) as download:
            status = download.status

    assert response.status == status == 429
    assert response.body == b"busy"


async def test_closed_session() -> None:
    """A given session that is closed is an error of ours, and nothing was sent."""
    session = aiohttp.ClientSession()
    await session.close()
    async with transport_of(session) as transport:
        with pytest.raises(TransportError, match="closed") as caught:
            await transport.send(HttpRequest("POST", f"http://{HOST}"), 5)

    assert caught.value.delivery == "not_sent"


async def test_used_again_after_closing() -> None:
    """A transport that was closed makes a new session; closing twice is harmless."""
    async with Server(answer()) as server, transport_of() as transport:
        for _ in range(2):
            await transport.send(HttpRequest("GET", server.url), 5)
            await transport.aclose()
            await transport.aclose()

    assert server.connections == 2


async def test_closed_while_a_step_is_under_way() -> None:
    """Closing while a step is under way leaves its outcome unknown."""
    async with Server(silence) as server, transport_of() as transport:
        task = asyncio.create_task(
            transport.send(HttpRequest("POST", server.url, content=b"{}"), 5)
        )
        await until(lambda: server.ran)
        await transport.aclose()
        with pytest.raises(TransportError) as caught:
            await task

    assert caught.value.delivery == "unknown"


def test_unused_transport() -> None:
    """A transport that was never used needs no loop, and nothing to close."""
    transport = Transport()
    asyncio.run(transport.aclose())
