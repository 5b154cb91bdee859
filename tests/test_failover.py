"""Failover between providers: the next is asked only if nobody can have been paid."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from ideogram_async import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectionFailedError,
    Cost,
    DecodeError,
    Describe,
    GenerateLegacy,
    GenerateV3,
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
    Success,
    TransportError,
    TryOnV3,
    UnsupportedRequestError,
    Upload,
    Upscale,
)
from ideogram_async._http import HttpResponse
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
from ideogram_async.responses import Description
from ideogram_async.sandbox import Sandbox

from .servers import (
    HOST,
    QUICK,
    Act,
    Server,
    answer,
    answer_body,
    capped,
    closed_port,
    fail,
    hang_up,
    refuse,
    reply,
    reset_after_body,
    reset_before_body,
    reset_during_answer,
    reset_during_body,
    silence,
    unreachable,
    until,
)


KEY = "a key that is long enough"


@asynccontextmanager
async def asking(
    *urls: str, **options: Any
) -> AsyncGenerator[tuple[IdeogramClient, list[Provider]]]:
    """Make a client of several providers, and see that it leaves no place in use."""
    kinds = (Ideogram, AiHubMix, AiHubMix)
    providers: list[Provider] = [
        kind(KEY, url) for kind, url in zip(kinds, urls, strict=False)
    ]
    given = {"retry": QUICK, "timeout": 5.0} | options
    async with IdeogramClient(provider=providers, **given) as client:
        yield client, providers
        for channel in client._failover.channels:
            assert (channel.limiter.in_use, channel.limiter.waiting) == (0, 0)


class OneWay(io.BytesIO):
    """A file that can be read once, as a pipe."""

    def seekable(self) -> bool:
        return False


NOT_RUN = [
    pytest.param(refuse(401), id="401"),
    pytest.param(refuse(402), id="402"),
    pytest.param(refuse(403), id="403"),
    pytest.param(refuse(503, headers={"Retry-After": "0"}), id="503 Retry-After"),
    pytest.param(
        refuse(429, b'{"error": "no", "max_inflight_requests": 1}'), id="429 too large"
    ),
]
PERHAPS_RUN: list[Any] = [
    pytest.param(fail(500), OutcomeUnknownError, id="500"),
    pytest.param(fail(503), OutcomeUnknownError, id="503"),
    pytest.param(hang_up, OutcomeUnknownError, id="closed"),
    pytest.param(reset_before_body, OutcomeUnknownError, id="reset before the body"),
    pytest.param(reset_during_body, OutcomeUnknownError, id="reset in the body"),
    pytest.param(reset_after_body, OutcomeUnknownError, id="reset after the body"),
    pytest.param(reset_during_answer, DecodeError, id="reset in the answer"),
    pytest.param(silence, OutcomeUnknownError, id="silence"),
    pytest.param(reply(b"{}", length=1000), DecodeError, id="truncated"),
    pytest.param(reply(b"gibberish"), DecodeError, id="gibberish"),
    pytest.param(refuse(400), BadRequestError, id="400"),
    pytest.param(refuse(404), NotFoundError, id="404"),
    pytest.param(refuse(413), BadRequestError, id="413"),
    pytest.param(refuse(422), SafetyError, id="422"),
]


@pytest.mark.parametrize("act", NOT_RUN)
async def test_next_is_asked_if_nothing_ran(act: Act) -> None:
    """After a refusal that concerns the provider alone, the next one answers."""
    async with (
        Server(act) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        response = await client.generate("a cat", num_images=2)

    assert response.data[0].prompt == "a cat"
    assert (first.ran, second.ran) == (0, 1)
    assert len(first.requests) == 1


async def test_next_is_asked_if_there_is_no_connection() -> None:
    """Where nobody listens, the next one is asked at once, without a retry."""
    dead = f"http://{HOST}:{closed_port()}"
    retry = RetryPolicy(wait_initial=30.0, wait_max=30.0)
    async with (
        Server(answer()) as second,
        asking(dead, second.url, retry=retry) as (client, _),
    ):
        with anyio.fail_after(5):
            response = await client.generate("a cat")

    assert response.data[0].prompt == "a cat"
    assert second.ran == 1


@pytest.mark.parametrize(("act", "expected"), PERHAPS_RUN)
async def test_next_is_not_asked_otherwise(
    act: Act, expected: type[IdeogramError]
) -> None:
    """What may have run, or is the request's own fault, is not tried elsewhere."""
    async with (
        Server(act) as first,
        Server(answer()) as second,
        asking(first.url, second.url, timeout=0.3) as (client, _),
    ):
        with pytest.raises(expected) as caught:
            await client.generate("a cat")

    assert caught.value.provider == "ideogram"
    assert second.requests == []


