"""Batches that a client runs, over real sockets: nothing that is paid is lost."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from ideogram_async import (
    Failure,
    GetModel,
    IdeogramClient,
    IdeogramError,
    Limiter,
    NotSentError,
    OutcomeUnknownError,
    RunningBatch,
    Success,
)

from .servers import (
    Server,
    Visit,
    answer,
    refuse,
    serving,
    silence,
    until,
)


def prompts(count: int) -> list[str]:
    """Return so many different prompts."""
    return [f"cat {number}" for number in range(count)]


class Held:
    """An act that answers when it is let go."""

    def __init__(self) -> None:
        self.free = anyio.Event()

    async def __call__(self, visit: Visit) -> None:
        """Run the request, and answer later."""
        await visit.read()
        await self.free.wait()
        await answer()(visit)


async def heard(running: RunningBatch[Any], start: int = 0) -> list[int]:
    """Return the indices that a listener hears."""
    return [outcome.index async for outcome in running.outcomes(start)]


async def test_the_result_is_in_input_order() -> None:
    """A started batch has the same result as a collected one."""
    async with serving(answer(after=0.05), answer()) as (_, client):
        running = client.start_many(prompts(3), seed=7)
        batch = await running.result()

    assert [each.request.prompt for each in batch.successes] == prompts(3)
    assert [each.request.seed for each in batch.successes] == [7, 7, 7]
    assert (running.total, running.succeeded, running.failed) == (3, 3, 0)
    assert running.is_done
    assert list(await running.result()) == list(batch)


async def test_every_listener_hears_everything() -> None:
    """Listeners of all times and paces hear every outcome, in one order."""
    held = Held()
    async with serving(answer(), held) as (_, client):
        running = client.start_many(prompts(4))
        early: list[int] = []

        async def listen() -> None:
            early.extend(await heard(running))

        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await until(lambda: running.succeeded)
            group.start_soon(listen)
            held.free.set()
        late = await heard(running)

    assert sorted(late) == [0, 1, 2, 3]
    assert early == [*late, *late]
    assert await heard(running, 3) == late[3:]
    assert await heard(running, 99) == []


async def test_a_listener_that_leaves_harms_nobody() -> None:
    """A listener, and one who waits for the result, may be cancelled at any time."""
    held = Held()
    async with serving(held) as (server, client):
        running = client.start_many(prompts(3))
        with anyio.move_on_after(0.05):
            await heard(running)
        with anyio.move_on_after(0.05):
            await running.result()
        held.free.set()
        batch = await running.result()

    assert len(batch.successes) == server.ran == 3


async def test_nobody_needs_to_hold_it() -> None:
    """A batch that nobody refers to runs to its end."""
    held = Held()
    async with serving(held) as (server, client):
        client.start_many(prompts(3))
        await until(lambda: server.in_progress == 3 or len(server.requests) == 3)
        gc.collect()
        held.free.set()
        await until(lambda: not client._running.held)

    assert server.ran == 3


async def test_cancel_lets_what_is_under_way_end() -> None:
    """Cancelling sends nothing new and keeps what is paid."""
    held = Held()
    async with serving(held, limiter=Limiter(2, learn=False)) as (server, client):
        running = client.start_many(prompts(5))
        await until(lambda: len(server.requests) == 2)
        running.cancel()
        running.cancel("a second reason, which is too late")
        await until(lambda: running.failed)
        held.free.set()
        batch = await running.result()

    assert len(batch) == 5
    assert len(batch.images) == server.ran == 2
    assert all(isinstance(each.error, NotSentError) for each in batch.failures)
    assert "it was cancelled" in str(batch.failures[0].error)
    assert repr(running) == "<RunningBatch 5 of 5 done, 3 failed>"


async def test_cancel_before_the_first_step() -> None:
    """A batch that is cancelled before it began sends nothing."""
    async with serving(answer()) as (server, client):
        running = client.start_many(prompts(3))
        running.cancel("nobody wants it")
        batch = await running.result()

    assert [type(each.error) for each in batch.failures] == [NotSentError] * 3
    assert server.requests == []


async def test_abandon_ends_what_is_under_way() -> None:
    """Who can't wait is told that it may be billed; places come back at once."""
    async with serving(silence, limiter=Limiter(2, learn=False)) as (server, client):
        running = client.start_many(prompts(3))
        await until(lambda: len(server.requests) == 2)
        running.abandon()
        batch = await running.result()

    kinds = [type(each.error) for each in batch.failures]
    assert kinds.count(OutcomeUnknownError) == 2
    assert kinds.count(NotSentError) == 1
    unknown = batch.failures[kinds.index(OutcomeUnknownError)].error
    assert isinstance(unknown, OutcomeUnknownError)
    assert unknown.request in [each.request for each in batch]


