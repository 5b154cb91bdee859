"""The sandbox, driven by aiohttp alone: it must keep the service's documented facts."""

from __future__ import annotations

import asyncio
import io
import json
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from PIL import Image

from ideogram_async import GenerateV3, SubmitGenerateV4
from ideogram_async.requests import REQUESTS
from ideogram_async.sandbox import Sandbox, Service, app
from ideogram_async.sandbox.service import ANSWERS

from .plain import KEY, form, png, post


GENERATE = "/v1/ideogram-v3/generate"
REMIX = "/v1/ideogram-v3/remix"


async def succeed(http: aiohttp.ClientSession, url: str) -> None:
    """Post a plain request, which must succeed."""
    status, _ = await post(http, url, json={"prompt": "x"})
    assert status == 200


@pytest.mark.parametrize(
    "options",
    [
        {"json": {"prompt": "a cat", "num_images": 2, "aspect_ratio": "16x9"}},
        {
            "data": form(
                ("prompt", "a cat"), ("num_images", "2"), ("aspect_ratio", "16x9")
            )
        },
    ],
    ids=["json", "multipart"],
)
async def test_generate(http: aiohttp.ClientSession, options: dict[str, Any]) -> None:
    """Generate answers in the documented shape, for both body types."""
    async with Sandbox(latency=0) as sandbox:
        status, answer = await post(http, sandbox.url + GENERATE, **options)

    assert status == 200
    assert sorted(answer) == ["created", "data"]
    assert [sorted(image) for image in answer["data"]] == [
        ["is_image_safe", "prompt", "resolution", "seed", "style_type", "url"]
    ] * 2
    assert {image["resolution"] for image in answer["data"]} == {"1312x736"}
    assert sandbox.ledger.images == 2


async def test_links_serve_pictures_of_the_asked_size(
    http: aiohttp.ClientSession,
) -> None:
    """A link gives a PNG of the asked size; the same seed gives the same picture."""
    async with Sandbox(latency=0) as sandbox:
        pictures = []
        for _ in range(2):
            body = {"prompt": "a cat", "seed": 7, "resolution": "640x1536"}
            _, answer = await post(http, sandbox.url + GENERATE, json=body)
            async with http.get(answer["data"][0]["url"]) as response:
                pictures.append(await response.read())

    assert response.content_type == "image/png"
    assert Image.open(io.BytesIO(pictures[0])).size == (640, 1536)
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "prompt is required"),
        ({"prompt": " "}, "prompt must not be blank"),
        ({"prompt": "x", "num_images": 9}, "num_images must be in [1, 8], got 9"),
        ({"prompt": "x", "seed": "many"}, "seed must be of type int, got 'many'"),
        ({"prompt": "x", "colour": "red"}, "colour is no field of GenerateV3"),
        (
            {"prompt": "x", "resolution": "1024x1024", "aspect_ratio": "1x1"},
            "resolution and aspect_ratio exclude each other",
        ),
        ({"prompt": "x", "color_palette": {"name": "GREY"}}, "name must be one of"),
        ({"prompt": "x", "color_palette": "GREY"}, "color_palette is not JSON"),
        ({"prompt": "x", "color_palette": [1]}, "color_palette must be a JSON object"),
    ],
)
async def test_bad_fields_are_refused(
    http: aiohttp.ClientSession, body: dict[str, Any], complaint: str
) -> None:
    """A bad field is a 400 that names it, and is not billed."""
    async with Sandbox(latency=0) as sandbox:
        status, answer = await post(http, sandbox.url + GENERATE, json=body)

    assert status == 400
    assert complaint in answer["error"]
    assert sandbox.ledger.charges == []


