"""Many requests at once, over real sockets; after every scenario no place is in use."""

from __future__ import annotations

import asyncio
import itertools
import resource
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

import aiohttp
import anyio
import anyio.lowlevel
import pytest
from anyio import to_process
from hypothesis import given, settings
from hypothesis import strategies as st

from ideogram_async import (
    AuthenticationError,
    BadRequestError,
    Batch,
    Failure,
    GenerateV3,
    IdeogramClient,
    IdeogramError,
    Limiter,
    NotSentError,
    OutcomeUnknownError,
    RemixV3,
    RequestTimeoutError,
    RetryPolicy,
    Success,
    Upload,
)
from ideogram_async._bulk import SPARE, Bulk, Source
from ideogram_async._call import Call
from ideogram_async._queue import LOOK_AHEAD
from ideogram_async.costs import UNKNOWN, Cost
from ideogram_async.hooks import Hooks, Sending
from ideogram_async.providers import Ideogram

from .servers import (
    PNG,
    Server,
    Visit,
    answer,
    capped,
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
)


def prompts(count: int) -> list[str]:
    """Return so many different prompts."""
    return [f"cat {number}" for number in range(count)]


def sent(outcomes: Batch[Any]) -> list[Any]:
    """Return the prompts of *outcomes* in their order."""
    return [outcome.request and outcome.request.prompt for outcome in outcomes]


class Drawn(Iterator[str]):
    """A source that counts what was drawn of it."""

    def __init__(self, count: int | None = None) -> None:
        self.count = 0
        self._end = count

    def __next__(self) -> str:
        """Return the next prompt."""
        if self.count == self._end:
            raise StopIteration
        self.count += 1
        return f"cat {self.count - 1}"


def holding(prompt: str) -> Any:
    """Make an act that never answers *prompt*, and answers all others."""

    async def act(visit: Visit) -> None:
        await visit.read()
        await (silence if visit.seen.prompt == prompt else answer())(visit)

    return act


# Order and number


async def test_outcomes_are_in_input_order() -> None:
    """A batch is in input order, whatever the order of completion."""
    acts = [answer(after=0.2), answer(after=0.1), answer()]
    async with serving(*acts) as (server, client):
        batch = await client.generate_many(prompts(3))

    assert sent(batch) == prompts(3)
    assert [outcome.index for outcome in batch] == [0, 1, 2]
    assert [image.prompt for image in batch.images] == prompts(3)
    assert server.peak == 3


async def test_outcomes_are_handed_over_as_completed() -> None:
    """A stream hands over what is ready, not what comes first."""
    async with (
        serving(holding("cat 0"), holding("cat 0")) as (_, client),
        client.stream_many(prompts(3)) as outcomes,
    ):
        found = [(await anext(outcomes)).index for _ in range(2)]

    assert sorted(found) == [1, 2]


async def test_nothing_to_do() -> None:
    """An empty source is an empty batch, and opens no connection."""
    async with serving() as (server, client):
        batch = await client.generate_many([])

    assert len(batch) == 0
    assert server.connections == 0


async def test_every_prompt_is_sent_once() -> None:
    """A service that takes 4 at once gets each of 100 prompts exactly once."""
    async with serving(capped(4, seconds=0.01)) as (server, client):
        batch = await client.generate_many(prompts(100))

    assert batch.failures == []
    assert server.runs == dict.fromkeys(prompts(100), 1)
    assert server.peak <= 4


async def test_prompts_take_the_given_fields() -> None:
    """Fields given once go with every prompt; a request is sent as it is."""
    requests = ["a cat", GenerateV3("a dog", seed=7)]
    async with serving(answer()) as (server, client):
        batch = await client.generate_many(requests, rendering_speed="TURBO")

    assert batch[0].request == GenerateV3("a cat", rendering_speed="TURBO")
    assert batch[1].request is requests[1]
    bodies = {seen.prompt: seen.body for seen in server.requests}
    assert b"TURBO" in bodies["a cat"]
    assert b"TURBO" not in bodies["a dog"]


async def test_requests_of_any_class() -> None:
    """Requests of several classes go in one batch."""
    remix = RemixV3("a dog", image=Upload.from_bytes(PNG))
    async with serving(answer()) as (server, client):
        batch = await client.send_many([GenerateV3("a cat"), remix])

    assert batch.failures == []
    targets = {seen.target.rsplit("/", 1)[1] for seen in server.requests}
    assert targets == {"generate", "remix"}


