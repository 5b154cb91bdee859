"""What the frameworks share: events, and the backend of an application."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ideogram_async import IdeogramClient
from ideogram_async.web import Backend, Event, Reply, events, opened
from ideogram_async.web.aiohttp import event_stream
from tests.servers import Visit, answer, serving, silence
from tests.webhooks.scheme import KEYS, webhook


async def test_silence_is_broken_by_comments() -> None:
    """While nothing happens, comments keep the connection alive."""
    async with serving(silence) as (_, client):
        running = client.start_many(["a cat"])
        stream = events(running, heartbeat=0.01)
        found = [await anext(stream) for _ in range(3)]
        await stream.aclose()
        running.abandon()
        await running.result()

    assert [each.event for each in found] == ["batch", None, None]
    assert bytes(found[-1]) == b": still here\n\n"


async def test_an_event_on_the_wire() -> None:
    """An event is a few lines, and nothing in a prompt can add one."""
    async with serving(answer()) as (_, client):
        running = client.start_many(["a\r\ndata: cat\u2028"])
        found = [bytes(event).decode() async for event in events(running)]

    assert found[0].endswith('"total":1}\nretry: 1000\n\n')
    assert found[1].count("\n") == 4
    assert found[1].startswith("event: outcome\ndata: {")
    assert all(line.isascii() for line in found)
    assert found[1].endswith("\nid: 1\n\n")
    assert found[2] == (
        'event: done\ndata: {"total":1,"succeeded":1,"failed":0}\nid: 1\n\n'
    )
    told = json.loads(found[1].splitlines()[1].removeprefix("data: "))
    assert told["prompt"] == "a\r\ndata: cat\u2028"


@pytest.mark.parametrize("last", [None, "", "-1", "two", "²", "1e3"])
async def test_a_last_event_that_is_no_number(last: str | None) -> None:
    """Anything else than a number means that the browser has had nothing."""
    async with serving(answer()) as (_, client):
        running = client.start_many(["a cat"])
        found = [event.event async for event in events(running, last)]

    assert found == ["batch", "outcome", "done"]


async def test_errors_of_others_are_not_told() -> None:
    """The message of an error that isn't ours stays on the server."""

    def broken() -> Iterator[Any]:
        yield 3
        raise RuntimeError("postgres://user:password@host")

    async with serving(answer()) as (_, client):
        running = client.start_many(broken())
        found = [event async for event in events(running)]

    ours, theirs = (json.loads(event.data or "") for event in found[1:3])
    assert ours["error"]["type"] == "ValueError"
    assert "expected a prompt" in ours["error"]["message"]
    assert theirs["error"] == {
        "type": "RuntimeError",
        "message": "the source of prompts failed",
    }
    assert theirs["prompt"] is None


async def test_ended_batches_are_kept_for_a_while() -> None:
    """Of the batches that have ended the latest are kept, and all that run."""
    async with serving(answer()) as (_, client):
        backend = Backend(client, keep=2)
        started = []
        for _ in range(4):
            started.append(backend.start_many(["a cat"], seed=1))
            await started[-1].result()
        backend.start_many(["a cat"])
        found = [backend.find(each.id) is each for each in started]

    assert found == [False, False, True, True]
    assert backend.find("guess") is None


async def test_the_client_is_closed_with_the_application() -> None:
    """The end of an application, whatever its reason, closes its client."""
    closed: list[float | None] = []

    class Client(IdeogramClient):
        async def aclose(self, drain: float | None = None) -> None:
            closed.append(drain)
            await super().aclose(drain)

    async def application() -> None:
        async with opened(lambda: Client("key"), drain=3):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await application()

    assert closed == [3]


def test_events_are_values() -> None:
    """Events can be compared, and made by hand."""
    assert bytes(Event(data="1", id="2")) == b"data: 1\nid: 2\n\n"
    assert Event(comment="x") == Event(comment="x")


async def test_many_listeners_cost_no_request() -> None:
    """A hundred listeners hear one batch, which is sent once."""
    async with serving(answer()) as (server, client):
        running = client.start_many([f"cat {number}" for number in range(5)])
        heard: list[int] = []

        async def listen() -> None:
            heard.append(len([1 async for _ in events(running)]))

        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(listen)

    assert heard == [7] * 100
    assert server.ran == 5


class Patient(TestServer):
    """A server that lets its handlers go on when their browser has left."""

    async def _make_runner(self, **options: Any) -> web.BaseRunner[Any]:
        return await super()._make_runner(**options | {"handler_cancellation": False})


async def test_an_aiohttp_handler_that_is_not_cancelled() -> None:
    """With aiohttp's defaults, a handler whose browser left ends at the next event."""
    async with serving(answer(), answer(after=0.2)) as (_, client):
        running = client.start_many(["a cat", "a dog", "a cow"])
        ended = anyio.Event()

        async def listen(request: web.Request) -> web.StreamResponse:
            response = await event_stream(request, running)
            ended.set()
            return response

        app = web.Application()
        app.router.add_get("/", listen)
        async with Patient(app) as server, aiohttp.ClientSession() as session:
            async with session.get(server.make_url("/")) as response:
                await response.content.readline()
            await ended.wait()
        batch = await running.result()

    assert len(batch.images) == 3


@pytest.mark.parametrize("kind", [OSError, ValueError])
async def test_what_a_source_says_stays_here(kind: type[Exception]) -> None:
    """Whatever the source raises, a browser learns only that it failed."""

    def source() -> Iterator[str]:
        raise kind("no access to postgres://user:hunter2@host/prompts")
        yield "a cat"

    async with serving(answer()) as (_, client):
        running = client.start_many(source())
        found = b"".join([bytes(event) async for event in events(running)])

    assert b"hunter2" not in found
    assert b"the source of prompts failed" in found


async def test_a_webhook_that_comes_again_too_soon() -> None:
    """What comes while the first is at work is to come again, as that may fail."""

    async def publish(visit: Visit) -> None:
        visit.send(200, json.dumps(KEYS).encode())

    async with serving(publish) as (_, client):
        backend, call = Backend(client), webhook(timestamp=str(int(time.time())))
        replies = list[Reply]()

        async def meanwhile(_: object) -> None:
            replies.append(await backend.receive(*call, meanwhile))
            if len(replies) == 1:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await backend.receive(*call, meanwhile)
        for _ in range(2):
            replies.append(await backend.receive(*call, meanwhile))

    under_way = Reply(503, "under_way")
    assert replies == [
        under_way, under_way, Reply(200, "received"), Reply(200, "already_seen")
    ]  # fmt: skip
