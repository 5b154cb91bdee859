"""Applications in every framework, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.servers import Server, Visit, answer, capped, refuse, until

from .apps import APPS, WEBHOOKS, Site, site


pytestmark = pytest.mark.parametrize("name", APPS)


class Held:
    """An act that answers when it is let go."""

    def __init__(self) -> None:
        self.free = anyio.Event()

    async def __call__(self, visit: Visit) -> None:
        """Run the request, and answer later."""
        await visit.read()
        await self.free.wait()
        await answer()(visit)


def indices(found: list[dict[str, Any]]) -> list[int]:
    """Return the indices of the outcomes among the events."""
    return [each["data"]["index"] for each in found if each["event"] == "outcome"]


async def test_a_batch_is_followed_to_its_end(name: str) -> None:
    """The events are the batch, each outcome, and the end; numbered, and private."""
    async with (
        Server(answer(), refuse(422, b'{"error": "no\\nno"}'), answer()) as server,
        site(name, server.url, places=1) as app,
    ):
        batch = await app.start(["a cat", "</script>\r\n\r\ndata: x", "a\u2028dog"])
        found = await app.events(batch)

    assert [each["event"] for each in found] == ["batch", *["outcome"] * 3, "done"]
    assert found[0]["data"] == {"id": batch, "total": 3}
    assert found[0]["retry"] == "1000"
    assert [each.get("id") for each in found] == [None, "1", "2", "3", "3"]
    first, refused, last = (each["data"] for each in found[1:4])
    assert first["prompt"] == "a cat"
    assert first["response"]["data"][0]["seed"] == 12345
    assert refused["prompt"] == "</script>\r\n\r\ndata: x"
    assert refused["error"]["type"] == "SafetyError"
    assert "\n" not in refused["error"]["message"]
    assert last["prompt"] == "a\u2028dog"
    assert found[-1]["data"] == {"total": 3, "succeeded": 2, "failed": 1}
    assert "secret" not in json.dumps(found)


async def test_a_browser_that_leaves_loses_nothing(name: str) -> None:
    """A batch goes on without its listener, who comes back to what it has missed."""
    held = Held()
    async with (
        Server(answer(), held) as server,
        site(name, server.url) as app,
    ):
        batch = await app.start([f"cat {number}" for number in range(6)])
        async with app.listening(batch) as found:
            seen = [await anext(found) for _ in range(2)]
        held.free.set()
        await until(lambda: server.ran == 6)
        missed = await app.events(batch, seen[-1]["id"])
        everything = await app.events(batch)
        nonsense = await app.events(batch, "9" * 5000)

    assert len(indices(seen)) == 1
    assert sorted(indices(seen) + indices(missed)) == list(range(6))
    assert everything == nonsense
    assert indices(everything) == indices(seen) + indices(missed)


async def test_cancel(name: str) -> None:
    """A batch that is cancelled sends nothing new and keeps what it paid."""
    held = Held()
    async with (
        Server(held) as server,
        site(name, server.url, places=2) as app,
    ):
        batch = await app.start([f"cat {number}" for number in range(6)])
        await until(lambda: len(server.requests) == 2)
        async with app.session.delete(f"/batches/{batch}") as response:
            assert response.status == 204
        held.free.set()
        (*_, done) = await app.events(batch)

    assert done["data"] == {"total": 6, "succeeded": 2, "failed": 4}
    assert server.ran == 2


async def test_an_unknown_batch(name: str) -> None:
    """Who doesn't know the id of a batch gets 404."""
    async with Server() as server, site(name, server.url) as app:
        async with app.session.get("/batches/guess/events") as response:
            assert response.status == 404
        async with app.session.delete("/batches/guess") as response:
            assert response.status == 404


async def test_stopping_the_server_keeps_what_is_paid(name: str) -> None:
    """At the end listeners end, nothing new leaves, what is paid is waited for."""
    held = Held()
    async with Server(held) as server:
        async with site(name, server.url, places=2) as app:
            batch = await app.start([f"cat {number}" for number in range(6)])
            await until(lambda: len(server.requests) == 2)
            (running,) = app.client._running.held
            async with app.listening(batch) as found:
                await anext(found)
                app.stop()
                await until(lambda: running.failed == 4)
                assert not running.is_done
                held.free.set()
        result = await running.result()

    assert len(result.images) == server.ran == 2
    assert app.client.limiter.in_use == 0


# A browser that leaves while it waits for one picture


