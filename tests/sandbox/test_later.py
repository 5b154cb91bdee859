"""Asynchronous generations, driven by aiohttp alone."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from ideogram_async.sandbox import Sandbox

from .plain import fetched, get, post
from .test_training import Clock


SUBMIT = "/v1/ideogram-v4/async/generate"
HOOK = "?webhook_url=https://example.com/hook"


async def submit(
    http: aiohttp.ClientSession, sandbox: Sandbox, prompt: str = "a cat"
) -> tuple[int, dict[str, Any]]:
    """Submit a generation, and return status and answer."""
    body = {"text_prompt": prompt, "resolution": "1024x1024", "seed": 7}
    return await post(http, sandbox.url + SUBMIT + HOOK, json=body)


async def test_pending_and_then_completed(http: aiohttp.ClientSession) -> None:
    """A generation is pending until its time has come, then has its image for good."""
    clock = Clock()
    async with Sandbox(latency=10, spread=0, clock=clock) as sandbox:
        status, answer = await submit(http, sandbox)
        url = f"{sandbox.url}/v1/generations/{answer['generation_id']}"
        _, pending = await get(http, url)
        clock.now += 11
        _, completed = await get(http, url)
        _, again = await get(http, url)
        image = await fetched(http, completed["data"][0]["url"])

    assert (status, list(answer)) == (200, ["generation_id"])
    assert sorted(pending) == ["created", "generation_id", "status"]
    assert pending["status"] == "pending"
    assert completed["status"] == "completed"
    assert completed["response_type"] == "url"
    assert sorted(completed["data"][0]) == [
        "is_image_safe",
        "prompt",
        "resolution",
        "seed",
        "url",
    ]
    assert completed["data"][0]["seed"] == 7
    assert again == completed
    assert image.size == (1024, 1024)
    assert sandbox.ledger.times_billed == {"a cat": 1}


async def test_pending_generations_take_places(http: aiohttp.ClientSession) -> None:
    """What is pending takes a place, of calls as well, until it is due."""
    clock = Clock()
    async with Sandbox(latency=10, spread=0, limit=2, clock=clock) as sandbox:
        statuses = [(await submit(http, sandbox))[0] for _ in range(3)]
        sandbox.service.latency = 0
        url, body = sandbox.url + "/v1/ideogram-v3/generate", {"prompt": "x"}
        statuses.append((await post(http, url, json=body))[0])
        clock.now += 11
        statuses.append((await post(http, url, json=body))[0])

    assert statuses == [200, 200, 429, 429, 200]
    assert sandbox.ledger.most_in_progress == 2
    assert sandbox.service.in_progress == 0


@pytest.mark.parametrize(
    ("prompt", "status", "billed"),
    [("failing", "failed", 0), ("withheld", "completed", 1)],
)
async def test_generations_can_fail(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    prompt: str,
    status: str,
    billed: int,
) -> None:
    """A failed generation is free and says no more; a withheld image is billed."""
    sandbox.service.balance = billed
    _, answer = await submit(http, sandbox, prompt)
    url = f"{sandbox.url}/v1/generations/{answer['generation_id']}"
    _, ended = await get(http, url)

    assert ended["status"] == status
    assert [each["url"] for each in ended.get("data", [])] == [None] * billed
    assert sandbox.ledger.images == billed


async def test_unknown_and_refused(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """An unknown id is a 404; a prompt refused by the safety check a free 422."""
    unknown, _ = await get(http, sandbox.url + "/v1/generations/none")
    refused, _ = await submit(http, sandbox, "forbidden")

    assert (unknown, refused) == (404, 422)
    assert sandbox.ledger.charges == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 400),
        ("?webhook_url=http://example.com", 400),
        ("?webhook_url=https://localhost/hook", 400),
        ("?webhook_url=https:///hook", 400),
        ("?webhook_url=https://127.0.0.1/hook", 400),
        ("?webhook_url=https://169.254.169.254/hook", 400),
        ("?webhook_url=https://8.8.8.8/hook", 200),
        (HOOK, 200),
    ],
)
async def test_webhooks_are_public(
    http: aiohttp.ClientSession, sandbox: Sandbox, query: str, expected: int
) -> None:
    """A webhook is required, by https, on a host that anybody can reach."""
    url = sandbox.url + SUBMIT + query
    status, _ = await post(http, url, json={"text_prompt": "x"})

    assert status == expected
