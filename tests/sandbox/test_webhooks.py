"""Webhooks of the sandbox, received by a small server and checked by hand."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ideogram_async import IdeogramClient, WebhookVerificationError
from ideogram_async.sandbox import Sandbox, WebhookPlan
from ideogram_async.webhooks import WebhookVerifier

from ..servers import Act, Seen, Server, Visit, closed_port, hang_up, refuse, until
from .plain import get, post


KEYS = "/v1/.well-known/jwks.json"
SUBMIT = "/v1/ideogram-v4/async/generate"
QUICK = {"late_by": 0.2, "pause": 0.01}


async def accept(visit: Visit) -> None:
    """Read the webhook, and answer 200."""
    await visit.read()
    visit.send(200)


@asynccontextmanager
async def receiving(
    *acts: Act, plan: WebhookPlan | None = None, **options: Any
) -> AsyncGenerator[tuple[Server, Sandbox]]:
    """Run a receiver, and a sandbox that may call it."""
    plan = plan or WebhookPlan(**QUICK)
    given = {"latency": 0.02, "allow_local_webhooks": True, **options}
    async with (
        Server(*(acts or (accept,))) as receiver,
        Sandbox(webhooks=plan, **given) as sandbox,
    ):
        yield receiver, sandbox


async def submit(
    http: aiohttp.ClientSession, sandbox: Sandbox, url: str, prompt: str = "a cat"
) -> str:
    """Submit a generation, of which *url* is told, and return its id."""
    hook = url.replace("http:", "https:") + "/hook"
    body = {"text_prompt": prompt, "resolution": "1024x1024"}
    status, answer = await post(
        http, f"{sandbox.url}{SUBMIT}?webhook_url={hook}", json=body
    )
    assert status == 200, answer
    return str(answer["generation_id"])


def is_signed(seen: Seen, key_set: dict[str, Any]) -> bool:
    """Whether one of the published keys fits the documented message."""
    head = {
        name.removeprefix("x-ideogram-webhook-"): v for name, v in seen.headers.items()
    }
    names = ("generation-id", "user-id", "timestamp")
    digest = hashlib.sha256(seen.body).hexdigest()
    message = "\n".join([*(head[name] for name in names), digest]).encode()
    for key in key_set["keys"]:
        raw = base64.urlsafe_b64decode(key["x"] + "=")
        try:
            Ed25519PublicKey.from_public_bytes(raw).verify(
                bytes.fromhex(head["signature"]), message
            )
        except InvalidSignature:
            continue
        return True
    return False


async def test_on_time(http: aiohttp.ClientSession) -> None:
    """A webhook is one POST as documented, when the generation is completed."""
    async with receiving() as (receiver, sandbox):
        generation_id = await submit(http, sandbox, receiver.url)
        await until(lambda: sandbox.webhooks.deliveries)  # type: ignore[union-attr]  # asked for
        _, key_set = await get(http, sandbox.url + KEYS)
        _, polled = await get(http, f"{sandbox.url}/v1/generations/{generation_id}")

    (seen,) = receiver.requests
    told = json.loads(seen.body)
    assert (seen.method, seen.target) == ("POST", "/hook")
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["x-ideogram-webhook-generation-id"] == generation_id
    assert seen.headers["x-ideogram-webhook-key-id"] == "v1"
    assert list(told) == ["generation_id", "created", "data"]
    assert told["data"] == polled["data"]
    (key,) = key_set["keys"]
    assert set(key) == {"kty", "crv", "use", "kid", "x", "alg"}
    assert is_signed(seen, key_set)


async def test_late(http: aiohttp.ClientSession) -> None:
    """A late webhook comes some time after the generation is completed."""
    plan = WebhookPlan(rates={"late": 1.0}, **QUICK)
    async with receiving(plan=plan, latency=0) as (receiver, sandbox):
        generation_id = await submit(http, sandbox, receiver.url)
        _, polled = await get(http, f"{sandbox.url}/v1/generations/{generation_id}")
        assert polled["status"] == "completed"
        assert receiver.requests == []
        await until(lambda: receiver.requests)


async def test_twice(http: aiohttp.ClientSession) -> None:
    """A webhook that comes twice is genuine both times."""
    plan = WebhookPlan(rates={"twice": 1.0}, **QUICK)
    async with receiving(plan=plan) as (receiver, sandbox):
        await submit(http, sandbox, receiver.url)
        await until(lambda: len(sandbox.webhooks.deliveries) == 2)  # type: ignore[union-attr]  # asked for
        _, key_set = await get(http, sandbox.url + KEYS)

    assert len({seen.body for seen in receiver.requests}) == 1
    assert all(is_signed(seen, key_set) for seen in receiver.requests)


async def test_forged(http: aiohttp.ClientSession) -> None:
    """A forged webhook looks like one, and no published key fits it."""
    plan = WebhookPlan(rates={"forged": 1.0}, **QUICK)
    async with receiving(plan=plan) as (receiver, sandbox):
        await submit(http, sandbox, receiver.url)
        await until(lambda: sandbox.webhooks.deliveries)  # type: ignore[union-attr]  # asked for
        _, key_set = await get(http, sandbox.url + KEYS)

    assert not is_signed(receiver.requests[0], key_set)


@pytest.mark.parametrize("act", [refuse(500), refuse(302), hang_up])
async def test_another_attempt(http: aiohttp.ClientSession, act: Act) -> None:
    """What isn't answered by 2xx is delivered again, until it is."""
    async with receiving(act, accept) as (receiver, sandbox):
        await submit(http, sandbox, receiver.url)
        await until(lambda: len(sandbox.webhooks.deliveries) == 2)  # type: ignore[union-attr]  # asked for

    assert len(receiver.requests) == 2