async def test_a_wait_ends_with_its_browser(name: str) -> None:
    """A request whose browser left waits no more, and harms nobody."""
    held = Held()
    async with (
        Server(held) as server,
        site(name, server.url, places=1) as app,
        anyio.create_task_group() as group,
    ):
        got: list[str] = []

        async def ask(prompt: str) -> None:
            async with app.session.get(f"/one/{prompt}") as response:
                got.append((await response.json())["url"])

        group.start_soon(ask, "first")
        await until(lambda: len(server.requests) == 1)
        with anyio.CancelScope() as leaving:
            async with anyio.create_task_group() as left:
                left.start_soon(ask, "second")
                await until(lambda: app.client.limiter.waiting == 1)
                group.start_soon(ask, "third")
                await until(lambda: app.client.limiter.waiting == 2)
                leaving.cancel()
        await until(lambda: app.client.limiter.waiting == 1)
        held.free.set()
        await until(lambda: len(got) == 2)

    assert server.runs == {"first": 1, "third": 1}


async def test_a_hundred_users(name: str) -> None:
    """A hundred users share one gate: its limit holds, in the order of arrival."""
    async with (
        Server(capped(10, seconds=0.02)) as server,
        site(name, server.url) as app,
        anyio.create_task_group() as group,
    ):
        arrived: list[int] = []
        served: list[int] = []

        async def ask(user: int) -> None:
            async with app.session.get(f"/one/user{user}") as response:
                assert response.status == 200
                served.append(user)

        for user in range(100):
            group.start_soon(ask, user)
            await until(lambda: _came(app, server) > len(arrived))
            arrived.append(user)
        await until(lambda: len(served) == 100)

    assert server.runs.total() == 100
    assert server.peak <= 10
    lateness = [served.index(user) - user for user in range(100)]
    assert max(lateness) <= 30
    assert app.client.limiter.in_use == 0


def _came(app: Site, server: Server) -> int:
    """Return how many requests have reached the gate, or passed it."""
    gate = app.client.limiter
    return gate.waiting + gate.in_use + server.ran


# Webhooks


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BODY = json.dumps(
    {
        "generation_id": "abc",
        "created": "2025-01-23T04:56:07Z",
        "data": [{"url": "https://x/1.png", "seed": 1}],
    }
).encode()


async def key_set(visit: Visit) -> None:
    """Answer with the public key."""
    await visit.read()
    raw = KEY.public_key().public_bytes_raw()
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    key = {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": text}
    visit.send(200, json.dumps({"keys": [key]}).encode())


def signed(body: bytes, *, generation: str = "abc") -> dict[str, str]:
    """Return the header fields that the service would send with *body*."""
    moment = str(int(time.time()))
    digest = hashlib.sha256(body).hexdigest()
    message = f"{generation}\nuser\n{moment}\n{digest}".encode()
    fields = {
        "Generation-Id": generation,
        "User-Id": "user",
        "Timestamp": moment,
        "Key-Id": "k",
        "Signature": KEY.sign(message).hex(),
    }
    return {f"X-Ideogram-Webhook-{name}": value for name, value in fields.items()}


async def test_webhooks(name: str) -> None:
    """A genuine webhook is received once, and a forged one gets the reason only."""
    async with Server(key_set) as server, site(name, server.url) as app:

        async def post(body: bytes, headers: dict[str, str]) -> tuple[int, str]:
            address = app.session.post(WEBHOOKS, data=io.BytesIO(body), headers=headers)
            async with address as response:
                return response.status, await response.text()

        assert await post(BODY, {}) == (400, "missing_header")
        assert await post(BODY + b" ", signed(BODY)) == (400, "wrong_signature")
        app.breaks.append(ZeroDivisionError())
        assert (await post(BODY, signed(BODY)))[0] == 500
        assert await post(BODY, signed(BODY)) == (200, "received")
        assert await post(BODY, signed(BODY)) == (200, "already_seen")
        large = b" " * 1_100_000
        assert (await post(large, signed(large)))[0] == 413

    assert [each.generation_id for each in app.received] == ["abc"]
    assert app.received[0].data[0].url == "https://x/1.png"


async def test_webhooks_without_keys(name: str) -> None:
    """While the keys can't be had, the service is asked to deliver again."""
    async with Server(refuse(404)) as server, site(name, server.url) as app:
        headers = signed(BODY)
        async with app.session.post(WEBHOOKS, data=BODY, headers=headers) as response:
            assert (response.status, await response.text()) == (503, "no_keys")
