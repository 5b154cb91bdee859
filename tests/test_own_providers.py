"""Providers given by users: keys, prices and adaptations of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, ClassVar, TypeVar, cast

import pytest

from ideogram_async import (
    ConfigurationError,
    Cost,
    DecodeError,
    Describe,
    GenerateLegacy,
    GenerateV3,
    IdeogramClient,
    Limiter,
    OutcomeUnknownError,
    RemixV3,
    Request,
    RetryPolicy,
    Success,
    TryOnV3,
    UnsupportedRequestError,
    Upload,
    Upscale,
)
from ideogram_async._http import HttpRequest, HttpResponse
from ideogram_async.providers import (
    KKIAI,
    AiHubMix,
    Ideogram,
    OpenAIHK,
    Pixazo,
    Price,
    PriceList,
    Provider,
    Route,
)
from ideogram_async.providers._base import Exchange
from ideogram_async.responses import Description

from .failover import KEY, asking
from .servers import (
    HOST,
    QUICK,
    Act,
    Server,
    answer,
    answer_body,
    closed_port,
    fail,
    hang_up,
    reply,
    serving,
    until,
)


T = TypeVar("T")


async def test_only_those_with_a_route_are_asked() -> None:
    """A provider without a route for a request is passed over."""
    async with Server(answer()) as first, Server(answer()) as second:
        providers = [KKIAI(KEY, first.url), Ideogram(KEY, second.url)]
        async with IdeogramClient(provider=providers, retry=QUICK) as client:
            await client.generate("a cat")
            await client.generate_legacy("a dog")
            assert client.supports(GenerateV3)
            assert client.supports(GenerateV3("a cat"))
            assert client.estimate(GenerateV3("a cat")) == Cost(Decimal("0.06"), "USD")

    assert [each.target for each in first.requests] == ["/generate"]
    assert [each.target for each in second.requests] == ["/v1/ideogram-v3/generate"]


async def test_no_provider_has_a_route() -> None:
    """Without any route nothing is sent, and no place is taken."""
    providers = [KKIAI(KEY), AiHubMix(KEY)]
    async with IdeogramClient(provider=providers) as client:
        assert client.supports(RemixV3)
        assert not client.supports(TryOnV3)
        with pytest.raises(UnsupportedRequestError, match="ideogram"):
            await client.try_on(
                image=Upload.from_bytes(b"\x89PNG\r\n\x1a\n", "a.png"),
                product_reference_images=[
                    Upload.from_bytes(b"\x89PNG\r\n\x1a\n", "b.png")
                ],
            )
        with pytest.raises(UnsupportedRequestError):
            client.estimate(GenerateV3("a cat", rendering_speed="FLASH"))
        assert client.limiter.in_use == 0


async def test_one_provider_of_ones_own() -> None:
    """A single provider may be given with its key."""
    async with (
        Server(reply(answer_body())) as server,
        IdeogramClient(provider=Ideogram(KEY, server.url)) as client,
    ):
        await client.generate("a cat")

    assert server.requests[0].headers["api-key"] == KEY


async def test_names_take_their_keys_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Providers by name have the keys of their own variables."""
    monkeypatch.setenv("IDEOGRAM_API_KEY", "one")
    monkeypatch.setenv("KKIAI_API_KEY", "two")

    client = IdeogramClient(provider=["ideogram", "kkiai"])

    assert "ideogram" in repr(client)
    assert "kkiai" in repr(client)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"provider": []}, "empty"),
        ({"provider": ["ideogram"], "api_key": "x"}, "api_key is for a single"),
        ({"provider": [Ideogram("x")], "base_url": "http://x"}, "base_url is for"),
        (
            {"provider": [Ideogram("x"), KKIAI("y")], "limiter": Limiter()},
            "a limiter is for one key",
        ),
        ({"provider": ["nobody"]}, "unknown provider 'nobody'"),
    ],
)
def test_what_can_not_be_shared(options: dict[str, Any], complaint: str) -> None:
    """A key, an address or a gate for several providers is refused."""
    with pytest.raises(ConfigurationError, match=complaint):
        IdeogramClient(**options)


def test_estimate_needs_no_event_loop() -> None:
    """Prices are there outside a loop, also after a provider has failed."""

    async def failed_often() -> IdeogramClient:
        dead = f"http://{HOST}:{closed_port()}"
        async with (
            Server(answer()) as second,
            asking(dead, second.url) as (client, _),
        ):
            for _ in range(6):
                await client.generate("a cat")
            assert client.limiter.is_failing
            return client

    client = asyncio.run(failed_often())

    assert client.estimate("a cat") == Cost(Decimal("0.06"), "USD")


class Own(Provider):
    """A provider of a user's own, not registered, and with a bad table."""

    name = "own"
    default_base_url = "http://127.0.0.1"
    key_variable = "OWN_API_KEY"
    routes: ClassVar[Any] = {GenerateV3: Route()}
    prices = PriceList(prices={GenerateV3: (Price({"": "0,1"}),)})


class Picky(Own):
    """One that expects another answer."""

    def incoming(self, payload: Any, request: Any) -> Any:
        """Read what isn't there."""
        return payload["images"]


async def test_paid_answer_outlives_a_bad_price() -> None:
    """A price that can't be read costs nobody an answer that is paid."""
    async with (
        Server(answer()) as server,
        IdeogramClient(provider=Own(KEY, server.url)) as client,
    ):
        batch = await client.generate_many(["a cat"], aspect_ratio="16x9")

    (success,) = batch.successes
    assert success.cost.qualifier == "unknown"


