"""Waiting for generations: what ends a wait, and what doesn't."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ideogram_async import (
    AuthenticationError,
    BadRequestError,
    DecodeError,
    GenerationFailedError,
    IdeogramClient,
    NotFoundError,
    RequestTimeoutError,
    UnsupportedRequestError,
)
from ideogram_async._polling import Polling
from ideogram_async.providers import Ideogram
from ideogram_async.sandbox import Sandbox

from .servers import (
    Act,
    Server,
    Visit,
    client_of,
    hang_up,
    refuse,
    reset_before_body,
    reset_during_answer,
    silence,
    until,
    write_raw,
)


QUICK = Polling(initial=0.002, longest=0.01, spacing=0.0)
ID = "xtdZiqPwRxqY1Y7NExFmzB"
HOOK = "https://example.com/hook"


def tell(status: str, **fields: Any) -> Act:
    """Say how far a generation is."""
    created = "2025-01-23T04:56:07Z"
    body = {"generation_id": ID, "status": status, "created": created, **fields}

    async def act(visit: Visit) -> None:
        visit.send(200, json.dumps(body).encode())

    return act


PENDING = tell("pending")
DONE = tell("completed", response_type="url", data=[{"url": "https://x/y", "seed": 7}])


def quick(client: IdeogramClient, **changes: Any) -> IdeogramClient:
    """Let *client* poll without a pause worth a mention."""
    client._poller.polling = attrs.evolve(QUICK, **changes)
    return client


@asynccontextmanager
async def polled(
    *acts: Act, **options: Any
) -> AsyncIterator[tuple[Server, IdeogramClient]]:
    """Make a server that is asked, and a client that asks."""
    async with Server(*acts) as server, client_of(server.url, **options) as client:
        yield server, quick(client)


async def test_pending_and_then_completed() -> None:
    """A wait polls until the generation is completed, and returns its images."""
    async with polled(PENDING, PENDING, tell("rendering"), DONE) as (server, client):
        answer = await client.wait_for_generation(ID)

    assert (answer.generation_id, answer.status) == (ID, "completed")
    assert [image.seed for image in answer.images] == [7]
    assert {each.target for each in server.requests} == {f"/v1/generations/{ID}"}
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "act",
    [
        refuse(429),
        refuse(429, headers={"Retry-After": "0"}),
        refuse(500),
        refuse(502),
        refuse(503, headers={"Retry-After": "0.01"}),
        reset_before_body,
        reset_during_answer,
        hang_up,
        write_raw(b"HTTP/1.1 nonsense\r\n\r\n"),
    ],
)
async def test_polls_that_say_nothing(act: Act) -> None:
    """However often polls are refused, fail or are lost, the wait goes on."""
    async with polled(*[act, PENDING] * 4, *[act] * 8, DONE) as (server, client):
        answer = await client.wait_for_generation(ID)

    assert answer.status == "completed"
    assert len(server.requests) == 17


async def test_a_failed_generation() -> None:
    """A generation that failed is an error with its id and the service's reason."""
    failed = tell("failed", failure_reason="no\nluck")
    async with polled(PENDING, failed) as (_, client):
        with pytest.raises(GenerationFailedError) as raised:
            await client.wait_for_generation(ID)

    error = raised.value
    assert str(error) == f"generation {ID} failed, and is not billed: no luck"
    assert (error.generation_id, error.provider) == (ID, "ideogram")
    assert error.request is not None


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (refuse(400), BadRequestError),
        (refuse(401), AuthenticationError),
        (refuse(403), AuthenticationError),
        (refuse(404), NotFoundError),
        (write_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]"), DecodeError),
    ],
)
async def test_what_ends_a_wait(act: Act, error: type[Exception]) -> None:
    """What every further poll would say too ends the wait at once."""
    async with polled(PENDING, act) as (server, client):
        with pytest.raises(error):
            await client.wait_for_generation(ID)

    assert len(server.requests) == 2


@pytest.mark.parametrize("limits", [(0.05, None), (None, 0.05), (9.0, 0.05), (0.05, 9)])
async def test_time_that_is_up(limits: tuple[float | None, float | None]) -> None:
    """The sooner of timeout and deadline ends a wait; the error keeps the id."""
    timeout, deadline = limits
    async with polled(PENDING, deadline=deadline) as (_, client):
        with pytest.raises(RequestTimeoutError, match="not there in time") as raised:
            await client.wait_for_generation(ID, timeout)

    assert raised.value.generation_id == ID
    assert raised.value.delivery == "unknown"
    assert raised.value.provider == "ideogram"


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (PENDING, "it is pending"),
        (refuse(500), "the last poll failed: 500: no"),
        (silence, "nothing was heard of it yet"),
    ],
)
async def test_what_was_known_when_time_was_up(act: Act, found: str) -> None:
    """The error says what the last poll found."""
    async with polled(act) as (_, client):
        quick(client, initial=3600.0, longest=3600.0)
        with pytest.raises(RequestTimeoutError) as raised:
            await client.wait_for_generation(ID, timeout=1.0)

    assert f"({found})" in str(raised.value)


async def test_time_that_is_up_before_the_first_poll() -> None:
    """Where no time is left nothing is asked."""
    async with polled(PENDING) as (server, client):
        with pytest.raises(RequestTimeoutError, match="nothing was heard of it yet"):
            await client.wait_for_generation(ID, timeout=0)

    assert server.requests == []


