"""Failover in batches: nobody waits for a provider that is down, or pays twice."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import anyio
import pytest

from ideogram_async import (
    AuthenticationError,
    ConnectionFailedError,
    Cost,
    DecodeError,
    GenerateLegacy,
    GenerateV3,
    IdeogramClient,
    Limiter,
    NotSentError,
    OutcomeUnknownError,
    Success,
)
from ideogram_async._learning import FAILURES_TO_CLOSE, Verdict
from ideogram_async.providers import (
    KKIAI,
    Ideogram,
)
from ideogram_async.sandbox import Sandbox

from .failover import KEY, asking
from .servers import (
    HOST,
    QUICK,
    Server,
    answer,
    capped,
    closed_port,
    refuse,
    unreachable,
    until,
)


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


async def test_nobody_waits_for_a_provider_that_died() -> None:
    """Those that wait for a place with a provider go elsewhere when it dies."""
    with unreachable() as port:
        async with (
            Server(answer(after=0.01)) as second,
            asking(f"http://{HOST}:{port}", second.url, deadline=80.0) as (client, _),
        ):
            with anyio.fail_after(30):
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
        asking(first.url, second.url, deadline=10.0) as (client, _),
    ):
        batch = await client.generate_many(str(n) for n in range(100))

    assert len(batch.successes) == second.ran == 100


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


async def test_nobody_begins_to_wait_for_a_service_that_is_down() -> None:
    """Who can go elsewhere leaves at once; who can't waits until it is tried again."""
    gate = Limiter()
    for _ in range(FAILURES_TO_CLOSE):
        gate.release(await gate.acquire(), Verdict.FAILED)

    assert gate.is_failing
    with pytest.raises(ConnectionFailedError, match="down"):
        await gate.acquire(leaves=True)
    assert (gate.in_use, gate.waiting) == (0, 0)
