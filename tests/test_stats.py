"""The counters of a client."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import (
    DownloadError,
    GenerateV3,
    IdeogramClient,
    ImageObject,
    Limiter,
    OutcomeUnknownError,
    SafetyError,
)
from ideogram_async._stats import Stats
from ideogram_async.providers import Ideogram, OpenAIHK

from .failover import KEY, asking
from .servers import (
    PNG,
    Server,
    answer,
    capped,
    client_of,
    fail,
    hang_up,
    refuse,
    reply,
    serving,
    silence,
    until,
)


async def test_a_new_client_has_done_nothing() -> None:
    """Before the first request all counters are 0, and the limit is the first one."""
    async with client_of("http://localhost:1") as client:
        assert client.stats() == Stats(limit=10)


async def test_a_batch_under_a_limit() -> None:
    """Refusals, retries, images, waits, service and costs are counted."""
    async with serving(capped(2, seconds=0.03)) as (server, client):
        batch = await client.generate_many(GenerateV3(f"p{n}") for n in range(12))
        stats = client.stats()

    assert batch.failures == []
    assert (stats.requests, stats.answered, stats.failures) == (12, 12, {})
    assert stats.attempts == len(server.requests) == 12 + stats.refusals
    assert stats.refusals == stats.retries > 0
    assert (stats.images, stats.withheld, stats.unknown) == (12, 0, 0)
    assert (stats.costs, stats.unpriced) == ({"USD": Decimal("0.72")}, 0)
    assert stats.in_service >= 12 * 0.03
    assert stats.waited > 0
    assert (stats.in_use, stats.waiting) == (0, 0)
    assert 1 <= stats.limit < 10
    assert stats.providers == ()


async def test_failures_by_class() -> None:
    """Failures are counted by class; what may be billed is counted as unknown."""
    async with serving(refuse(422), fail(500), hang_up, answer()) as (_, client):
        with pytest.raises(SafetyError):
            await client.generate("a")
        for _ in range(2):
            with pytest.raises(OutcomeUnknownError):
                await client.generate("b")
        await client.generate("c")
        stats = client.stats()

    assert stats.failures == {"SafetyError": 1, "OutcomeUnknownError": 2}
    assert (stats.requests, stats.answered, stats.unknown) == (4, 1, 2)


async def test_what_is_going_on() -> None:
    """Places in use and waiting requests are shown as they are; a cancel is counted."""
    async with serving(silence, limiter=Limiter(2, learn=False)) as (_, client):
        tasks = [asyncio.create_task(client.generate("a")) for _ in range(5)]
        await until(lambda: client.stats().attempts == 2)
        stats = client.stats()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        after = client.stats()

    assert (stats.in_use, stats.waiting, stats.limit) == (2, 3, 2)
    assert (stats.requests, stats.answered, stats.failures) == (5, 0, {})
    assert (after.in_use, after.waiting) == (0, 0)
    assert after.failures == {"CancelledError": 5}
    assert after.unknown == 2


async def test_withheld_images() -> None:
    """Images that were billed and withheld are counted apart."""
    async with serving(answer(is_image_safe=False)) as (_, client):
        await client.generate("a cat", num_images=2)
        stats = client.stats()

    assert (stats.images, stats.withheld) == (0, 1)
    assert stats.costs == {"USD": Decimal("0.12")}


async def test_an_answer_without_a_price() -> None:
    """An answer whose price isn't published is counted, and is not free."""
    async with serving(reply(b'{"dataset_id": "d", "name": "n"}')) as (_, client):
        await client.create_dataset("n")
        stats = client.stats()

    assert stats.answered == stats.unpriced == 1
    assert stats.costs == {}


async def test_downloads(tmp_path: Path) -> None:
    """Downloads are counted, with their bytes and seconds."""
    async with (
        Server(reply(PNG), reply(PNG), refuse(404)) as images,
        client_of(images.url) as client,
    ):
        for name in "ab":
            await client.download(f"{images.url}/a", tmp_path / name)
        with pytest.raises(DownloadError):
            await client.download(ImageObject(url=f"{images.url}/c"), tmp_path / "c")
        stats = client.stats()

    assert (stats.downloads, stats.failed_downloads) == (2, 1)
    assert stats.downloaded == 2 * len(PNG)
    assert stats.downloading > 0
    assert stats.requests == 0


async def test_copies_share_the_counters(tmp_path: Path) -> None:
    """What a copy does counts for all of them."""
    async with serving(answer()) as (_, client):
        copy = client.with_options(timeout=3, headers={"X-A": "b"})
        await client.generate("a cat")
        await copy.generate("a cat")

        assert client.stats() == copy.stats()
        assert client.stats().requests == 2


async def test_several_providers() -> None:
    """Each provider has its counters; a request that moved on counts once in all."""
    async with (
        Server(refuse(402)) as first,
        Server(answer(), fail(500)) as second,
        asking(first.url, second.url) as (client, _),
    ):
        await client.generate("a cat")
        with pytest.raises(OutcomeUnknownError):
            await client.generate("a cat")
        stats = client.stats()

    one, other = stats.providers
    assert (stats.provider, one.provider, other.provider) == (
        *(None, "ideogram"),
        "aihubmix",
    )
    assert (stats.requests, one.requests, other.requests) == (2, 1, 2)
    assert one.failures == {"InsufficientFundsError": 1}
    assert stats.failures == other.failures == {"OutcomeUnknownError": 1}
    assert stats.limit == one.limit + other.limit
    assert stats.attempts == 3


async def test_costs_in_several_units() -> None:
    """Costs of providers with several units stay apart."""
    async with Server(answer(), refuse(402)) as one, Server(answer()) as other:
        providers = [Ideogram(KEY, one.url), OpenAIHK(KEY, other.url)]
        async with IdeogramClient(provider=providers) as client:
            for _ in range(2):
                await client.generate("a cat")
            stats = client.stats()

    assert stats.costs == {"USD": Decimal("0.06"), "credits": Decimal(1800)}
    assert (stats.answered, stats.unpriced) == (2, 0)


async def test_a_price_that_fails() -> None:
    """A provider whose own price fails loses no answer: it is unpriced."""

    class Odd(Ideogram):
        @classmethod
        def cost(cls, request: Any) -> Any:
            raise ZeroDivisionError

    async with (
        Server(answer()) as server,
        IdeogramClient(provider=Odd(KEY, server.url)) as client,
    ):
        batch = await client.generate_many(["a cat"])
        stats = client.stats()

    assert len(batch.images) == stats.images == stats.unpriced == 1
    assert batch.successes[0].cost.amount is None