async def test_abandon_before_anything_left() -> None:
    """What was only about to leave is known not to be sent."""
    asked = anyio.Event()

    async def send(request: Any, call: Any) -> Any:
        asked.set()
        await anyio.sleep_forever()

    async with IdeogramClient("key", base_url="http://127.0.0.1:9") as client:
        running = RunningBatch[Any](
            1, lambda sending: client._bulk(["a cat"], client._maker({}), sending), send
        )
        await asked.wait()
        running.abandon()
        batch = await running.result()

    assert type(batch.failures[0].error) is NotSentError


# The end of the client


async def test_closing_waits_for_what_is_paid() -> None:
    """The end of the client sends nothing new, and keeps what was under way."""
    held = Held()
    async with Server(held) as server:
        limiter = Limiter(2, learn=False)
        address = server.url
        async with IdeogramClient("key", base_url=address, limiter=limiter) as client:
            running = client.start_many(prompts(5))
            await until(lambda: len(server.requests) == 2)
            asyncio.get_running_loop().call_later(0.05, held.free.set)
        batch = await running.result()

    assert len(batch.images) == server.ran == 2
    assert "the client was closed" in str(batch.failures[0].error)


@pytest.mark.parametrize("how", ["exception", "cancel", "scope"])
async def test_no_way_out_loses_what_is_paid(how: str) -> None:
    """An exception or a cancellation in the client's context waits just as well."""
    held = Held()
    started: list[RunningBatch[Any]] = []

    async def program(url: str) -> None:
        async with IdeogramClient("key", base_url=url) as client:
            started.append(client.start_many(prompts(3)))
            await until(lambda: len(server.requests) == 3)
            if how == "exception":
                raise ZeroDivisionError
            await anyio.sleep_forever()

    async with Server(held) as server:
        if how == "scope":
            async with anyio.create_task_group() as group:
                group.start_soon(program, server.url)
                await until(lambda: len(server.requests) == 3)
                asyncio.get_running_loop().call_later(0.05, held.free.set)
                group.cancel_scope.cancel()
        else:
            task = asyncio.create_task(program(server.url))
            await until(lambda: len(server.requests) == 3)
            asyncio.get_running_loop().call_later(0.05, held.free.set)
            if how == "cancel":
                task.cancel()
            with pytest.raises((ZeroDivisionError, asyncio.CancelledError)):
                await task
        batch = await started[0].result()

    assert len(batch.images) == server.ran == 3


async def test_the_wait_at_the_end_can_be_bounded() -> None:
    """After the given time what is under way is unknown, and the client is closed."""
    async with Server(silence) as server:
        client = IdeogramClient("key", base_url=server.url)
        running = client.start_many(prompts(2))
        await until(lambda: len(server.requests) == 2)
        await client.aclose(drain=0.05)
        batch = await running.result()

    assert [type(each.error) for each in batch.failures] == [OutcomeUnknownError] * 2
    assert client.limiter.in_use == 0


async def test_a_second_cancellation_ends_the_wait() -> None:
    """Who insists, as by a second Ctrl-C, need not wait."""
    async with Server(silence) as server:
        client = IdeogramClient("key", base_url=server.url)
        running = client.start_many(prompts(2))
        await until(lambda: len(server.requests) == 2)
        closing = asyncio.create_task(client.aclose())
        await anyio.sleep(0.05)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        batch = await running.result()

    assert [type(each.error) for each in batch.failures] == [OutcomeUnknownError] * 2


