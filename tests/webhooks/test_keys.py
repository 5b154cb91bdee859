"""Where the keys come from, and how seldom they are asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ideogram_async import IdeogramClient, RetryPolicy, WebhookVerificationError
from ideogram_async.providers import Ideogram, Pixazo
from ideogram_async.webhooks import WebhookVerifier

from ..listening import Notes
from ..servers import Act, Server, Visit, client_of, refuse, serving, silence, until
from .scheme import (
    BODY,
    ID,
    KEYS,
    NOW,
    OTHER_PUBLIC,
    OTHER_SECRET,
    PUBLIC,
    Webhook,
    webhook,
)


BOTH = {"keys": [OTHER_PUBLIC, PUBLIC]}


def publish(key_set: Any) -> Act:
    """Serve *key_set*."""

    async def act(visit: Visit) -> None:
        visit.send(200, json.dumps(key_set).encode())

    return act


def another(name: str, *, at: float = NOW, **options: Any) -> Webhook:
    """Return a genuine webhook about generation *name*."""
    body = BODY.replace(ID.encode(), name.encode())
    return webhook(body, generation_id=name, timestamp=str(int(at)), **options)


@asynccontextmanager
async def publishing(*acts: Act) -> AsyncIterator[tuple[Server, WebhookVerifier]]:
    """Serve keys, and make a verifier that fetches them."""
    retry = RetryPolicy(attempts=1)
    async with Server(*acts) as server, client_of(server.url, retry=retry) as client:
        yield server, WebhookVerifier(client)


async def reason(verifier: WebhookVerifier, call: Webhook, now: float) -> str | None:
    """Return why *call* isn't trusted; None if it is."""
    try:
        await verifier.verify(*call, now=now)
    except WebhookVerificationError as error:
        return error.reason
    return None


async def test_keys_are_fetched_once_and_without_the_key() -> None:
    """Many webhooks at once need one fetch, which carries no API key."""
    async with publishing(publish(KEYS)) as (server, verifier):
        calls = [another(f"id{number}") for number in range(50)]
        found = await asyncio.gather(*(reason(verifier, c, NOW) for c in calls))

    assert set(found) == {None}
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/v1/.well-known/jwks.json")
    assert "api-key" not in request.headers
    assert b"secret" not in request.head


async def test_keys_live_for_a_day() -> None:
    """Keys are kept for less than 24 hours, then fetched anew."""
    async with publishing(publish(KEYS)) as (server, verifier):
        for hours in (0, 1, 23.99):
            now = NOW + hours * 3600
            assert await reason(verifier, another(f"{hours}", at=now), now) is None
        assert len(server.requests) == 1
        now = NOW + 24 * 3600
        assert await reason(verifier, another("late", at=now), now) is None

    assert len(server.requests) == 2


async def test_keys_that_are_too_old_are_not_used() -> None:
    """Where a day has passed and no keys can be had, nothing is trusted."""
    async with publishing(publish(KEYS), refuse(500)) as (server, verifier):
        assert await reason(verifier, another("a"), NOW) is None
        now = NOW + 24 * 3600
        call = another("b", at=now)
        assert await reason(verifier, call, now) == "no_keys"
        assert await reason(verifier, call, now + 4) == "no_keys"
        assert len(server.requests) == 2
        assert await reason(verifier, call, now + 6) == "no_keys"

    assert len(server.requests) == 3


async def test_a_rotated_key() -> None:
    """A key that isn't known yet is fetched, once for all that wait for it."""
    async with publishing(publish(KEYS), publish(BOTH)) as (server, verifier):
        assert await reason(verifier, another("old"), NOW) is None
        now = NOW + 61
        calls = [another(f"id{n}", secret=OTHER_SECRET) for n in range(20)]
        found = await asyncio.gather(*(reason(verifier, c, now) for c in calls))
        assert set(found) == {None}
        assert await reason(verifier, another("still"), now) is None

    assert len(server.requests) == 2