async def test_bad_fields_are_refused_at_once() -> None:
    """A field that is wrong for all prompts is an error before anything is sent."""
    async with serving() as (server, client):
        with pytest.raises(ValueError, match="num_images"):
            await client.generate_many(["a cat"], num_images=0)

    assert server.connections == 0


@pytest.mark.parametrize("prompt", ["a cat", b"a cat"])
async def test_one_prompt_is_no_list(prompt: Any) -> None:
    """A single prompt in place of a list is an error, and not one request a letter."""
    async with serving() as (server, client):
        with pytest.raises(TypeError, match="list of prompts"):
            await client.generate_many(prompt)

    assert server.connections == 0


# One failing item harms nobody


async def test_bad_items_harm_nobody() -> None:
    """An item that is no valid request fails alone, without being sent."""
    mixed: list[Any] = ["a cat", "", 7, None, "a dog"]
    async with serving(answer()) as (server, client):
        batch = await client.generate_many(mixed)

    assert [type(outcome) for outcome in batch] == [
        Success,
        Failure,
        Failure,
        Failure,
        Success,
    ]
    for failure in batch.failures:
        assert isinstance(failure.error, ValueError)
        assert failure.request is None
        assert failure.attempts == 0
    assert len(server.requests) == 2


async def test_failing_items_harm_nobody() -> None:
    """Each kind of failure is the outcome of its own item only."""
    ends = {
        "cat 1": refuse(400),
        "cat 2": fail(500),
        "cat 3": reset_after_body,
        "cat 4": hang_up,
        "cat 5": reply(b"nonsense"),
        "cat 6": silence,
    }

    async def act(visit: Visit) -> None:
        await visit.read()
        await ends.get(visit.seen.prompt, answer())(visit)

    async with serving(act, timeout=0.5) as (server, client):
        batch = await client.generate_many(prompts(20))

    assert [failure.index for failure in batch.failures] == [1, 2, 3, 4, 5, 6]
    assert len(server.requests) == 20
    for failure in batch.failures:
        assert isinstance(failure.error, IdeogramError)
        assert failure.error.provider == "ideogram"
        assert failure.error.request is failure.request


async def test_failures_as_a_group() -> None:
    """A caller who prefers exceptions gets all of them as one group."""
    async with serving(refuse(400)) as (_, client):
        batch = await client.generate_many(prompts(3))

    with pytest.raises(ExceptionGroup, match="3 of 3") as caught:
        batch.raise_for_failures()
    assert [type(error) for error in caught.value.exceptions] == [BadRequestError] * 3


# Sources: drawn lazily, of any kind


async def test_source_is_drawn_lazily() -> None:
    """No more is drawn ahead than the limit and the look-ahead."""
    source = Drawn()
    async with serving(silence) as (server, client), client.stream_many(source):
        await until(lambda: server.ran == 10)
        await until(lambda: client.limiter.waiting == LOOK_AHEAD)
        await anyio.sleep(0.05)
        drawn = source.count

    assert drawn == 10 + LOOK_AHEAD


@pytest.mark.parametrize(("images", "spare"), [(1, SPARE), (2, LOOK_AHEAD)])
async def test_a_batch_that_is_kept_draws_less_ahead(images: int, spare: int) -> None:
    """Only where requests take several places are there many that wait for some."""
    source = Drawn()
    async with serving(silence) as (_, client):
        batch = asyncio.create_task(client.generate_many(source, num_images=images))
        waiting = 10 + spare - 10 // images
        await until(lambda: client.limiter.waiting == waiting)
        await anyio.sleep(0.05)
        drawn = source.count
        batch.cancel()
        await asyncio.wait([batch])

    assert drawn == 10 + spare


async def test_slow_reader_holds_the_source_back() -> None:
    """Where nobody reads, no more is sent than there are workers."""
    source = Drawn()
    limiter = Limiter(2, learn=False)
    async with (
        serving(answer(), limiter=limiter) as (server, client),
        client.stream_many(source) as outcomes,
    ):
        await anext(outcomes)
        await anyio.sleep(0.2)
        drawn = source.count

    assert drawn <= 2 + LOOK_AHEAD + 2  # one is handed over already
    assert server.ran <= drawn


