"""What may be sent again: every row of the delivery table, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import aiohttp
import aiohttp.abc
import anyio
import attrs
import pytest

from ideogram_async import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    DecodeError,
    Failure,
    IdeogramClient,
    IdeogramError,
    InsufficientFundsError,
    Limiter,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitError,
    RemixV3,
    RequestTimeoutError,
    RetryPolicy,
    SafetyError,
    ServerError,
    StatusError,
    Success,
    TransportError,
    Upload,
    _connector,
)
from ideogram_async._call import Call
from ideogram_async._delivery import Delivery
from ideogram_async._http import HttpRequest, HttpResponse
from ideogram_async._transport import Transport
from ideogram_async.providers import Ideogram

from .servers import (
    HOST,
    PNG,
    QUICK,
    Act,
    Server,
    Visit,
    answer,
    answer_body,
    client_of,
    closed_port,
    drip,
    fail,
    hang_up,
    redirect,
    refuse,
    reply,
    reset_after_body,
    reset_before_body,
    reset_during_answer,
    reset_during_body,
    serving,
    silence,
    unreachable,
    until,
    write_raw,
)


RESENDING = RetryPolicy(
    attempts=3, wait_initial=0.01, wait_max=0.02, resend_unknown=True
)

both_policies = pytest.mark.parametrize(
    "retry", [QUICK, RESENDING], ids=["careful", "resending"]
)


async def outcome_of(client: IdeogramClient) -> Success[Any] | Failure:
    """Send one prompt, and say also how often it was sent."""
    (outcome,) = await client.generate_many(["a cat"])
    return outcome


async def failure_of(client: IdeogramClient) -> Failure:
    """Send one prompt that is bound to fail."""
    outcome = await outcome_of(client)
    assert isinstance(outcome, Failure)
    return outcome


# DNS, connect, TLS, proxy, pool wait failed before a byte was written: not sent, again


def assert_never_sent(failure: Failure, attempts: int = QUICK.attempts) -> None:
    """Check that nothing was sent, though it was tried so often."""
    error = failure.error
    assert isinstance(error, ConnectionFailedError)
    assert error.delivery == "not_sent"
    assert failure.attempts == attempts


@both_policies
async def test_name_not_found(retry: RetryPolicy) -> None:
    """A name that does not resolve was never sent to, and is tried again."""
    async with client_of("http://service.invalid", retry=retry) as client:
        assert_never_sent(await failure_of(client))


@both_policies
async def test_connection_refused(retry: RetryPolicy) -> None:
    """A refused connection was never sent on, and is tried again."""
    async with client_of(f"http://127.0.0.1:{closed_port()}", retry=retry) as client:
        assert_never_sent(await failure_of(client))


class LateResolver(aiohttp.abc.AbstractResolver):
    """Finds no name at first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[aiohttp.abc.ResolveResult]:
        """Return this machine."""
        if self.failures:
            self.failures -= 1
            raise OSError(None, "not yet")
        found = aiohttp.abc.ResolveResult(
            hostname=host, host=HOST, port=port, family=family, proto=0, flags=0
        )
        return [found]

    async def close(self) -> None:
        """Do nothing."""


@both_policies
async def test_name_not_found_at_first(retry: RetryPolicy) -> None:
    """A service that is found at last gets the request exactly once."""
    connector = aiohttp.TCPConnector(resolver=LateResolver(2))
    async with (
        Server(answer()) as server,
        aiohttp.ClientSession(connector=connector) as session,
        client_of(
            f"http://service.invalid:{server.port}", retry=retry, session=session
        ) as client,
    ):
        outcome = await outcome_of(client)

    assert isinstance(outcome, Success)
    assert outcome.attempts == 3
    assert server.ran == len(server.requests) == 1


@both_policies
async def test_connection_too_slow(retry: RetryPolicy) -> None:
    """A connection that takes too long was never sent on, and is tried again."""
    twice = attrs.evolve(retry, attempts=2)
    with unreachable() as port:
        url = f"http://127.0.0.1:{port}"
        async with client_of(url, retry=twice, timeout=0.4) as client:
            assert_never_sent(await failure_of(client), attempts=2)


