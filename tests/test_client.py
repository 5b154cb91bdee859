"""The client as users meet it: configuration, secrets, sessions, errors."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import math
import pickle
import traceback
import warnings
from typing import Any

import aiohttp
import pytest

from ideogram_async import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    DownloadError,
    GenerateV3,
    IdeogramClient,
    IdeogramError,
    Limiter,
    NotSentError,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
)

from .servers import (
    PNG,
    QUICK,
    Act,
    Server,
    Visit,
    answer,
    client_of,
    closed_port,
    fail,
    hang_up,
    refuse,
    reply,
    reset_after_body,
    serving,
    silence,
    until,
    write_raw,
)


KEY = "k-0123456789-very-secret"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test without any setting of this machine."""
    for name in ("IDEOGRAM_API_KEY", "IDEOGRAM_BASE_URL", "IDEOGRAM_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


# Configuration


async def sent_key(client: IdeogramClient, server: Server) -> str:
    """Return the key that the client sends to the server."""
    async with client:
        await client.generate("a cat")
    return server.requests[-1].headers["api-key"]


async def test_key_as_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is given wins over the environment's."""
    monkeypatch.setenv("IDEOGRAM_API_KEY", "other")
    async with Server(answer()) as server:
        client = IdeogramClient(KEY, base_url=server.url)
        assert await sent_key(client, server) == KEY


@pytest.mark.parametrize("given", [None, ""])
async def test_key_from_the_environment(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key the environment's is used, without the blanks around it."""
    monkeypatch.setenv("IDEOGRAM_API_KEY", f" {KEY}\n")
    async with Server(answer()) as server:
        client = IdeogramClient(given, base_url=server.url)
        assert await sent_key(client, server) == KEY


@pytest.mark.parametrize("key", [None, "", "  \n"])
def test_no_key(key: str | None) -> None:
    """Without any key there is no client, and the error names the variable."""
    with pytest.raises(ConfigurationError, match="IDEOGRAM_API_KEY"):
        IdeogramClient(key)


@pytest.mark.parametrize("key", ["k\r\nX-Evil: 1", "schlüssel", "a\x00b", "a\tb"])
def test_key_that_is_none(key: str) -> None:
    """A key with characters that no key has is refused, and not shown."""
    with pytest.raises(ConfigurationError, match="characters") as caught:
        IdeogramClient(key)

    assert key not in str(caught.value)


@pytest.mark.parametrize("name", ["ideogramm", "", "IDEOGRAM"])
def test_unknown_provider(name: str) -> None:
    """An unknown provider is refused, and the known ones are named."""
    with pytest.raises(ConfigurationError, match=r"unknown provider.*ideogram"):
        IdeogramClient(KEY, provider=name)


def test_unknown_provider_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment's provider is checked in the same way."""
    monkeypatch.setenv("IDEOGRAM_PROVIDER", "nobody")
    with pytest.raises(ConfigurationError, match="nobody"):
        IdeogramClient(KEY)


async def test_address_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's address is used where neither address nor provider is given."""
    async with Server(answer()) as server, Server(answer()) as other:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", f"{server.url}/")
        async with IdeogramClient(KEY) as client:
            await client.generate("a cat")
        async with IdeogramClient(KEY, base_url=other.url) as client:
            await client.generate("a dog")
        named = repr(IdeogramClient(KEY, provider="ideogram"))

    assert [seen.target for seen in server.requests] == ["/v1/ideogram-v3/generate"]
    assert other.ran == 1
    assert "https://api.ideogram.ai" in named


@pytest.mark.parametrize(
    "url",
    [
        "api.ideogram.ai",
        "ftp://api.ideogram.ai",
        "https://",
        "/v1",
        "http://:80",
        "http://[::1",
        "http://api.ideogram.ai:99999",
        "http://api.ideogram.ai:x",
    ],
)
def test_bad_address(url: str) -> None:
    """An address that can't be one is refused when the client is made."""
    with pytest.raises(ConfigurationError, match="base_url"):
        IdeogramClient(KEY, base_url=url)


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
@pytest.mark.parametrize("name", ["timeout", "deadline"])
def test_bad_times(name: str, seconds: float) -> None:
    """A time that is no time is refused, also by with_options."""
    options: Any = {name: seconds}
    with pytest.raises(ConfigurationError, match=name):
        IdeogramClient(KEY, **options)
    with pytest.raises(ConfigurationError, match=name):
        IdeogramClient(KEY).with_options(**options)


def test_made_without_a_loop() -> None:
    """A client is made without a running loop, and opens nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        IdeogramClient(KEY)
        gc.collect()

    assert caught == []


def test_signature_is_the_request_class() -> None:
    """A verb has the parameters and the description of its request class."""
    client = IdeogramClient(KEY)

    assert inspect.signature(client.generate) == inspect.signature(GenerateV3)
    assert client.generate.__doc__ == GenerateV3.__doc__


async def test_verb_is_send() -> None:
    """A verb sends what its request class would."""
    async with serving(answer()) as (server, client):
        await client.generate("a cat", seed=7)
        await client.send(GenerateV3("a cat", seed=7))

    first, second = (
        seen.body.replace(seen.headers["content-type"].split("=")[1].encode(), b"")
        for seen in server.requests
    )
    assert first == second


# Secrets


def shown(value: object) -> str:
    """Return everything that a log or a debugger would show of *value*."""
    return " ".join([repr(value), str(value), f"{value}", repr(vars(value))])


def test_client_does_not_show_its_key() -> None:
    """The key is in no representation of a client or of its parts."""
    client = IdeogramClient(KEY)

    (channel,) = client._failover.channels
    parts = (channel, channel.provider, channel.delivery, client._transport)
    for each in (client, client.limiter, *parts):
        assert KEY not in repr(each)
    assert "ideogram" in repr(client)


def assert_no_secret(error: BaseException | None) -> None:
    """Check an error and all behind it."""
    while error is not None:
        assert KEY not in shown(error)
        assert KEY not in "".join(traceback.format_exception(error))
        assert KEY.encode() not in pickle.dumps(error)
        assert "\n" not in str(error)
        error = error.__cause__ or error.__context__


def echo(status: int, form: bytes) -> Act:
    """Answer with the key that was sent, in *form*."""

    async def act(visit: Visit) -> None:
        await visit.read()
        visit.send(status, form % visit.seen.headers["api-key"].encode())

    return act


async def raw_echo(visit: Visit) -> None:
    """Answer with a status line that holds the key."""
    await write_raw(b"HTTP/1.1 2x0 " + KEY.encode() + b"\r\n\r\n")(visit)


FAILURES: dict[str, tuple[Act, type[IdeogramError]]] = {
    "refused with the key": (
        echo(401, b'{"error": "the key %s is wrong"}'),
        AuthenticationError,
    ),
    "refused with the key as a reason": (
        echo(401, b'{"error": "no", "reject_reason": "%s"}'),
        AuthenticationError,
    ),
    "refused with the key as text": (echo(401, b"bad key %s"), AuthenticationError),
    "failed with the key": (echo(500, b"bad key %s"), OutcomeUnknownError),
    "failed": (fail(500), OutcomeUnknownError),
    "unreadable": (reply(b"nonsense"), DecodeError),
    "lost": (reset_after_body, OutcomeUnknownError),
    "closed": (hang_up, OutcomeUnknownError),
    "silent": (silence, OutcomeUnknownError),
    "not HTTP, with the key": (raw_echo, OutcomeUnknownError),
}

ECHOES = {
    "unreadable": echo(200, b"your key %s"),
    "of another shape": echo(200, b'{"created": "%s", "data": []}'),
}


@pytest.mark.parametrize(("act", "kind"), FAILURES.values(), ids=FAILURES.keys())
async def test_errors_hold_no_secret(act: Act, kind: type[IdeogramError]) -> None:
    """The key is nowhere in an error: not in its text, its parts, or its causes."""
    async with (
        Server(act) as server,
        IdeogramClient(KEY, base_url=server.url, timeout=0.3) as client,
    ):
        with pytest.raises(kind) as caught:
            await client.generate("a cat")

    assert server.requests[0].headers["api-key"] == KEY
    assert_no_secret(caught.value)


@pytest.mark.parametrize("act", ECHOES.values(), ids=ECHOES.keys())
async def test_unreadable_answers_hold_no_secret(act: Act) -> None:
    """The key is not in the error of an answer that repeats it."""
    async with (
        Server(act) as server,
        IdeogramClient(KEY, base_url=server.url) as client,
    ):
        with pytest.raises(DecodeError) as caught:
            await client.generate("a cat")

    assert_no_secret(caught.value)


QUIET = [
    reset_after_body,
    hang_up,
    silence,
    fail(500),
    reply(b"nonsense"),
    refuse(401),
]


@pytest.mark.parametrize("act", QUIET)
async def test_frames_hold_no_secret(act: Act) -> None:
    """The key is in no local variable between the caller and where it went wrong."""
    async with (
        Server(act) as server,
        IdeogramClient(KEY, base_url=server.url, timeout=0.3) as client,
    ):
        with pytest.raises(IdeogramError) as caught:
            await client.generate("a cat")

    told = traceback.TracebackException.from_exception(
        caught.value, capture_locals=True
    )
    assert "step = <HttpRequest POST" in "".join(told.format())
    assert KEY not in "".join(told.format())


@pytest.mark.parametrize("url", ["http://nowhere.invalid", "http://127.0.0.1:{port}"])
async def test_connection_errors_hold_no_secret(url: str) -> None:
    """The key is not in the error of a connection that was never made."""
    address = url.format(port=closed_port())
    async with IdeogramClient(KEY, base_url=address, retry=QUICK) as client:
        with pytest.raises(ConnectionFailedError) as caught:
            await client.generate("a cat")

    told = traceback.TracebackException.from_exception(
        caught.value, capture_locals=True
    )
    assert KEY not in "".join(told.format())
    assert KEY not in shown(caught.value)


# Errors


async def test_errors_carry_provider_and_request() -> None:
    """An error says who was asked, and for what."""
    async with serving(refuse(400, b'{"error": "no such style"}')) as (_, client):
        with pytest.raises(IdeogramError, match="no such style") as caught:
            await client.generate("a cat", seed=7)

    assert caught.value.provider == "ideogram"
    assert caught.value.request == GenerateV3("a cat", seed=7)


@pytest.mark.parametrize(("act", "kind"), FAILURES.values(), ids=FAILURES.keys())
async def test_errors_are_picklable(act: Act, kind: type[IdeogramError]) -> None:
    """An error survives pickling and copying with all that it knows."""
    async with (
        Server(act) as server,
        IdeogramClient(KEY, base_url=server.url, timeout=0.3) as client,
    ):
        with pytest.raises(kind) as caught:
            await client.generate("a cat")

    for copied in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert type(copied) is kind
        assert str(copied) == str(caught.value)
        assert vars(copied) == vars(caught.value)


async def test_outcomes_are_picklable() -> None:
    """A whole batch survives pickling."""
    acts = [answer(), refuse(400), hang_up, refuse(401)]
    limiter = Limiter(1, learn=False)
    async with serving(*acts, limiter=limiter) as (_, client):
        batch = await client.generate_many(["one", "two", "three", "four", "five"])

    copied = pickle.loads(pickle.dumps(batch))
    assert copied.images == batch.images
    assert [str(failure.error) for failure in copied.failures] == [
        str(failure.error) for failure in batch.failures
    ]
    assert isinstance(copied.failures[-1].error, NotSentError)


async def test_timeout_is_a_timeout_error() -> None:
    """A deadline can be caught as Python's own TimeoutError."""
    limiter = Limiter(1, learn=False)
    async with serving(silence, limiter=limiter, timeout=0.5) as (server, client):
        task = asyncio.create_task(client.generate("a cat"))
        await until(lambda: server.ran)
        with pytest.raises(TimeoutError) as caught:
            await client.with_options(deadline=0.1).generate("a dog")
        with pytest.raises(OutcomeUnknownError):
            await task

    assert isinstance(caught.value, RequestTimeoutError)


async def test_download_errors_say_who_was_asked() -> None:
    """A download's error is ours, and holds the cause."""
    async with serving(refuse(404)) as (server, client):
        with pytest.raises(DownloadError) as caught:
            await client.download(server.url, "never.png")

    assert isinstance(caught.value.__cause__, IdeogramError)


# Sessions


async def test_given_session_stays_open() -> None:
    """A session that was given is used, and never closed."""
    async with aiohttp.ClientSession() as session:
        async with serving(answer(), session=session) as (server, client):
            await client.generate("a cat")
        assert not session.closed

    assert server.ran == 1


@pytest.mark.parametrize("name", ["Api-Key", "api-key", "API-KEY"])
async def test_session_with_the_key_is_refused(name: str) -> None:
    """A session that would send the key to every host is refused, and not shown."""
    async with aiohttp.ClientSession(headers={name: KEY}) as session:
        with pytest.raises(ConfigurationError, match="leave it out") as caught:
            IdeogramClient("other", session=session)

    assert KEY not in str(caught.value)


async def test_session_that_raises_for_status() -> None:
    """A session that makes errors of statuses changes nothing for us."""
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        acts = [refuse(429, headers={"Retry-After": "0"}), answer()]
        async with serving(*acts, session=session) as (server, client):
            await client.generate("a cat")

    assert server.ran == 1


async def test_own_session_is_closed() -> None:
    """Leaving the context closes the connections."""
    gone = asyncio.Event()

    async def answer_and_watch(visit: Visit) -> None:
        await answer()(visit)
        await visit.reader.read()
        gone.set()

    async with serving(answer_and_watch) as (_, client):
        await client.generate("a cat")
        assert not gone.is_set()
        await client.aclose()
        await asyncio.wait_for(gone.wait(), 1)


async def test_closing_twice_and_using_again() -> None:
    """A client may be closed twice, and used again after it."""
    async with serving(answer()) as (server, client):
        for _ in range(2):
            await client.generate("a cat")
            await client.aclose()
            await client.aclose()

    assert server.connections == 2


# Options


async def test_options_share_session_and_limiter() -> None:
    """A copy with other options shares connections and gate."""
    async with serving(answer()) as (server, client):
        changed = client.with_options(timeout=1, deadline=2, retry=RetryPolicy())
        await client.generate("a cat")
        await changed.generate("a dog")

        assert changed.limiter is client.limiter

    assert server.connections == 1


async def test_options_change_only_what_is_given() -> None:
    """A copy keeps every option that is not given, and the original keeps all."""
    acts = [silence, silence, hang_up]
    async with serving(*acts, timeout=0.2, retry=RetryPolicy(attempts=1)) as (
        server,
        client,
    ):
        changed = client.with_options(
            retry=RetryPolicy(attempts=2, wait_initial=0, resend_unknown=True)
        )
        with pytest.raises(OutcomeUnknownError, match=r"within 0\.2 s"):
            await changed.generate("a cat")
        assert len(server.requests) == 2
        with pytest.raises(OutcomeUnknownError, match="lost"):
            await client.generate("a cat")
        assert len(server.requests) == 3


async def test_option_none_lifts_the_deadline() -> None:
    """A deadline of None is an option too."""
    async with serving(answer(after=0.3), deadline=0.1) as (_, client):
        await client.with_options(deadline=None).generate("a cat")
        with pytest.raises(OutcomeUnknownError):
            await client.generate("a cat")


async def test_downloads_share_their_limit(tmp_path: Any) -> None:
    """Downloads of a client and of its copies are limited together."""

    async def act(visit: Visit) -> None:
        await visit.run(seconds=0.05)
        visit.send(200, PNG)

    async with serving(act) as (server, client):
        await asyncio.gather(
            *(
                client.with_options().download(server.url, tmp_path / f"{n}.png")
                for n in range(20)
            )
        )

    assert server.peak == 8


async def test_limiter_is_shared_by_clients() -> None:
    """Clients that are given one limiter keep its limit together."""
    limiter = Limiter(2, learn=False)
    async with (
        serving(answer(after=0.05), limiter=limiter) as (server, client),
        client_of(server.url, limiter=limiter) as other,
    ):
        await asyncio.gather(
            client.generate_many(["a cat"] * 6), other.generate_many(["a dog"] * 6)
        )

    assert server.peak == 2
    assert server.ran == 12


# Loops


async def run_once(client: IdeogramClient, *, close: bool) -> None:
    """Use *client* in a loop of its own."""
    async with Server(answer()) as server:
        client._failover.channels[0].provider.base_url = server.url
        await client.generate("a cat")
        if close:
            await client.aclose()


def test_second_run() -> None:
    """One client serves one asyncio.run after the other."""
    client = IdeogramClient(KEY, base_url="http://127.0.0.1")
    for _ in range(3):
        asyncio.run(run_once(client, close=True))

    assert client.limiter.in_use == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_second_run_without_closing() -> None:
    """A client that was not closed works in the next loop all the same."""
    client = IdeogramClient(KEY, base_url="http://127.0.0.1")
    asyncio.run(run_once(client, close=False))
    asyncio.run(run_once(client, close=False))
    asyncio.run(client.aclose())
    gc.collect()

    assert client.limiter.in_use == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_second_run_after_an_abort() -> None:
    """A client whose run was broken off works in the next, with all its places."""

    async def abort(client: IdeogramClient) -> None:
        async with Server(silence) as server:
            client._failover.channels[0].provider.base_url = server.url
            task = asyncio.create_task(client.generate_many(["a cat"] * 30))
            await until(lambda: server.ran == 10 and client.limiter.waiting > 0)
            raise LookupError(task.get_name())

    client = IdeogramClient(KEY, base_url="http://127.0.0.1")
    with pytest.raises(LookupError):
        asyncio.run(abort(client))
    assert client.limiter.in_use == client.limiter.waiting == 0
    asyncio.run(run_once(client, close=True))
    gc.collect()


def test_second_run_after_a_pause() -> None:
    """A pause that one loop was told of is kept by the next."""

    async def throttle(client: IdeogramClient) -> None:
        async with Server(refuse(429, headers={"Retry-After": "60"})) as server, client:
            client._failover.channels[0].provider.base_url = server.url
            with pytest.raises(RequestTimeoutError):
                await client.with_options(deadline=0.1).generate("a cat")

    async def try_again(client: IdeogramClient) -> None:
        async with Server(answer()) as server, client:
            client._failover.channels[0].provider.base_url = server.url
            with pytest.raises(RequestTimeoutError):
                await client.with_options(deadline=0.1).generate("a cat")
            assert server.requests == []

    client = IdeogramClient(KEY, base_url="http://127.0.0.1")
    asyncio.run(throttle(client))
    asyncio.run(try_again(client))


async def test_throttled_call_of_its_own() -> None:
    """A 429 that names a limit is learnt by the client's gate."""
    named = b'{"error": "busy", "max_inflight_requests": 4}'
    no = refuse(429, named, {"Retry-After": "60"})
    async with serving(no, deadline=0.2) as (_, client):
        with pytest.raises(RequestTimeoutError) as caught:
            await client.generate("a cat")

    assert not isinstance(caught.value, RateLimitError)