async def test_generator() -> None:
    """A generator of unknown length is a source."""
    async with serving(answer()) as (server, client):
        batch = await client.generate_many(f"cat {number}" for number in range(50))

    assert sent(batch) == prompts(50)
    assert server.ran == 50


async def numbered(count: int) -> AsyncGenerator[str]:
    """Yield so many prompts, with a pause before each."""
    for prompt in prompts(count):
        await anyio.lowlevel.checkpoint()
        yield prompt


class ByHand(AsyncIterator[str]):
    """An async iterator that is no generator."""

    def __init__(self, count: int) -> None:
        self._prompts = iter(prompts(count))

    async def __anext__(self) -> str:
        """Return the next prompt."""
        await anyio.lowlevel.checkpoint()
        try:
            return next(self._prompts)
        except StopIteration:
            raise StopAsyncIteration from None


@pytest.mark.parametrize("kind", [numbered, ByHand])
async def test_async_iterable(kind: Any) -> None:
    """An async iterable is a source: drawn by one worker at a time, each item once."""
    async with serving(answer()) as (server, client):
        batch = await client.generate_many(kind(50))

    assert sent(batch) == prompts(50)
    assert server.runs == dict.fromkeys(prompts(50), 1)


async def test_async_source_that_is_slow() -> None:
    """What came of a slow source is sent while the next is awaited."""
    more = anyio.Event()

    async def source() -> AsyncGenerator[str]:
        yield "a cat"
        await more.wait()
        yield "a dog"

    async with (
        serving(answer()) as (_, client),
        client.stream_many(source()) as outcomes,
    ):
        first = await anext(outcomes)
        more.set()
        rest = [outcome async for outcome in outcomes]

    assert first.index == 0
    assert [outcome.index for outcome in rest] == [1]


def broken() -> Generator[str]:
    """Yield three prompts and break."""
    yield from prompts(3)
    raise LookupError("no more rows")


async def broken_async() -> AsyncGenerator[str]:
    """Yield three prompts and break."""
    for prompt in prompts(3):
        yield prompt
    raise LookupError("no more rows")


@pytest.mark.parametrize("kind", [broken, broken_async])
async def test_source_that_raises(kind: Any) -> None:
    """An error of the source is its last item, and what was drawn is not lost."""
    async with serving(answer(after=0.05)) as (server, client):
        batch = await client.generate_many(kind())

    assert [type(outcome) for outcome in batch] == [Success] * 3 + [Failure]
    (failure,) = batch.failures
    assert isinstance(failure.error, LookupError)
    assert failure.request is None
    assert server.ran == 3


async def test_source_that_raises_at_once() -> None:
    """A source without a single item, but with an error, has one outcome."""

    def source() -> Iterator[str]:
        raise LookupError("no rows")
        yield ""  # pragma: no cover  # makes it a generator

    async with serving() as (server, client):
        batch = await client.generate_many(source())

    assert [type(outcome) for outcome in batch] == [Failure]
    assert server.connections == 0


async def test_hundreds_are_drawn_as_they_go() -> None:
    """The source is never further ahead of the outcomes than there are workers."""
    source, ahead = Drawn(300), 0
    async with (
        serving(answer()) as (server, client),
        client.stream_many(source) as outcomes,
    ):
        done = 0
        async for _ in outcomes:
            done += 1
            workers = client.limiter.limit + LOOK_AHEAD
            ahead = max(ahead, source.count - done - workers)

    assert done == server.ran == 300
    assert ahead <= 0


class Paper:
    """An item that can be counted while it lives, and costs no time."""


class Shredder(Ideogram):
    """A provider of what is no request."""

    @classmethod
    def cost(cls, request: Any) -> Cost:
        return UNKNOWN