@both_policies
async def test_tls_failed(retry: RetryPolicy) -> None:
    """A service without TLS was never sent to, and is tried again."""
    received: list[bytes] = []

    async def speak_plainly(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        received.append(await reader.read(10_000))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak_plainly, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        async with client_of(f"https://127.0.0.1:{port}", retry=retry) as client:
            assert_never_sent(await failure_of(client))

    assert len(received) == 3
    assert not any(b"secret" in each or b"a cat" in each for each in received)


@both_policies
async def test_proxy_refused(retry: RetryPolicy) -> None:
    """A proxy that can't be reached was never sent to, and is tried again."""
    proxy = f"http://127.0.0.1:{closed_port()}"
    async with (
        Server(answer()) as server,
        aiohttp.ClientSession(proxy=proxy) as session,
    ):
        async with client_of(server.url, retry=retry, session=session) as client:
            assert_never_sent(await failure_of(client))

        assert server.connections == 0


@both_policies
async def test_proxy_said_no(retry: RetryPolicy) -> None:
    """A proxy that makes no tunnel was never sent the request, and is tried again."""
    async with Server(refuse(407)) as proxy:
        async with aiohttp.ClientSession(proxy=proxy.url) as session:
            url = "https://service.invalid"
            async with client_of(url, retry=retry, session=session) as client:
                assert_never_sent(await failure_of(client))

        assert [seen.method for seen in proxy.requests] == ["CONNECT"] * 3
        assert not any(b"secret" in seen.head for seen in proxy.requests)


@both_policies
async def test_no_connection_free(retry: RetryPolicy) -> None:
    """A wait for the session's own pool of connections ends unsent, and is repeated."""
    async with Server(silence) as server:
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
            occupied(session, server),
            client_of(server.url, retry=retry, session=session, timeout=0.3) as client,
        ):
            assert_never_sent(await failure_of(client))

        assert server.runs["a cat"] == 0
        assert len(server.requests) == 1


@asynccontextmanager
async def occupied(
    session: aiohttp.ClientSession, server: Server
) -> AsyncGenerator[None]:
    """Occupy the only connection of *session*."""
    async with anyio.create_task_group() as group:

        async def occupy() -> None:
            await session.get(server.url)

        group.start_soon(occupy)
        await until(lambda: server.requests)
        yield
        group.cancel_scope.cancel()


@both_policies
async def test_name_that_is_none(retry: RetryPolicy) -> None:
    """A name that can't be one is reported as not sent."""
    async with client_of(f"http://{'a' * 70}.invalid", retry=retry) as client:
        failure = await failure_of(client)

    assert isinstance(failure.error, TransportError)
    assert failure.error.delivery == "not_sent"


async def test_deadline_ends_the_attempts() -> None:
    """Where only time was missing, the deadline is named and nothing was sent."""
    patient = RetryPolicy(attempts=100, wait_initial=10)
    url = f"http://127.0.0.1:{closed_port()}"
    async with client_of(url, retry=patient, deadline=0.1) as client:
        with pytest.raises(RequestTimeoutError, match="deadline passed") as caught:
            await client.generate("a cat")

    assert caught.value.delivery == "not_sent"


# 400 401 403 404 413 422 and 402, for any reason: refused, not again

REFUSALS = {
    400: BadRequestError,
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: AuthenticationError,
    404: NotFoundError,
    413: BadRequestError,
    422: SafetyError,
    418: StatusError,
}


@both_policies
@pytest.mark.parametrize("status", REFUSALS)
async def test_refused(status: int, retry: RetryPolicy) -> None:
    """A request that the service finds wrong is not sent again."""
    async with serving(
        refuse(status, b'{"error": "so no"}'), answer(), retry=retry
    ) as (server, client):
        failure = await failure_of(client)

    assert type(failure.error) is REFUSALS[status]
    assert failure.error.status == status
    assert "so no" in str(failure.error)
    assert failure.attempts == len(server.requests) == 1
    assert server.ran == 0