async def test_no_further_attempt(http: aiohttp.ClientSession) -> None:
    """After a few attempts a webhook is dropped; also where nobody listens."""
    async with receiving(refuse(500)) as (receiver, sandbox):
        await submit(http, sandbox, f"http://127.0.0.1:{closed_port()}")
        await submit(http, sandbox, receiver.url)
        await until(lambda: len(sandbox.webhooks.deliveries) == 6)  # type: ignore[union-attr]  # asked for
        deliveries = sandbox.webhooks.deliveries  # type: ignore[union-attr]  # asked for

    assert sorted(each.status for each in deliveries) == [0, 0, 0, 500, 500, 500]
    assert len(receiver.requests) == 3


async def test_nobody_is_told_of_a_failure(http: aiohttp.ClientSession) -> None:
    """Of a generation that failed there is no webhook."""
    async with receiving() as (receiver, sandbox):
        await submit(http, sandbox, receiver.url, "a failing cat")
        await until(lambda: not sandbox.webhooks._tasks)  # type: ignore[union-attr]  # asked for

    assert receiver.requests == []


async def test_what_is_under_way_at_the_end(http: aiohttp.ClientSession) -> None:
    """A sandbox that ends drops what is not delivered yet."""
    async with receiving(latency=1000, spread=0) as (receiver, sandbox):
        await submit(http, sandbox, receiver.url)

    assert receiver.requests == []
    assert not sandbox.webhooks._tasks  # type: ignore[union-attr]  # asked for


async def test_keys_rotate(http: aiohttp.ClientSession) -> None:
    """A new key signs; the last ones stay published; a verifier follows."""
    seen: list[Seen] = []
    async with receiving() as (receiver, sandbox):
        webhooks: Any = sandbox.webhooks
        async with IdeogramClient("a key", base_url=sandbox.url) as client:
            verifier = WebhookVerifier(client)
            for turn in range(1, 6):
                await submit(http, sandbox, receiver.url)
                await until(lambda turn=turn: len(webhooks.deliveries) == turn)  # type: ignore[misc]  # no default needed
                seen = receiver.requests
                now = float(seen[-1].headers["x-ideogram-webhook-timestamp"])
                # each turn is a minute after the one before, as far as keys go
                verifier._keys._not_before -= 61
                assert await verifier.verify(seen[-1].headers, seen[-1].body, now)
                webhooks.signer.rotate()
        _, key_set = await get(http, sandbox.url + KEYS)

    names = [each.headers["x-ideogram-webhook-key-id"] for each in seen]
    assert names == ["v1", "v2", "v3", "v4", "v5"]
    assert [key["kid"] for key in key_set["keys"]] == ["v6", "v5", "v4"]
    assert [is_signed(each, key_set) for each in seen] == [False] * 3 + [True] * 2


async def test_webhooks_are_only_delivered_on_request(
    http: aiohttp.ClientSession,
) -> None:
    """Without a plan nobody is called, and there are no keys."""
    options: Any = {"latency": 0, "allow_local_webhooks": True}
    async with Server(accept) as receiver, Sandbox(**options) as sandbox:
        await submit(http, sandbox, receiver.url)
        async with http.get(sandbox.url + KEYS) as reply:
            assert reply.status == 404

    assert sandbox.webhooks is None
    assert receiver.requests == []


def test_a_plan_has_known_tricks() -> None:
    """A trick that there isn't is refused."""
    with pytest.raises(ValueError, match="choose from late, twice, forged"):
        WebhookPlan(rates={"early": 1.0})  # type: ignore[dict-item]


async def test_a_flood_of_tricks(http: aiohttp.ClientSession) -> None:
    """Late, twice, forged or on time: a receiver is told of each at most once."""
    told: list[str] = []
    reasons: list[str | None] = []
    async with Sandbox(
        latency=0.02,
        limit=100,
        allow_local_webhooks=True,
        webhooks=WebhookPlan(
            rates={"late": 0.2, "twice": 0.3, "forged": 0.2}, late_by=0.1, pause=0.01
        ),
    ) as sandbox:
        webhooks: Any = sandbox.webhooks
        async with IdeogramClient("a key", base_url=sandbox.url) as client:
            verifier = WebhookVerifier(client)

            async def receive(visit: Visit) -> None:
                await visit.read()
                try:
                    result = await verifier.verify(visit.seen.headers, visit.seen.body)
                except WebhookVerificationError as error:
                    reasons.append(error.reason)
                    visit.send(200 if error.reason == "already_seen" else 400)
                else:
                    told.append(result.generation_id)
                    visit.send(200)

            async with Server(receive) as receiver:
                ids = await asyncio.gather(
                    *(submit(http, sandbox, receiver.url) for _ in range(30))
                )
                await until(lambda: not webhooks._tasks)

    forged = {d.generation_id for d in webhooks.deliveries if d.trick == "forged"}
    assert sorted(told) == sorted(set(ids) - forged)
    assert set(reasons) == {"already_seen", "wrong_signature"}