async def test_unknown_then_refused_stays_unknown() -> None:
    """A request that may have run stays so, whatever befalls its later attempts."""
    retry = RetryPolicy(wait_initial=0.01, resend_unknown=True)
    async with (
        Server(reset_after_body, refuse(402)) as first,
        Server(answer()) as second,
        asking(first.url, second.url, retry=retry) as (client, _),
    ):
        with pytest.raises(OutcomeUnknownError):
            await client.generate("a cat")

    assert second.requests == []


async def test_throttled_provider_gets_its_share_of_the_deadline() -> None:
    """A provider that goes on saying 429 is left after half of the time."""
    async with (
        Server(refuse(429)) as first,
        Server(answer()) as second,
        asking(first.url, second.url, deadline=1.2) as (client, _),
    ):
        started = anyio.current_time()
        await client.generate("a cat")
        taken = anyio.current_time() - started

    assert first.ran == 0
    assert second.ran == 1
    assert 0.5 < taken < 1.1


async def test_throttled_without_a_deadline_waits() -> None:
    """Without a deadline a 429 is waited out: the first provider still answers."""
    async with (
        Server(refuse(429), refuse(429), answer()) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        await client.generate("a cat")

    assert first.ran == 1
    assert second.requests == []


async def test_attempt_under_way_outlives_its_share() -> None:
    """What is under way when a provider's share of the time ends is waited for."""
    async with (
        Server(answer(after=0.8)) as first,
        Server(answer()) as second,
        asking(first.url, second.url, deadline=1.2) as (client, _),
    ):
        await client.generate("a cat")

    assert first.ran == 1
    assert second.requests == []


async def test_deadline_ends_all() -> None:
    """When every provider says 429 to the end, the request ends as never sent."""
    async with (
        Server(refuse(429)) as first,
        Server(refuse(429)) as second,
        asking(first.url, second.url, deadline=0.6) as (client, _),
    ):
        with pytest.raises(RequestTimeoutError) as caught:
            await client.generate("a cat")

    assert caught.value.delivery == "not_sent"
    assert caught.value.provider == "aihubmix"
    assert min(len(first.requests), len(second.requests)) > 0


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_provider_is_set_aside(status: int) -> None:
    """A provider that refused the key or for funds is not asked again."""
    async with (
        Server(refuse(status)) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        await client.generate("one")
        batch = await client.generate_many(["two", "three"])
        copied = client.with_options(timeout=1.0)
        await copied.generate("four")

    assert len(first.requests) == 1
    assert second.ran == 4
    assert [each.provider for each in batch.successes] == ["aihubmix"] * 2


async def test_all_set_aside() -> None:
    """When all have refused, all are asked again: each may have been paid since."""
    async with (
        Server(refuse(402), refuse(402), answer()) as first,
        Server(refuse(402)) as second,
        asking(first.url, second.url) as (client, _),
    ):
        for _ in range(2):
            with pytest.raises(InsufficientFundsError):
                await client.generate("a cat")
        await client.generate("a cat")

    assert len(second.requests) == 2
    assert first.ran == 1


async def test_refusal_by_all_ends_a_batch() -> None:
    """A batch ends when the last provider has refused the key, too."""
    async with (
        Server(refuse(401)) as first,
        Server(refuse(403)) as second,
        asking(first.url, second.url) as (client, _),
    ):
        batch = await client.generate_many(str(number) for number in range(500))

    assert len(batch.failures) == 500
    assert any(isinstance(each.error, AuthenticationError) for each in batch.failures)
    assert len(first.requests) + len(second.requests) < 200


async def test_batch_over_a_dead_provider() -> None:
    """A whole batch is answered by the next provider when the first is dead."""
    dead = f"http://{HOST}:{closed_port()}"
    async with (
        Server(answer(after=0.01)) as second,
        asking(dead, second.url) as (client, _),
    ):
        with anyio.fail_after(20):
            batch = await client.generate_many(str(number) for number in range(300))

    assert len(batch.successes) == 300
    assert max(second.runs.values()) == 1


async def test_batch_when_the_funds_run_out() -> None:
    """When the money of one account ends, the rest is paid by the next, once."""
    prompts = [str(number) for number in range(120)]
    async with (
        Sandbox(latency=0.01, balance=40) as first,
        Sandbox(latency=0.01) as second,
        IdeogramClient(
            provider=[Ideogram(KEY, first.url), Ideogram(KEY + "2", second.url)],
            retry=QUICK,
        ) as client,
    ):
        batch = await client.generate_many(prompts)

    billed = first.ledger.times_billed + second.ledger.times_billed
    assert len(batch.successes) == 120
    assert (first.ledger.images, second.ledger.images) == (40, 80)
    assert set(billed.values()) == {1}


async def test_every_prompt_is_billed_once_under_faults() -> None:
    """With resets and 5xx at both providers, nobody is billed twice for a prompt."""
    faults: dict[Any, float] = {"reset": 0.1, "error": 0.1, "truncate": 0.05}
    prompts = [str(number) for number in range(200)]
    async with (
        Sandbox(latency=0.005, balance=90, faults=faults) as first,
        Sandbox(latency=0.005, faults=faults) as second,
        IdeogramClient(
            provider=[Ideogram(KEY, first.url), Ideogram(KEY + "2", second.url)],
            retry=QUICK,
        ) as client,
    ):
        batch = await client.generate_many(prompts)

    billed = first.ledger.times_billed + second.ledger.times_billed
    assert max(billed.values()) == 1
    assert min(first.ledger.images, second.ledger.images) > 20
    for outcome in batch:
        if isinstance(outcome, Success):
            assert billed[prompts[outcome.index]] == 1
        else:
            assert isinstance(outcome.error, OutcomeUnknownError | DecodeError)


async def test_outcome_says_who_answered_and_what_it_cost() -> None:
    """A success names its provider, and the price there."""
    async with (
        Server(refuse(402)) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        batch = await client.generate_many(["a cat"], rendering_speed="TURBO")

    (success,) = batch.successes
    assert success.provider == "aihubmix"
    assert success.cost == batch.cost == Cost(Decimal("0.03"), "USD")


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


async def test_stream_that_was_read_is_not_sent_elsewhere() -> None:
    """A file that can be read once goes to one provider only."""
    content = b"\x89PNG\r\n\x1a\n" + bytes(100)
    async with (
        Server(refuse(402)) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        image = Upload.from_stream(OneWay(content), "cat.png")
        with pytest.raises(InsufficientFundsError):
            await client.remix("a cat", image=image)

    assert second.requests == []


async def test_unreadable_file_is_nobodys_fault(tmp_path: Path) -> None:
    """A file that has gone is not tried with the next provider."""
    path = tmp_path / "cat.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    async with (
        Server(answer()) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        image = Upload.from_path(path)
        path.unlink()
        with pytest.raises(TransportError, match="can't read the upload") as caught:
            await client.remix("a cat", image=image)

    assert caught.value.provider == "ideogram"
    assert first.requests == second.requests == []


async def test_recovered_provider_is_asked_first_again() -> None:
    """A provider that was dead gets the requests back when it answers again."""
    port = closed_port()
    async with (
        Server(answer()) as second,
        asking(f"http://{HOST}:{port}", second.url) as (client, _),
    ):
        gate = client.limiter
        for _ in range(6):
            await client.generate("a cat")
        assert gate.is_failing
        async with Server(answer(), port=port) as first:
            await until(lambda: not gate.is_failing)
            await client.generate("a dog")

            assert first.ran == 1
    assert second.ran == 6


async def test_gates_are_apart() -> None:
    """Each provider has the limit of its own key."""
    async with (
        Server(capped(3, seconds=0.05)) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        await client.generate_many(str(number) for number in range(40))

        assert client.limiter.limit < 10
        assert client._failover.channels[1].limiter.limit == 10
        assert client._failover.limit == client.limiter.limit + 10
    assert second.requests == []


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


async def test_last_error_is_that_of_the_last_provider() -> None:
    """When nobody can be reached, the error is the last one's, and says so."""
    urls = [f"http://{HOST}:{closed_port()}" for _ in range(2)]
    async with asking(*urls) as (client, _):
        with pytest.raises(ConnectionFailedError) as caught:
            await client.generate("a cat")

    assert caught.value.provider == "aihubmix"


async def test_too_large_for_the_last() -> None:
    """A request that no provider's limit allows ends with the refusal of the last."""
    body = b'{"error": "no", "max_inflight_requests": 1}'
    async with (
        Server(refuse(429, body)) as first,
        Server(refuse(429, body)) as second,
        asking(first.url, second.url) as (client, _),
    ):
        with pytest.raises(RateLimitError) as caught:
            await client.generate("a cat", num_images=4)

    assert caught.value.provider == "aihubmix"


async def test_resend_unknown_is_obeyed_with_several_providers() -> None:
    """Who may send again after an unknown outcome does so, with the same provider."""
    retry = RetryPolicy(wait_initial=0.01, resend_unknown=True)
    async with (
        Server(reset_after_body, answer()) as first,
        Server(answer()) as second,
        asking(first.url, second.url, retry=retry) as (client, _),
    ):
        await client.generate("a cat")

    assert (first.ran, second.ran) == (2, 0)


async def test_unknown_then_no_connection_is_never_paid_elsewhere() -> None:
    """After an unknown outcome no other provider is asked, whatever comes then."""
    retry = RetryPolicy(wait_initial=0.01, resend_unknown=True)
    async with (
        Server(reset_after_body, refuse(503, b"{}", {"Retry-After": "0.01"})) as first,
        Server(answer()) as second,
        asking(first.url, second.url, retry=retry) as (client, _),
    ):
        with pytest.raises(OutcomeUnknownError):
            await client.generate("a cat")

    assert len(first.requests) == 5
    assert second.requests == []


async def test_asking_is_repeated_with_several_providers() -> None:
    """A step that costs nothing is sent again, as with a single provider."""
    empty = reply(b'{"datasets": []}')
    async with Server(fail(500), empty) as first, Server(empty) as second:
        providers = [Ideogram(KEY, first.url), Ideogram(KEY + "2", second.url)]
        async with IdeogramClient(provider=providers, retry=QUICK) as client:
            await client.list_datasets()

    assert (len(first.requests), len(second.requests)) == (2, 0)


async def test_connecting_takes_no_more_than_the_share() -> None:
    """An address that never answers leaves the next provider its time."""
    with unreachable() as port:
        async with (
            Server(answer(after=0.4)) as second,
            asking(f"http://{HOST}:{port}", second.url, deadline=2.0) as (client, _),
        ):
            await client.generate("a cat")

    assert second.ran == 1


async def test_nobody_waits_for_a_provider_that_died() -> None:
    """Those that wait for a place with a provider go elsewhere when it dies."""
    with unreachable() as port:
        async with (
            Server(answer(after=0.01)) as second,
            asking(f"http://{HOST}:{port}", second.url, deadline=8.0) as (client, _),
        ):
            with anyio.fail_after(7):
                batch = await client.generate_many(str(n) for n in range(150))

    assert len(batch.successes) == second.ran == 150


async def test_nobody_waits_for_a_provider_in_maintenance() -> None:
    """After a 503 with Retry-After the whole batch goes to the next, at once."""
    async with (
        Server(refuse(503, b"{}", {"Retry-After": "60"}, after=0.02)) as first,
        Server(answer(after=0.01)) as second,
        asking(first.url, second.url) as (client, _),
    ):
        with anyio.fail_after(10):
            batch = await client.generate_many(str(n) for n in range(150))

    assert len(batch.successes) == second.ran == 150
    assert len(first.requests) <= 10


async def test_waiter_that_is_sent_away_may_be_cancelled() -> None:
    """No place is lost when a task is cancelled as its gate fails."""
    gate = Limiter(1)
    lease = await gate.acquire()
    waiting = [asyncio.create_task(gate.acquire(leaves=True)) for _ in range(2)]
    await asyncio.sleep(0)
    gate.pause(0.01, is_down=True)
    gate.release(lease)
    waiting[0].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(results[0], asyncio.CancelledError)
    assert isinstance(results[1], ConnectionFailedError)
    assert (gate.in_use, gate.waiting) == (0, 0)


async def test_throttled_provider_costs_a_batch_one_share() -> None:
    """A batch waits once for a provider that says 429, and loses no paid answer."""
    async with (
        Server(refuse(429, after=0.02)) as first,
        Server(answer(after=0.02)) as second,
        asking(first.url, second.url, deadline=6.0) as (client, _),
    ):
        batch = await client.generate_many(str(n) for n in range(200))

    assert len(batch.successes) == second.ran == 200


async def test_bad_key_of_the_second_does_not_end_a_batch() -> None:
    """A batch goes on while a provider is left that takes its key."""
    busy = refuse(503, b"{}", {"Retry-After": "0.02"})
    async with (
        Server(answer(), answer(), busy, answer()) as first,
        Server(refuse(401)) as second,
        asking(first.url, second.url) as (client, _),
    ):
        batch = await client.generate_many(str(n) for n in range(200))

    assert len(batch.successes) > 150
    assert not any(isinstance(each.error, NotSentError) for each in batch.failures)


async def test_funds_of_one_do_not_end_what_the_other_takes() -> None:
    """Requests that only a provider without funds takes fail alone."""
    async with Server(refuse(402)) as first, Server(answer()) as second:
        providers = [Ideogram(KEY, first.url), KKIAI(KEY, second.url)]
        async with IdeogramClient(provider=providers, retry=QUICK) as client:
            batch = await client.send_many(
                GenerateLegacy("a cat") if n % 10 else GenerateV3("a cat")
                for n in range(100)
            )

    assert len(batch.successes) == 90


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