@pytest.mark.parametrize("reason", ["insufficient_credits", "quota", ""])
async def test_payment_required(reason: str) -> None:
    """402 is not sent again whatever its reason, not even with Retry-After."""
    body = f'{{"error": "pay", "reject_reason": "{reason}"}}'.encode()
    no = refuse(402, body, {"Retry-After": "0"})
    async with serving(no, answer(), retry=RESENDING) as (server, client):
        with pytest.raises(InsufficientFundsError) as caught:
            await client.generate("a cat")

    assert caught.value.reject_reason == reason
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_refused_for_all(status: int) -> None:
    """401, 402 and 403 end a batch: what was not sent is reported unsent."""
    limiter = Limiter(1, learn=False)
    async with serving(refuse(status), limiter=limiter) as (server, client):
        batch = await client.generate_many(f"cat {n}" for n in range(20))

    first, *rest = batch
    assert isinstance(first, Failure)
    assert type(first.error) is REFUSALS[status]
    assert len(server.requests) == 1
    for outcome in rest:
        assert isinstance(outcome, Failure)
        assert isinstance(outcome.error, NotSentError)
        assert outcome.error.__cause__ is first.error
        assert outcome.attempts == 0


@both_policies
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirected(status: int, retry: RetryPolicy) -> None:
    """A redirect is not followed, so that key and prompt never reach another host."""
    async with Server(answer()) as other:
        async with serving(redirect(other.url, status=status), retry=retry) as (
            server,
            client,
        ):
            with pytest.raises(StatusError, match="redirect, not followed"):
                await client.generate("a cat")

        assert len(server.requests) == 1
        assert other.connections == 0


# 429: refused, did not run; the gate pauses, then again

BUSY = b'{"error": "too many", "reject_reason": "inflight_limit"}'


@both_policies
async def test_too_many_in_progress(retry: RetryPolicy) -> None:
    """A 429 goes to the front, waits for a place, and runs exactly once."""
    async with serving(answer(after=0.2), refuse(429, BUSY), answer(), retry=retry) as (
        server,
        client,
    ):
        batch = await client.generate_many(["a cat", "a dog"])

    assert batch.failures == []
    assert sorted(each.attempts for each in batch.successes) == [1, 2]
    assert server.runs == {"a cat": 1, "a dog": 1}


async def test_too_many_counts_as_no_attempt() -> None:
    """A request is not given up for being throttled, even with a single attempt."""
    acts = [answer(after=0.2), refuse(429), refuse(429, after=0.1), answer()]
    single = RetryPolicy(attempts=1)
    async with serving(*acts, retry=single) as (server, client):
        batch = await client.generate_many(["a cat", "a dog", "a cow"])

    assert batch.failures == []
    assert sorted(server.runs.values()) == [1, 1, 1]
    assert len(server.requests) == 5


async def test_too_many_with_the_limit_named() -> None:
    """A limit that the refusal names becomes the gate's."""
    busy = b'{"error": "too many", "max_inflight_requests": 3}'
    acts = [*[answer(after=0.2)] * 3, refuse(429, busy), answer()]
    async with serving(*acts) as (server, client):
        batch = await client.generate_many(["a cat"] * 4)

        assert client.limiter.limit == 3

    assert batch.failures == []
    assert server.ran == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        lambda: "2",
        lambda: "2.0",
        lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True),
    ],
    ids=["seconds", "decimal", "date"],
)
async def test_retry_after_is_obeyed(asked: Callable[[], str]) -> None:
    """Nothing is sent before the time that Retry-After names, by nobody."""
    busy = refuse(429, BUSY, {"Retry-After": asked()})
    async with serving(busy, answer()) as (server, client):
        started = asyncio.get_running_loop().time()
        batch = await client.generate_many(["a cat"])
        took = asyncio.get_running_loop().time() - started

    assert batch.failures == []
    assert server.ran == 1
    assert 1.9 < took < 20


async def test_too_many_until_the_deadline() -> None:
    """A request that is throttled to the end says so: it was refused, never run."""
    async with serving(refuse(429, BUSY, {"Retry-After": "60"}), deadline=0.2) as (
        server,
        client,
    ):
        with pytest.raises(RequestTimeoutError, match="a place") as caught:
            await client.generate("a cat")

    assert caught.value.delivery == "not_sent"
    assert len(server.requests) == 1
    assert server.ran == 0