async def test_a_wait_that_is_cancelled() -> None:
    """A cancelled wait ends at once, and another one may follow."""
    async with polled(PENDING, PENDING, DONE) as (server, client):
        quick(client, initial=3600.0, longest=3600.0)
        wait = asyncio.create_task(client.wait_for_generation(ID))
        await until(lambda: server.requests)
        wait.cancel()
        with pytest.raises(asyncio.CancelledError):
            await wait
        quick(client)
        answer = await client.wait_for_generation(ID)

    assert answer.status == "completed"


async def test_polls_take_no_place() -> None:
    """A wait needs no place of the gate, and learns nothing for it."""
    async with polled(PENDING, refuse(429), DONE) as (_, client):
        leases = [await client.limiter.acquire() for _ in range(client.limiter.limit)]
        await client.wait_for_generation(ID)
        assert client.limiter.limit == len(leases) == 10
        for lease in leases:
            client.limiter.release(lease)


async def test_an_id_that_is_none() -> None:
    """A bad id is refused before anything is asked."""
    async with polled(DONE) as (server, client):
        with pytest.raises(ValueError, match="generation_id"):
            await client.wait_for_generation("")

    assert server.requests == []


async def test_a_gateway_has_no_generations() -> None:
    """Where no provider has generations nothing is asked."""
    async with IdeogramClient("a key", provider="pixazo") as client:
        with pytest.raises(UnsupportedRequestError, match="taken by ideogram"):
            await client.wait_for_generation(ID)


@pytest.mark.parametrize("status", [401, 404])
async def test_a_generation_of_another_key(status: int) -> None:
    """Of several keys, the one that knows the generation is found, and stayed with."""
    async with Server(refuse(status)) as one, Server(PENDING, DONE) as two:
        keys = [Ideogram("key 1", one.url), Ideogram("key 2", two.url)]
        async with IdeogramClient(provider=keys) as client:
            answer = await quick(client).wait_for_generation(ID)

    assert answer.status == "completed"
    assert (len(one.requests), len(two.requests)) == (1, 2)


async def test_a_generation_that_no_key_knows() -> None:
    """Where nobody knows the generation the last one's answer is the error."""
    async with Server(refuse(404)) as one, Server(refuse(404)) as two:
        keys = [Ideogram("key 1", one.url), Ideogram("key 2", two.url)]
        async with IdeogramClient(provider=keys) as client:
            with pytest.raises(NotFoundError):
                await client.wait_for_generation(ID)

    assert (len(one.requests), len(two.requests)) == (1, 1)


@pytest.mark.slow
async def test_a_thousand_waits_are_spaced() -> None:
    """1,000 waits of a client and of its copies stay below 1,000 polls in 10 s."""
    times: list[float] = []

    async def noting(visit: Visit) -> None:
        times.append(time.monotonic())
        await DONE(visit)

    async with Server(noting) as server, client_of(server.url) as client:
        copy = client.with_options(timeout=9.0)
        clients = [client, copy] * 500
        await asyncio.gather(*(each.wait_for_generation(ID) for each in clients))

    assert len(times) == 1000
    for first, last in zip(times, times[909:], strict=False):
        assert last - first > 9.5  # a tenth is left to what delays a poll on its way


async def test_copies_share_the_pace() -> None:
    """A copy of a client polls in the same queue."""
    async with IdeogramClient("a key") as client:
        assert client.with_options(timeout=1.0)._poller is client._poller


async def test_the_service_says_when() -> None:
    """A `Retry-After` holds for all waits, also for those that begin meanwhile."""
    refusal = refuse(429, headers={"Retry-After": "0.3"})
    async with polled(refusal, DONE) as (server, client):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        first = asyncio.create_task(client.wait_for_generation(ID))
        await until(lambda: client._poller._free_at > begun + 0.2)
        await client.wait_for_generation(ID)
        assert loop.time() >= begun + 0.3
        await first

    assert len(server.requests) == 3


def test_pauses_grow() -> None:
    """Without jitter the pauses are 2, 3, 4.5 and so on up to 30 seconds."""
    polling = Polling(jitter=0.0)

    assert [polling.pause(polls) for polls in range(1, 5)] == [2.0, 3.0, 4.5, 6.75]
    assert polling.pause(8) == 30.0
    assert polling.pause(100_000) == 30.0


@given(st.integers(1, 10_000))
def test_pauses_are_jittered_downwards(polls: int) -> None:
    """A pause is up to a fifth shorter than its longest, and never longer."""
    longest = Polling(jitter=0.0).pause(polls)

    assert 0.8 * longest <= Polling().pause(polls) <= longest


async def test_submit_and_wait() -> None:
    """The same over the sandbox, with faults while it polls."""
    async with (
        Sandbox(latency=0.05) as sandbox,
        IdeogramClient("a key", base_url=sandbox.url) as client,
    ):
        prompt = {"resolution": "1024x1024", "webhook_url": HOOK}
        accepted = await client.submit_generate_v4("a cat", **prompt)
        sandbox.faults.rates = {"error": 0.2, "reset": 0.2, "truncate": 0.2}
        answer = await quick(client).wait_for_generation(accepted.generation_id)

    assert answer.images[0].resolution == "1024x1024"
    assert sandbox.ledger.times_billed == {"a cat": 1}