@pytest.mark.parametrize(
    "options",
    [
        {"data": b"{", "headers": KEY | {"Content-Type": "application/json"}},
        {"data": b"x", "headers": KEY | {"Content-Type": "text/plain"}},
        {"data": form(("prompt", "x"), ("prompt", "y"))},
    ],
    ids=["broken JSON", "other type", "field given twice"],
)
async def test_bad_bodies_are_refused(
    http: aiohttp.ClientSession, options: dict[str, Any]
) -> None:
    """A body that can't be read is a 400."""
    async with Sandbox(latency=0) as sandbox:
        status, answer = await post(http, sandbox.url + GENERATE, **options)

    assert status == 400
    assert answer["error"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [(GENERATE, 401), (REMIX, 403), ("/upscale", 403), ("/remix", 403)],
)
@pytest.mark.parametrize("headers", [{}, {"Api-Key": "wrong"}])
async def test_keys_are_checked(
    http: aiohttp.ClientSession, path: str, expected: int, headers: dict[str, str]
) -> None:
    """A missing or wrong key is refused, with the status documented for the path."""
    async with Sandbox(latency=0, api_key="right") as sandbox:
        status, _ = await post(http, sandbox.url + path, json={}, headers=headers)
        right, _ = await post(
            http,
            sandbox.url + GENERATE,
            json={"prompt": "x"},
            headers={"Api-Key": "right"},
        )

    assert (status, right) == (expected, 200)


async def test_the_limit_counts_images(http: aiohttp.ClientSession) -> None:
    """A request for four images takes four places; above the limit is a 429."""
    async with Sandbox(latency=0.2, spread=0, limit=10) as sandbox:
        url = sandbox.url + GENERATE
        bodies = [{"prompt": f"p{n}", "num_images": 4} for n in range(3)]
        results = await asyncio.gather(*(post(http, url, json=b) for b in bodies))
        again, _ = await post(http, url, json=bodies[0])

    refused = [answer for status, answer in results if status == 429]
    assert [status for status, _ in results].count(200) == 2
    assert refused == [
        {
            "error": "Too many images in progress: 8 of 10.",
            "reject_reason": "inflight_limit",
        }
    ]
    assert again == 200
    assert (sandbox.ledger.refusals, sandbox.ledger.most_in_progress) == (1, 8)


async def test_a_refusal_can_name_the_limit(http: aiohttp.ClientSession) -> None:
    """With `names_limit`, a 429 carries `max_inflight_requests`."""
    async with Sandbox(latency=0.1, limit=1, names_limit=True) as sandbox:
        url, body = sandbox.url + GENERATE, {"prompt": "x"}
        results = await asyncio.gather(*(post(http, url, json=body) for _ in "ab"))

    assert dict(results)[429]["max_inflight_requests"] == 1


async def test_safety(http: aiohttp.ClientSession) -> None:
    """A refused prompt is a free 422; a withheld image is billed and has no link."""
    async with Sandbox(latency=0) as sandbox:
        url = sandbox.url + GENERATE
        refused = await post(http, url, json={"prompt": "something Forbidden"})
        _, withheld = await post(http, url, json={"prompt": "withheld, please"})

    assert refused == (
        422,
        {
            "error": "Prompt provided failed safety check due to the inclusion of"
            " prohibited content."
        },
    )
    assert withheld["data"][0]["is_image_safe"] is False
    assert withheld["data"][0]["url"] is None
    assert sandbox.ledger.times_billed == {"withheld, please": 1}


async def test_funds_run_out(http: aiohttp.ClientSession) -> None:
    """With a balance, a request that it does not cover is a free 402."""
    async with Sandbox(latency=0, balance=3) as sandbox:
        url, body = sandbox.url + GENERATE, {"prompt": "x", "num_images": 2}
        statuses = [(await post(http, url, json=body))[0] for _ in range(2)]

    assert statuses == [200, 402]
    assert sandbox.ledger.images == 2


@pytest.mark.parametrize("life", [-1, 86_400])
async def test_links_expire(http: aiohttp.ClientSession, life: float) -> None:
    """A link dies at its `exp`, and one that was tampered with never lived."""
    async with Sandbox(latency=0, link_life=life) as sandbox:
        _, answer = await post(http, sandbox.url + GENERATE, json={"prompt": "x"})
        url = answer["data"][0]["url"]
        statuses = []
        for link in (url, url.replace("exp=", "exp=9")):
            async with http.get(link) as response:
                statuses.append(response.status)

    assert statuses == [200 if life > 0 else 403, 403]


async def test_magic_prompt_rewrites(http: aiohttp.ClientSession) -> None:
    """With magic prompt on, the answer tells the prompt really used."""
    async with Sandbox(latency=0) as sandbox:
        body = {"prompt": "a cat", "magic_prompt": "ON"}
        _, answer = await post(http, sandbox.url + GENERATE, json=body)

    assert answer["data"][0]["prompt"].startswith("a cat, ")