# Reset, timeout or disconnect after the first byte; 5xx: unknown


async def bad_http(visit: Visit) -> None:
    """Run the request and answer with something that is not HTTP."""
    await write_raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")(visit)


LOSSES: dict[str, tuple[Act, type[IdeogramError]]] = {
    "reset before the body": (reset_before_body, TransportError),
    "reset during the body": (reset_during_body, TransportError),
    "reset after the body": (reset_after_body, TransportError),
    "closed without an answer": (hang_up, TransportError),
    "half a status line": (write_raw(b"HTTP/1.1 20"), TransportError),
    "half a header": (write_raw(b"HTTP/1.1 200 OK\r\nContent-"), TransportError),
    "not HTTP": (bad_http, TransportError),
    "silence": (silence, RequestTimeoutError),
    "500": (fail(500), ServerError),
    "502": (fail(502, b"<html>Bad gateway</html>"), ServerError),
    "503 without Retry-After": (fail(503), ServerError),
    "504": (fail(504), ServerError),
    "507 cut off": (reply(b"no", status=507, length=9), ServerError),
}

every_loss = pytest.mark.parametrize(
    ("act", "cause"), LOSSES.values(), ids=LOSSES.keys()
)


def a_remix() -> RemixV3:
    """Return a request whose body takes several writes."""
    return RemixV3("a cat", image=Upload.from_bytes(PNG * 500))


@every_loss
async def test_unknown(act: Act, cause: type[IdeogramError]) -> None:
    """What may have run is not sent again, and says why it is unknown."""
    async with serving(act, answer(), timeout=0.3) as (server, client):
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(a_remix())

    assert caught.value.delivery == "unknown"
    assert type(caught.value.__cause__) is cause
    assert "resend_unknown" in str(caught.value)
    assert len(server.requests) == 1


@every_loss
async def test_unknown_but_sent_again(act: Act, cause: type[IdeogramError]) -> None:
    """What may have run is sent again if the caller wants that."""
    async with serving(act, answer(), timeout=0.3, retry=RESENDING) as (server, client):
        response = await client.send(a_remix())

    assert response.data[0].prompt == "a cat"
    assert len(server.requests) == 2
    assert server.ran >= 1


async def test_unknown_again_and_again() -> None:
    """Attempts end also where the caller wants repetition; the outcome is unknown."""
    async with serving(reset_after_body, retry=RESENDING) as (server, client):
        failure = await failure_of(client)

    assert isinstance(failure.error, OutcomeUnknownError)
    assert "resend_unknown" not in str(failure.error)
    assert failure.attempts == len(server.requests) == server.ran == 3


async def test_unknown_then_refused() -> None:
    """A refusal of the second sending says nothing about the first."""
    async with serving(reset_after_body, refuse(400), retry=RESENDING) as (
        server,
        client,
    ):
        with pytest.raises(OutcomeUnknownError, match="then 400"):
            await client.generate("a cat")

    assert server.ran == 1


async def test_unknown_then_unreadable() -> None:
    """An answer that came, but can't be read, is kept whatever happened before."""
    async with serving(reset_after_body, reply(b"paid"), retry=RESENDING) as (
        server,
        client,
    ):
        with pytest.raises(DecodeError) as caught:
            await client.generate("a cat")

    assert caught.value.body == b"paid"
    assert server.ran == 2


async def test_unknown_cut_off_answer_after_resending() -> None:
    """A cut-off answer is kept too, whatever happened before."""
    async with serving(reset_after_body, reply(b"pa", length=4), retry=RESENDING) as (
        server,
        client,
    ):
        with pytest.raises(DecodeError) as caught:
            await client.generate("a cat")

    assert caught.value.body == b"pa"
    assert len(server.requests) == 2


@both_policies
async def test_refused_for_now(retry: RetryPolicy) -> None:
    """A 503 with Retry-After is a refusal, and is sent again."""
    busy = refuse(503, headers={"Retry-After": "0.2"})
    async with serving(busy, answer(), retry=retry) as (server, client):
        started = asyncio.get_running_loop().time()
        outcome = await outcome_of(client)
        took = asyncio.get_running_loop().time() - started

    assert isinstance(outcome, Success)
    assert outcome.attempts == 2
    assert server.ran == 1
    assert took >= 0.2