async def test_a_batch_started_at_the_end_is_drained_too() -> None:
    """A request that comes while the client closes doesn't leave a batch behind."""
    held = Held()
    async with Server(held) as server:
        client = IdeogramClient("key", base_url=server.url)
        client.start_many(prompts(1))
        await until(lambda: len(server.requests) == 1)
        closing = asyncio.create_task(client.aclose())
        await anyio.sleep(0.05)
        late = client.with_options(timeout=1).start_many(prompts(2))
        held.free.set()
        await closing

    assert late.is_done
    assert len(late._kept) == 2


async def test_a_batch_that_never_takes_a_step() -> None:
    """A batch whose task is cancelled before its first step ends for its listeners."""
    async with serving() as (server, client):
        running = client.start_many(prompts(2))
        running.task.cancel()
        for listen in (running.result(), heard(running)):
            with pytest.raises(IdeogramError, match="torn down"):
                await listen

    assert running.is_done
    assert server.requests == []


def test_a_torn_down_loop_is_told() -> None:
    """Where the loop ended around a batch, nobody waits for ever."""
    started: list[RunningBatch[Any]] = []
    client = IdeogramClient("key", base_url="http://127.0.0.1:9")

    async def first() -> None:
        async with Server(silence) as server:
            aimed = IdeogramClient("key", base_url=server.url)
            started.append(aimed.start_many(prompts(2)))
            await until(lambda: len(server.requests) == 2)
            started[0].task.cancel()
            await asyncio.wait([started[0].task])
            await aimed._transport.aclose()

    async def second() -> None:
        for listen in (started[0].result(), heard(started[0])):
            with pytest.raises(IdeogramError, match="torn down"):
                await listen
        await client.aclose()

    asyncio.run(first())
    asyncio.run(second())


def test_batches_of_another_loop_are_none_of_ours() -> None:
    """Closing in one loop doesn't wait for a batch of another."""
    client = IdeogramClient("key", base_url="http://127.0.0.1:9")

    async def waiting() -> AsyncIterator[str]:
        await anyio.sleep_forever()
        yield "a cat"

    other = asyncio.new_event_loop()
    try:

        async def start() -> RunningBatch[Any]:
            return client.start_many(waiting())

        running = other.run_until_complete(start())
        asyncio.run(client.aclose())
        assert not running.is_done
        other.run_until_complete(client.aclose())
        assert running.is_done
    finally:
        other.close()


# Sources and errors


async def test_a_source_that_does_not_tell_its_length() -> None:
    """The total is known at the end, if the source can't tell before."""

    def few() -> Iterator[str]:
        yield from prompts(2)

    async with serving(answer()) as (_, client):
        running = client.start_many(few())
        before, shown = running.total, repr(running)
        await running.result()

    assert before is None
    assert shown == "<RunningBatch 0 of ? done, 0 failed>"
    assert running.total == 2


async def test_failures_are_outcomes() -> None:
    """A refused item doesn't end the batch, nor does a bad one."""
    mixed: list[Any] = ["a cat", 3]
    async with serving(refuse(400)) as (_, client):
        running = client.start_many(mixed)
        found = [outcome async for outcome in running.outcomes()]

    assert [isinstance(each, Failure) for each in found] == [True, True]
    assert running.failed == 2


async def test_mistakes_are_told_at_once() -> None:
    """A bad field, or a text instead of a list, is an error of the call."""
    async with IdeogramClient("key") as client:
        with pytest.raises(ValueError, match="num_images"):
            client.start_many(["a cat"], num_images=99)
        with pytest.raises(TypeError, match="expected a list"):
            client.start_many("a cat")
        assert client._running.held == set()


async def test_requests_of_any_class() -> None:
    """Any request may be in a batch, also one that only asks."""
    async with serving(refuse(404)) as (_, client):
        batch = await client.start_many([GetModel(model_id="m")]).result()

    assert not isinstance(batch[0], Success)
    assert batch[0].request == GetModel(model_id="m")


async def test_ids_differ() -> None:
    """Two batches have two ids, fit for a link."""
    async with serving(answer()) as (_, client):
        ids = {client.start_many(["a cat"]).id for _ in range(8)}

    assert len(ids) == 8
    assert all(len(each) >= 20 and each.isascii() for each in ids)