async def test_remix_shows_its_source(http: aiohttp.ClientSession) -> None:
    """A remix keeps as much of its source as it was told to."""
    async with Sandbox(latency=0) as sandbox:
        reds = []
        for weight in ("1", "100"):
            data = form(("prompt", "x"), ("image", png()), ("image_weight", weight))
            _, answer = await post(http, sandbox.url + REMIX, data=data)
            async with http.get(answer["data"][0]["url"]) as response:
                picture = Image.open(io.BytesIO(await response.read()))
            reds.append(picture.getpixel((5, 5)))

    assert reds[1] == (255, 0, 0)
    assert reds[0] != reds[1]


async def test_list_parts_with_and_without_brackets(
    http: aiohttp.ClientSession,
) -> None:
    """Parts of a list are taken under both spellings of their name."""
    async with Sandbox(latency=0) as sandbox:
        statuses = []
        for name in ("style_reference_images", "style_reference_images[]"):
            data = form(("prompt", "x"), (name, png()), (name, png("blue")))
            statuses.append((await post(http, sandbox.url + GENERATE, data=data))[0])

    assert statuses == [200, 200]


async def test_a_broken_image_is_refused(http: aiohttp.ClientSession) -> None:
    """A file that only begins like an image is a 400."""
    async with Sandbox(latency=0) as sandbox:
        data = form(("prompt", "x"), ("image", png()[:40]))
        status, answer = await post(http, sandbox.url + REMIX, data=data)

    assert (status, answer["error"]) == (400, "image is not an image that can be read")


@pytest.mark.parametrize(
    ("fault", "billed"),
    [
        ("error_before", 0),
        ("reset_before", 0),
        ("error", 1),
        ("reset", 1),
        ("truncate", 1),
        ("garble", 1),
        ("hang", 1),
    ],
)
async def test_faults(http: aiohttp.ClientSession, fault: Any, billed: int) -> None:
    """Each fault spoils the answer, and bills only if the request ran."""
    async with Sandbox(latency=0, faults={fault: 1.0}) as sandbox:
        with pytest.raises(
            (AssertionError, aiohttp.ClientError, json.JSONDecodeError, TimeoutError)
        ):
            await asyncio.wait_for(succeed(http, sandbox.url + GENERATE), 0.3)

    assert len(sandbox.ledger.charges) == billed


def test_an_unknown_fault() -> None:
    """A fault that does not exist is refused by name."""
    with pytest.raises(ValueError, match="unknown fault 'flood': choose from"):
        Sandbox(faults={"flood": 1.0})  # type: ignore[dict-item]


async def test_some_requests_meet_no_fault(http: aiohttp.ClientSession) -> None:
    """A rate below 1 lets the other requests pass."""
    async with Sandbox(latency=0, faults={"error": 0.5}) as sandbox:
        url, body = sandbox.url + GENERATE, {"prompt": "x"}
        statuses = {(await post(http, url, json=body))[0] for _ in range(20)}

    assert statuses == {200, 500}


def test_runs_in_a_thread() -> None:
    """Code that is not async gets a sandbox too."""
    with Sandbox(latency=0).running() as sandbox:

        async def ask() -> int:
            async with aiohttp.ClientSession() as http:
                return (await post(http, sandbox.url + GENERATE, json={"prompt": "x"}))[
                    0
                ]

        assert asyncio.run(ask()) == 200


async def test_the_service_without_http() -> None:
    """The service answers without HTTP too, with names in place of links."""
    service = Service(latency=0)
    answer = await service.run(GenerateV3("a cat"))

    assert list(service.pictures) == [answer["data"][0]["url"]]


def test_a_connection_that_is_gone_can_be_dropped() -> None:
    """Dropping a connection that the client has closed already is no error."""
    gone: Any = SimpleNamespace(transport=None)

    assert app._dropped(gone).status == 200


def test_every_operation_is_served() -> None:
    """Every request class has its answer; one is submitted by the service itself."""
    assert {*ANSWERS, SubmitGenerateV4} == set(REQUESTS.values())


async def test_stopping_what_never_started() -> None:
    """A sandbox that did not start can be stopped."""
    await Sandbox().__aexit__(None, None, None)