async def test_refused_for_now_for_ever() -> None:
    """A 503 with Retry-After counts as an attempt, and is never called unknown."""
    async with serving(refuse(503, headers={"Retry-After": "0"})) as (server, client):
        failure = await failure_of(client)

    assert isinstance(failure.error, ServerError)
    assert failure.error.retry_after == 0
    assert failure.attempts == len(server.requests) == 3


# 2xx whose body can't be read: ran, answer lost

UNREADABLE: dict[str, tuple[Act, bytes]] = {
    "not JSON": (reply(b"{not json"), b"{not json"),
    "empty": (reply(b""), b""),
    "a web page": (
        reply(b"<html>Welcome</html>", {"Content-Type": "text/html"}),
        b"<html>Welcome</html>",
    ),
    "another shape": (reply(b'{"created": 1}'), b'{"created": 1}'),
    "truncated": (reply(b'{"created": ', length=1000), b'{"created": '),
    "reset": (reset_during_answer, b'{"created": '),
    "too slow": (drip(b"{" * 100, pause=0.04), b"{{{{"),
    "broken gzip": (
        reply(gzip.compress(answer_body())[:40], {"Content-Encoding": "gzip"}),
        b"",
    ),
    "no gzip": (reply(b"not gzip", {"Content-Encoding": "gzip"}), b""),
    "201": (reply(b"created", status=201), b"created"),
    "204": (reply(b"", status=204), b""),
}


@both_policies
@pytest.mark.parametrize(("act", "body"), UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_answer_lost(act: Act, body: bytes, retry: RetryPolicy) -> None:
    """A success that can't be read ran: not sent again, and what came is kept."""
    async with serving(act, answer(), retry=retry, timeout=0.3) as (server, client):
        with pytest.raises(DecodeError, match="likely billed") as caught:
            await client.generate("a cat")

    assert caught.value.body.startswith(body)
    assert server.ran == len(server.requests) == 1


# Cancelled by the caller


@both_policies
async def test_cancelled_before_it_was_sent(retry: RetryPolicy) -> None:
    """A request that is cancelled while it waits for a place is never sent."""
    limiter = Limiter(1, learn=False)
    async with serving(answer(after=0.2), retry=retry, limiter=limiter) as (
        server,
        client,
    ):
        first = asyncio.create_task(client.generate("a cat"))
        second = asyncio.create_task(client.generate("a dog"))
        await until(lambda: server.ran)
        second.cancel()
        await first
        with pytest.raises(asyncio.CancelledError):
            await second

    assert server.runs == {"a cat": 1}
    assert len(server.requests) == 1


@both_policies
async def test_cancelled_under_way(retry: RetryPolicy) -> None:
    """A request that is cancelled under way is not sent again, and frees its place."""
    async with serving(silence, retry=retry) as (server, client):
        task = asyncio.create_task(client.generate("a cat"))
        await until(lambda: server.ran)
        assert client.limiter.in_use == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await anyio.sleep(0.05)

    assert server.ran == len(server.requests) == 1


async def test_cancelled_between_attempts() -> None:
    """A request that is cancelled between two attempts holds no place then."""
    url = f"http://127.0.0.1:{closed_port()}"
    patient = RetryPolicy(wait_initial=60, wait_max=60)
    async with client_of(url, retry=patient) as client:
        task = asyncio.create_task(client.generate("a cat"))
        await anyio.sleep(0.1)
        assert client.limiter.in_use == 0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# 2xx, an image withheld


@both_policies
@pytest.mark.parametrize(
    "fields",
    [
        {"is_image_safe": False, "url": None},
        {"is_image_safe": False, "url": ""},
        {"is_image_safe": False},
        {"url": None},
    ],
    ids=["no link", "empty link", "unsafe", "no link but safe"],
)
async def test_image_withheld(fields: dict[str, Any], retry: RetryPolicy) -> None:
    """An image that was made and not released is an answer, and not sent again."""
    async with serving(answer(**fields), retry=retry) as (server, client):
        batch = await client.generate_many(["a cat"])

    (success,) = batch.successes
    assert success.response.data[0].is_withheld
    assert batch.images == []
    assert server.ran == len(server.requests) == 1


# A GET is harmless

HARMLESS_LOSSES: dict[str, Act] = {
    **{name: act for name, (act, _) in LOSSES.items() if "body" not in name},
    "429": refuse(429, BUSY),
    "503 with Retry-After": refuse(503, headers={"Retry-After": "0"}),
    "truncated": reply(b"{", length=2),
    "reset": reset_during_answer,
    "too slow": drip(b"{" * 100, pause=0.04),
}


async def ask(server: Server) -> tuple[HttpResponse | IdeogramError, int]:
    """Send a GET, as a poll is; return what came of it, and of how many attempts."""
    transport = Transport()
    step = HttpRequest("GET", f"{server.url}/v1/generations/1")
    check = Ideogram("secret").check
    call = Call.within(5)
    try:
        delivery = Delivery(transport, Limiter(), QUICK, timeout=0.3)
        return await delivery.deliver(step, check, call), call.attempts
    except IdeogramError as error:
        return error, call.attempts
    finally:
        await transport.aclose()


@pytest.mark.parametrize("act", HARMLESS_LOSSES.values(), ids=HARMLESS_LOSSES.keys())
async def test_harmless(act: Act) -> None:
    """A GET is sent again after every loss, by us or by aiohttp: it costs nothing."""
    async with Server(act, reply(b"{}")) as server:
        response, _ = await ask(server)

    assert isinstance(response, HttpResponse)
    assert response.body == b"{}"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("act", "kind"),
    [(fail(500), ServerError), (hang_up, TransportError)],
    ids=["500", "closed"],
)
async def test_harmless_to_the_end(act: Act, kind: type[IdeogramError]) -> None:
    """A GET ends with its own error, for there is nothing unknown about it."""
    async with Server(act) as server:
        error, attempts = await ask(server)

    assert isinstance(error, kind)
    assert not isinstance(error, OutcomeUnknownError)
    assert attempts == 3