def most_memory() -> int:
    """Return the most memory that this process ever had, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def spend(count: int) -> tuple[int, int, int]:
    """Run many items; return how many, most of them alive, and the growth in kB."""
    limiter = Limiter(10, learn=False)
    alive = weakref.WeakSet[Paper]()
    most_alive = done = at_first = 0

    def papers() -> Iterator[Paper]:
        for _ in range(count):
            alive.add(paper := Paper())
            yield paper

    provider = Shredder("any key")

    async def send(request: Any, call: Call) -> None:
        call.answered_by = provider
        limiter.release(await limiter.acquire())

    async def run() -> None:
        nonlocal most_alive, done, at_first
        bulk = Bulk[Any, None](
            Source(papers()), lambda one: one, send, lambda: 10, None
        )
        async with bulk.run() as outcomes:
            async for _ in outcomes:
                done += 1
                if done % 5_000 == 0:
                    most_alive = max(most_alive, len(alive))
                    at_first = at_first or most_memory()

    anyio.run(run)
    return done, most_alive, most_memory() - at_first


@pytest.mark.slow
async def test_memory_is_flat() -> None:
    """200,000 items of a generator take no more memory than 5,000."""
    done, most_alive, growth = await to_process.run_sync(spend, 200_000)

    assert done == 200_000
    assert most_alive <= 2 * (10 + LOOK_AHEAD)
    assert growth < 4_000


# Leaving early


async def test_leaving_stops_submissions_at_once() -> None:
    """After the context is left nothing more is sent."""
    source = Drawn()
    async with serving(answer(after=0.01)) as (server, client):
        async with client.stream_many(source) as outcomes:
            async for outcome in outcomes:
                if outcome.index > 30:
                    break
        drawn = source.count
        await anyio.sleep(0.1)
        seen = len(server.requests)
        await anyio.sleep(0.1)

    assert len(server.requests) == seen
    assert source.count == drawn


async def test_leaving_sends_not_even_one_more() -> None:
    """A worker that has an item in its hands when the context is left keeps it."""
    source = Drawn()

    async def one_by_one() -> AsyncGenerator[str]:
        for prompt in source:
            yield prompt
            if source.count == 2:
                await received.wait()

    received = anyio.Event()
    async with serving(answer()) as (server, client):
        await client.generate("a dog")
        async with client.stream_many(one_by_one()) as outcomes:
            await anext(outcomes)
            await anext(outcomes)
            received.set()
        await anyio.sleep(0.05)

    assert server.runs == {"a dog": 1, "cat 0": 1, "cat 1": 1}


async def fail_within(run: Any, server: Server) -> None:
    """Raise an error in the context of *run*, when it is busy."""
    async with run:
        await until(lambda: server.ran == 10)
        raise KeyError("mine")


async def test_leaving_by_an_error() -> None:
    """An error in the context comes out as it is, and not in a group."""
    async with serving(silence) as (server, client):
        with pytest.raises(KeyError, match="mine"):
            await fail_within(client.stream_many(prompts(20)), server)
        assert client.limiter.in_use == 0


async def test_leaving_by_an_error_at_the_end() -> None:
    """An error after the last outcome comes out as it is, too."""

    async def fail_at_last(run: Any) -> None:
        async with run as outcomes:
            assert [outcome.index async for outcome in outcomes] == [0]
            raise KeyError("mine")

    async with serving(answer()) as (_, client):
        with pytest.raises(KeyError, match="mine"):
            await fail_at_last(client.stream_many(["a cat"]))


async def test_leaving_without_reading() -> None:
    """A context that is left at once sends nothing."""
    async with serving() as (server, client):
        async with client.stream_many(prompts(20)):
            pass
        await anyio.sleep(0.02)

    assert server.requests == []


# Stopping


async def test_stop() -> None:
    """After stop what is under way ends, and the rest is reported unsent."""
    async with (
        serving(answer(after=0.1)) as (server, client),
        client.stream_many(prompts(50)) as outcomes,
    ):
        first = await anext(outcomes)
        outcomes.stop("enough")
        outcomes.stop("a second reason")
        batch = Batch([first, *[outcome async for outcome in outcomes]])

    assert [outcome.index for outcome in batch] == list(range(50))
    assert len(batch.successes) == server.ran == len(server.requests)
    assert 10 <= server.ran <= 20
    for failure in batch.failures:
        assert isinstance(failure.error, NotSentError)
        assert "enough" in str(failure.error)
        assert str(failure.error.__cause__) == "enough"
        assert failure.attempts == 0


async def test_stop_between_attempts() -> None:
    """A request that waits to be sent again is given up when the batch ends."""
    patient = RetryPolicy(wait_initial=60, wait_max=60)
    url = f"http://127.0.0.1:{closed_port()}"
    async with (
        client_of(url, retry=patient) as client,
        client.stream_many(["a cat"]) as outcomes,
    ):
        await anyio.sleep(0.1)
        outcomes.stop()
        (outcome,) = [outcome async for outcome in outcomes]

    assert isinstance(outcome, Failure)
    assert isinstance(outcome.error, NotSentError)
    assert outcome.attempts == 1


async def test_stop_leaves_other_requests_alone() -> None:
    """One batch's end is no other's, though both share the gate."""
    limiter = Limiter(1, learn=False)
    async with (
        serving(answer(after=0.02), limiter=limiter) as (_, client),
        client.stream_many(prompts(5)) as outcomes,
    ):
        other = asyncio.create_task(client.generate_many(prompts(5)))
        await anext(outcomes)
        outcomes.stop()
        batch = await other

    assert batch.failures == []


# Errors that would befall all


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_error_that_befalls_all(status: int) -> None:
    """After 401, 402 or 403 what is under way ends, and the rest is not sent."""
    acts = [*[answer(after=0.2)] * 5, refuse(status, after=0.05), answer(after=0.2)]
    async with serving(*acts) as (server, client):
        batch = await client.generate_many(prompts(100))

    unsent = [f for f in batch.failures if isinstance(f.error, NotSentError)]
    (doomed,) = [f for f in batch.failures if f not in unsent]
    assert getattr(doomed.error, "status", None) == status
    assert len(batch.successes) == server.ran == len(server.requests) - 1
    assert len(unsent) == 99 - server.ran
    assert server.ran < 30
    assert all(failure.error.__cause__ is doomed.error for failure in unsent)
    assert all(failure.attempts == 0 for failure in unsent)


async def test_error_that_befalls_all_reaches_the_throttled() -> None:
    """A request that waits at the gate after a 429 is reported as not sent then."""

    async def act(visit: Visit) -> None:
        await visit.read()
        busy = refuse(429, headers={"Retry-After": "60"})
        no = refuse(401, after=0.1)
        await (busy if visit.seen.prompt == "cat 0" else no)(visit)

    async with serving(act) as (server, client):
        batch = await client.generate_many(prompts(2))

    assert [type(f.error) for f in batch.failures] == [
        NotSentError,
        AuthenticationError,
    ]
    assert [f.attempts for f in batch.failures] == [1, 1]
    assert len(server.requests) == 2


# Several readers


async def test_several_readers() -> None:
    """Several tasks may read: each outcome goes to one of them, and all end."""
    shares: list[list[int]] = [[], [], []]

    async def read(outcomes: AsyncIterator[Any], share: list[int]) -> None:
        async for outcome in outcomes:
            share.append(outcome.index)
            await anyio.sleep(0.001)

    async with (
        serving(answer()) as (_, client),
        client.stream_many(prompts(60)) as outcomes,
        anyio.create_task_group() as group,
    ):
        for share in shares:
            group.start_soon(read, outcomes, share)

    assert sorted(itertools.chain(*shares)) == list(range(60))
    assert all(shares)


async def test_reading_on_after_the_end() -> None:
    """A stream that has ended stays at its end."""
    async with (
        serving(answer()) as (_, client),
        client.stream_many(["a cat"]) as outcomes,
    ):
        assert len([outcome async for outcome in outcomes]) == 1
        assert [outcome async for outcome in outcomes] == []


# Deadline


async def test_deadline_of_a_batch() -> None:
    """At the deadline what waits was never sent, and what is under way is unknown."""
    async with serving(silence, deadline=0.6) as (server, client):
        batch = await client.generate_many(prompts(100))

    kinds = [type(failure.error) for failure in batch.failures]
    assert kinds.count(OutcomeUnknownError) == server.ran == 10
    assert kinds.count(RequestTimeoutError) == 90
    for failure in batch.failures:
        is_unknown = isinstance(failure.error, OutcomeUnknownError)
        assert getattr(failure.error, "delivery", "") == (
            "unknown" if is_unknown else "not_sent"
        )
        assert failure.attempts == is_unknown


async def test_deadline_is_one_for_all() -> None:
    """A batch's deadline counts from its start, and not from each item's."""
    limiter = Limiter(1, learn=False)
    async with serving(answer(after=0.1), limiter=limiter, deadline=0.35) as (
        server,
        client,
    ):
        batch = await client.generate_many(prompts(10))

    assert 1 <= len(batch.successes) <= 3
    assert server.ran <= 4


# Cancellation


async def test_cancelled_batch() -> None:
    """A batch that is cancelled ends at once and leaves nothing behind."""
    async with serving(silence) as (server, client):
        task = asyncio.create_task(client.generate_many(prompts(100)))
        await until(lambda: server.ran == 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.limiter.in_use == client.limiter.waiting == 0
        await anyio.sleep(0.05)

    assert server.ran == 10


async def test_batch_within_a_timeout() -> None:
    """A caller's own timeout ends a batch, and is the error that comes out."""
    async with serving(silence) as (server, client):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.generate_many(prompts(100))
        with anyio.move_on_after(0.2) as scope:
            await client.generate_many(prompts(100))

    assert scope.cancelled_caught
    assert 0 < server.ran <= 20