async def test_paid_answer_is_kept_if_it_is_not_adapted() -> None:
    """An adaptation that fails is a DecodeError, with the body."""
    async with (
        Server(answer()) as server,
        IdeogramClient(provider=Picky(KEY, server.url)) as client,
    ):
        with pytest.raises(DecodeError, match="own documents it") as caught:
            await client.generate("a cat")

    assert b"a cat" in caught.value.body


def test_provider_without_a_name() -> None:
    """A class that lacks an attribute is refused before anything is sent."""
    nameless = type("Nameless", (Provider,), {"default_base_url": "http://x"})
    with pytest.raises(TypeError, match="Nameless must have 'name'"):
        nameless("key")


@pytest.mark.parametrize(("kind", "amount"), [(OpenAIHK, "9600"), (AiHubMix, "0.24")])
def test_upscaling_is_paid_by_the_image(kind: type[Provider], amount: str) -> None:
    """Both pages price upscaling per image."""
    image = Upload.from_bytes(b"\x89PNG\r\n\x1a\n", "a.png")
    cost = kind.cost(Upscale(image_file=image, num_images=4))
    assert (cost.amount, cost.qualifier) == (Decimal(amount), "exact")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"text": "words"}, Description(text="words")),
        ({"description": "words"}, Description(text="words")),
        (
            {"description": "one", "text": "two"},
            Description(text="one", extra={"original_text": "two"}),
        ),
    ],
)
def test_no_word_of_a_description_is_lost(content: Any, expected: Any) -> None:
    """What else stands in Pixazo's object is kept."""
    image = Upload.from_bytes(b"\x89PNG\r\n\x1a\n", "a.png")
    exchange = Pixazo(KEY).exchange(Describe(image_file=image))
    next(exchange)
    with pytest.raises(StopIteration) as finished:
        exchange.send(HttpResponse(200, body=json.dumps({"data": content}).encode()))
    assert finished.value.value.descriptions == (expected,)


@pytest.mark.parametrize("content", [[1], ["url"], [[{"url": "x"}]], "words", None])
def test_an_odd_answer_is_kept(content: Any) -> None:
    """What is not as Pixazo documents it ends as a DecodeError with the body."""
    exchange = Pixazo(KEY).exchange(GenerateLegacy("a cat"))
    next(exchange)
    odd = {"created": "2000-01-23T04:56:07Z", "data": content}
    body = json.dumps(odd).encode()
    with pytest.raises(DecodeError) as caught:
        exchange.send(HttpResponse(200, body=body))

    assert caught.value.body == body


class Polled(Ideogram):
    """Takes a request, and is asked for what it made."""

    def exchange(self, request: Request[T]) -> Exchange[T]:
        """Submit, and ask a little later."""
        first = super().exchange(request)
        submission = next(first)
        yield submission
        url = f"{self.base_url}/result"
        reply = yield HttpRequest("GET", url, submission.headers, delay=0.2)
        try:
            first.send(reply)
        except StopIteration as finished:
            return cast("T", finished.value)
        raise AssertionError


def polled(*acts: Act, **options: Any) -> Any:
    """Serve *acts*, and make a client of a provider that is polled."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Server, IdeogramClient]]:
        async with Server(*acts) as server:
            provider = Polled(KEY, server.url)
            async with IdeogramClient(
                provider=provider, retry=QUICK, **options
            ) as client:
                yield server, client

    return opened()


async def test_what_is_accepted_outlives_its_batch() -> None:
    """A stop lets what the service has taken be fetched, as it is paid."""
    async with (
        polled(answer()) as (server, client),
        client.stream_many(["a cat"]) as outcomes,
    ):
        await until(lambda: server.ran)
        outcomes.stop()
        found = [outcome async for outcome in outcomes]

    assert [type(outcome) for outcome in found] == [Success]


@pytest.mark.parametrize("end", ["deadline", "lost", "cancelled"])
async def test_what_is_accepted_and_not_fetched_is_unknown(end: str) -> None:
    """What the service has taken and nobody could fetch is never called unsent."""
    deadline = 0.15 if end == "deadline" else None
    async with polled(answer(), hang_up, deadline=deadline) as (server, client):
        task = asyncio.create_task(client.generate("a cat"))
        await until(lambda: server.ran)
        await asyncio.sleep(0.05)
        if end == "cancelled":
            task.cancel()
        kind = asyncio.CancelledError if end == "cancelled" else OutcomeUnknownError
        with pytest.raises(kind) as raised:
            await task
        assert client.stats().unknown == 1

    assert getattr(raised.value, "provider", "ideogram") == "ideogram"


async def test_what_was_lost_once_stays_unknown_when_cancelled() -> None:
    """A request that is cancelled before it is sent again may have run before."""
    retry = RetryPolicy(wait_initial=60, resend_unknown=True)
    async with serving(fail(500), retry=retry) as (server, client):
        task = asyncio.create_task(client.generate("a cat"))
        await until(lambda: client.stats().retries)
        task.cancel()
        await asyncio.wait([task])

    assert (server.ran, client.stats().unknown) == (1, 1)


def test_the_password_of_an_address_is_in_no_text() -> None:
    """An address may hold a password, which nobody is shown."""
    client = IdeogramClient(KEY, base_url="http://me:hunter2@127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="base_url must be") as raised:
        IdeogramClient(KEY, base_url="ftp://me:hunter2@127.0.0.1:1")

    assert "hunter2" not in f"{client!r} {raised.value!r}"
    assert "http://127.0.0.1:1>" in repr(client)