async def test_harmless_but_throttled_to_the_end() -> None:
    """A GET waits in no gate, so that 429 counts as one of its attempts."""
    async with Server(refuse(429, BUSY)) as server:
        error, attempts = await ask(server)

    assert isinstance(error, RateLimitError)
    assert attempts == len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_harmless_but_refused(status: int) -> None:
    """A GET that the service finds wrong is not sent again."""
    async with Server(refuse(status)) as server:
        error, attempts = await ask(server)

    assert type(error) is REFUSALS[status]
    assert attempts == len(server.requests) == 1


# A stale keep-alive connection


@pytest.mark.slow
async def test_stale_connection_is_not_used() -> None:
    """A connection that has been idle for over a second is not trusted with a POST."""
    async with serving(answer()) as (server, client):
        await client.generate("a cat")
        await anyio.sleep(1.3)
        await client.generate("a dog")

    assert [seen.connection for seen in server.requests] == [1, 2]


async def test_young_connection_is_used() -> None:
    """A connection that was just used is used again."""
    async with serving(answer()) as (server, client):
        await client.generate("a cat")
        await client.generate("a dog")

    assert [seen.connection for seen in server.requests] == [1, 1]


async def test_connection_closed_while_idle() -> None:
    """A connection that the service has closed is not used again."""

    async def answer_and_close(visit: Visit) -> None:
        await answer()(visit)
        await anyio.sleep(0.05)
        await visit.hang_up()

    async with serving(answer_and_close, answer()) as (server, client):
        await client.generate("a cat")
        await anyio.sleep(0.15)
        await client.generate("a dog")

    assert [seen.connection for seen in server.requests] == [1, 2]
    assert server.runs == {"a cat": 1, "a dog": 1}


async def test_connection_closed_just_after_the_answer() -> None:
    """A service that closes after each answer, and doesn't say so, loses nothing."""

    async def answer_and_close(visit: Visit) -> None:
        await answer()(visit)
        await visit.hang_up()

    async with serving(answer_and_close) as (server, client):
        for number in range(10):
            await client.generate(f"cat {number}")

    assert server.ran == 10
    assert server.connections == 10