async def test_reader_that_is_cancelled() -> None:
    """A reader that is cancelled loses nothing: another reads on."""
    async with (
        serving(answer(after=0.1)) as (_, client),
        client.stream_many(prompts(10)) as outcomes,
    ):
        with anyio.move_on_after(0.02) as scope:
            await anext(outcomes)
        rest = [outcome async for outcome in outcomes]

    assert scope.cancelled_caught
    assert len(rest) == 10


ENDS = {
    "answer": answer(),
    "slow": answer(after=0.01),
    "bad": refuse(400),
    "broken": fail(500),
    "lost": reset_after_body,
    "closed": hang_up,
    "nonsense": reply(b"nonsense"),
    "throttled": capped(2, seconds=0.01),
}


@settings(max_examples=30, deadline=None)
@given(names=st.lists(st.sampled_from(sorted(ENDS)), max_size=40))
async def test_every_index_once(names: list[str]) -> None:
    """Whatever becomes of the items, each has exactly one outcome and ran once."""
    ends = {f"cat {n}": ENDS[name] for n, name in enumerate(names)}

    async def act(visit: Visit) -> None:
        await visit.read()
        await ends[visit.seen.prompt](visit)

    async with (
        serving(act, limiter=Limiter(3, learn=False)) as (server, client),
        client.stream_many(prompts(len(names))) as outcomes,
    ):
        found = [outcome.index async for outcome in outcomes]

    assert sorted(found) == list(range(len(names)))
    assert all(times == 1 for times in server.runs.values())