async def test_a_flood_of_bad_signatures() -> None:
    """The keys are fetched at most once a minute, however many signatures are bad."""
    async with publishing(publish(KEYS)) as (server, verifier):
        bad = [another(f"id{n}", secret=OTHER_SECRET) for n in range(30)]
        for second in range(0, 60, 4):
            for call in bad:
                found = await reason(verifier, call, NOW + second)
                assert found == "wrong_signature"
        assert len(server.requests) == 1
        assert await reason(verifier, bad[0], NOW + 60) == "wrong_signature"
        assert await reason(verifier, bad[0], NOW + 119) == "wrong_signature"
        assert len(server.requests) == 2
        assert await reason(verifier, another("good"), NOW + 60) is None


async def test_keys_that_can_not_be_fetched() -> None:
    """Nothing is trusted meanwhile; what failed is the cause, and it is tried again."""
    down = [refuse(503), publish({"keys": []}), publish(KEYS)]
    async with publishing(*down) as (_, verifier):
        with pytest.raises(
            WebhookVerificationError, match="can't be fetched"
        ) as raised:
            await verifier.verify(*another("a"), now=NOW)
        assert raised.value.reason == "no_keys"
        assert "503" in str(raised.value.__cause__)
        assert await reason(verifier, another("a"), NOW + 6) == "no_keys"
        assert await reason(verifier, another("a"), NOW + 12) is None


async def test_keys_that_are_no_json() -> None:
    """A page of a proxy is no key set."""

    async def page(visit: Visit) -> None:
        visit.send(200, b"<html>")

    async with publishing(page) as (_, verifier):
        assert await reason(verifier, another("a"), NOW) == "no_keys"


async def test_keys_are_those_of_the_service_with_webhooks() -> None:
    """Of several providers the one that takes generations is asked for keys."""
    async with Server(publish(KEYS)) as server:
        providers = [Pixazo("a key"), Ideogram("a key", server.url)]
        async with IdeogramClient(provider=providers) as client:
            assert await reason(WebhookVerifier(client), another("a"), NOW) is None

    assert len(server.requests) == 1


async def test_a_clock_that_was_set_back() -> None:
    """A clock that was hours ahead doesn't keep the verifier from asking for keys."""
    async with publishing(publish(KEYS)) as (server, verifier):
        assert await reason(verifier, another("a", at=NOW + 9999), NOW + 9999) is None
        assert await reason(verifier, another("b"), NOW) is None

    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "body",
    [b"[" * 50_000, json.dumps({"keys": [PUBLIC] * 1_000}).encode()],
    ids=["deep", "large"],
)
async def test_a_key_set_that_is_no_use(body: bytes) -> None:
    """A key set that would take too long, or too much, is none."""

    async def publish_body(visit: Visit) -> None:
        visit.send(200, body)

    async with publishing(publish_body) as (_, verifier):
        assert await reason(verifier, another("a"), NOW) == "no_keys"


async def test_a_fetch_that_is_repeated_is_no_request() -> None:
    """Hooks are told of requests, and the keys are none."""
    notes, retry = Notes(), RetryPolicy(wait_initial=0)
    acts = refuse(500), publish(KEYS)
    async with serving(*acts, retry=retry, hooks=notes) as (server, client):
        assert await reason(WebhookVerifier(client), another("a"), NOW) is None

    assert notes.events == []
    assert len(server.requests) == 2


async def test_a_caller_that_leaves_during_the_fetch() -> None:
    """Who hangs up while the keys are fetched keeps nobody else from having them."""
    async with publishing(silence, publish(KEYS)) as (server, verifier):
        bad = asyncio.create_task(reason(verifier, another("a"), NOW))
        await until(lambda: server.ran)
        bad.cancel()
        await asyncio.wait([bad])
        assert await reason(verifier, another("b"), NOW + 1) is None