@pytest.mark.parametrize("polls", [True, False], ids=["poll", "select"])
async def test_answer_that_nobody_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    polls: bool,  # noqa: FBT001  # a parameter of pytest
) -> None:
    """An answer that comes on an idle connection is no answer to the next request."""
    if not polls:
        monkeypatch.setattr(_connector, "POLL", None)

    async def answer_twice(visit: Visit) -> None:
        await answer()(visit)
        await visit.writer.drain()
        await anyio.sleep(0.02)
        visit.send(200, answer_body("a cow"))

    async with serving(answer_twice, answer()) as (server, client):
        await client.generate("a cat")
        await anyio.sleep(0.1)
        response = await client.generate("a dog")
        again = await client.generate("a pig")

    assert [response.data[0].prompt, again.data[0].prompt] == ["a dog", "a pig"]
    assert [seen.connection for seen in server.requests] == [1, 2, 2]


async def test_connection_lost_without_notice() -> None:
    """What is lost on a connection in use is unknown, and not sent again."""
    async with serving(answer(), reset_before_body, answer()) as (server, client):
        await client.generate("a cat")
        with pytest.raises(OutcomeUnknownError):
            await client.generate("a dog")

    assert [seen.connection for seen in server.requests] == [1, 1]
    assert server.runs == {"a cat": 1}


# The policy, and the waits between attempts


@pytest.mark.parametrize("name", ["attempts", "wait_exp_base"])
def test_policy_of_at_least_one(name: str) -> None:
    """A policy without an attempt, or that shrinks its waits, is refused."""
    options: Any = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, got 0"):
        RetryPolicy(**options)


@pytest.mark.parametrize("name", ["wait_initial", "wait_max"])
def test_policy_that_is_not_negative(name: str) -> None:
    """A policy with a negative wait is refused."""
    options: Any = {name: -1}
    with pytest.raises(ValueError, match=f"{name} must be 0 or more, got -1"):
        RetryPolicy(**options)


async def test_no_wait_at_all() -> None:
    """With no wait between attempts they follow at once."""
    hasty = RetryPolicy(attempts=3, wait_initial=0)
    url = f"http://127.0.0.1:{closed_port()}"
    async with client_of(url, retry=hasty) as client:
        assert_never_sent(await failure_of(client))


async def test_deadline_passes_under_way() -> None:
    """A deadline that passes under way leaves the outcome unknown."""
    async with serving(silence, deadline=0.2) as (server, client):
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.generate("a cat")

    assert type(caught.value.__cause__) is RequestTimeoutError
    assert len(server.requests) == 1


async def test_deadline_passes_at_the_gate() -> None:
    """A deadline that passes at the gate means that nothing was sent."""
    limiter = Limiter(1, learn=False)
    async with serving(silence, limiter=limiter, timeout=0.3) as (server, client):
        hasty = client.with_options(deadline=0.1)
        async with anyio.create_task_group() as group:

            async def occupy() -> None:
                with pytest.raises(OutcomeUnknownError):
                    await client.generate("a dog")

            group.start_soon(occupy)
            await until(lambda: server.ran)
            with pytest.raises(RequestTimeoutError, match="not sent") as caught:
                await hasty.generate("a cat")

    assert caught.value.delivery == "not_sent"
    assert server.runs == {"a dog": 1}


async def test_closed_session() -> None:
    """A given session that is closed already sends nothing, and frees the place."""
    async with Server(answer()) as server:
        session = aiohttp.ClientSession()
        await session.close()
        async with client_of(server.url, session=session) as client:
            failure = await failure_of(client)

    assert isinstance(failure.error, TransportError)
    assert failure.error.delivery == "not_sent"
    assert server.requests == []


def test_tls_errors_are_connection_failures() -> None:
    """Every TLS error of aiohttp is a failure to connect, so nothing was sent."""
    for kind in (
        aiohttp.ClientConnectorSSLError,
        aiohttp.ClientConnectorCertificateError,
    ):
        assert issubclass(kind, aiohttp.ClientConnectorError)
    assert issubclass(aiohttp.ClientConnectorSSLError, ssl.SSLError)