@settings(max_examples=30, deadline=None)
@given(seconds=st.floats(0, 0.03), places=st.integers(1, 12))
async def test_cancelled_at_any_time(seconds: float, places: int) -> None:
    """Whenever a batch is cancelled, it holds no place and sends nothing later."""
    async with serving(answer(after=0.005), limiter=Limiter(places)) as (
        server,
        client,
    ):
        with anyio.move_on_after(seconds):
            await client.generate_many(Drawn())
        assert client.limiter.in_use == client.limiter.waiting == 0
        await anyio.sleep(0.02)
        seen = len(server.requests)
        await anyio.sleep(0.01)
        assert len(server.requests) == seen

    assert all(times == 1 for times in server.runs.values())


async def read_slowly(client: IdeogramClient) -> None:
    """Read one outcome of many, and be busy with it."""
    async with client.stream_many(f"p{n}" for n in range(500)) as outcomes:
        async for _ in outcomes:
            await asyncio.sleep(10)


async def test_a_busy_reader_that_is_cancelled() -> None:
    """A batch that is cancelled from outside ends as cancelled, and as nothing else."""
    async with serving(answer()) as (_, client):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read_slowly(client), 0.3)

        assert (client.limiter.in_use, client.limiter.waiting) == (0, 0)


async def test_a_reader_that_looks_in_now_and_then() -> None:
    """Outcomes are not lost when their reader gives up waiting and comes back."""
    async with serving(answer(after=0.004)) as (_, client):
        seen: list[int] = []
        async with client.stream_many(f"p{n}" for n in range(400)) as outcomes:
            while True:
                try:
                    async with asyncio.timeout(0.002):
                        seen.append((await anext(outcomes)).index)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    break

    assert sorted(seen) == list(range(400))


async def test_a_source_that_is_cancelled_from_elsewhere() -> None:
    """A source that waited for a cancelled task ends the batch, and loses nothing."""
    other = asyncio.create_task(asyncio.sleep(10))

    async def source() -> AsyncIterator[str]:
        for number in range(5):
            yield f"p{number}"
        other.cancel()
        await other

    async with serving(answer()) as (_, client):
        batch = await client.generate_many(source())

    assert len(batch.successes) == 5
    assert [str(failure.error) for failure in batch.failures] == [
        "the source of items was cancelled"
    ]


@pytest.mark.parametrize("ending", ["deadline", "status", "stop"])
async def test_a_source_that_keeps_waiting(ending: str) -> None:
    """A deadline, a failure that dooms all, and a stop end a slow source too."""

    async def source() -> AsyncIterator[str]:
        yield "a cat"
        await asyncio.sleep(30)
        yield "a dog"

    act = refuse(401) if ending == "status" else answer()
    deadline = 0.3 if ending == "deadline" else None
    async with serving(act, deadline=deadline) as (_, client):
        with anyio.fail_after(5):
            async with client.stream_many(source()) as outcomes:
                first = await anext(outcomes)
                if ending == "stop":
                    outcomes.stop()
                rest = [outcome async for outcome in outcomes]

    assert (first.index, rest) == (0, [])


@pytest.mark.parametrize("goes_on", [False, True])
async def test_a_source_that_stops_the_batch_itself(*, goes_on: bool) -> None:
    """What is under way still ends when the source itself stops its batch."""

    async def source() -> AsyncIterator[str]:
        yield "a cat"
        yield "a dog"
        outcomes.stop()
        if goes_on:
            yield "a cow"

    async with (
        serving(answer(after=0.05)) as (server, client),
        client.stream_many(source()) as outcomes,
    ):
        found = [outcome async for outcome in outcomes]

    sent = [each.index for each in found if isinstance(each, Success)]
    assert sorted(sent) == [0, 1]
    assert server.ran == 2
    unsent = [each.error for each in found if isinstance(each, Failure)]
    assert [type(error) for error in unsent] == [NotSentError] * goes_on
    assert client.limiter.in_use == 0


async def test_a_worker_that_is_cancelled_by_other_code() -> None:
    """A batch that lost a worker is never handed over as if it were whole."""

    class Cancels(Hooks):
        def on_send(self, sending: Sending) -> None:
            """Cancel the task of the request."""
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    async with serving(answer(), hooks=Cancels()) as (_, client):
        with pytest.raises(IdeogramError, match="was torn"):
            await client.generate_many(f"p{number}" for number in range(30))
        with pytest.raises(IdeogramError, match="torn"):
            await client.start_many(f"p{number}" for number in range(30)).result()

    assert client.limiter.in_use == 0


async def test_a_session_that_is_closed_meanwhile() -> None:
    """Requests that wait in the pool of a closed session fail, and lose no others."""
    connector = aiohttp.TCPConnector(limit=2)
    session = aiohttp.ClientSession(connector=connector)
    async with Server(answer(after=0.3)) as server:
        client = IdeogramClient("secret", base_url=server.url, session=session)
        async with client.stream_many(f"p{n}" for n in range(8)) as outcomes:
            await anyio.sleep(0.1)
            await session.close()
            found = [outcome async for outcome in outcomes]

    assert sorted(outcome.index for outcome in found) == list(range(8))
    assert client.limiter.in_use == 0


async def test_reading_after_the_batch() -> None:
    """Outcomes that are read after their context have come to their end."""
    async with serving(answer()) as (_, client):
        async with client.stream_many(["a cat", "a dog"]) as outcomes:
            await anext(outcomes)

        assert [outcome async for outcome in outcomes] == []


async def test_a_ready_source_is_told_of_to_its_end() -> None:
    """After a failure that dooms all, an async source that never waits is drawn on."""

    async def source() -> AsyncIterator[str]:
        for number in range(100):
            yield f"p{number}"

    async with serving(refuse(401)) as (server, client):
        batch = await client.generate_many(source())

    assert len(batch) == 100
    assert len(server.requests) < 30
    assert isinstance(batch.failures[-1].error, NotSentError)


async def test_endless_source_of_a_batch_that_ended_lets_others_run() -> None:
    """Items that are not sent, one after the other, don't hold the event loop."""
    async with serving(refuse(401)) as (_, client):
        with anyio.move_on_after(0.2) as scope:
            await client.generate_many(Drawn())

    assert scope.cancelled_caught
