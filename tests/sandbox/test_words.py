"""Words about images, driven by aiohttp alone."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from PIL import Image

from ideogram_async.requests import JsonPrompt
from ideogram_async.sandbox import Sandbox

from .plain import asked, fetched, mask, photo, png, post, written


V4 = "/v1/ideogram-v4"
LAYERIZE = "/v1/ideogram-v3/layerize-text"


def with_a_spot() -> bytes:
    """Return a dark blue picture with a yellow spot at the bottom right."""
    image = Image.new("RGB", (300, 150), (18, 30, 90))
    image.paste((250, 220, 60), (200, 100, 300, 150))
    return written(image)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (with_a_spot(), ["wide, dark", "300 x 150", "mostly dark blue (#12", "yellow"]),
        (with_a_spot(), ["Its bottom right stands out in yellow"]),
        (png("white"), ["square, bright", "64 x 64", "mostly white (#FFFFFF)."]),
        (png("#808080", (20, 90)), ["tall, even", "mostly gray"]),
        (written(mask((0, 0, 120, 200))), ["black", "white"]),
    ],
)
async def test_describe(
    http: aiohttp.ClientSession, sandbox: Sandbox, content: bytes, seen: list[str]
) -> None:
    """A description tells size, shape and colors of the very picture."""
    answer = await asked(http, sandbox.url + "/describe", ("image_file", content))
    ((description,),) = answer.values()

    assert list(answer) == ["descriptions"]
    assert [part for part in seen if part not in description["text"]] == []
    assert sandbox.ledger.images == 1


async def test_describe_knows_the_pictures_made_here(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """A picture of the sandbox is described with its prompt."""
    url = sandbox.url + "/v1/ideogram-v3/generate"
    made = await asked(http, url, ("prompt", "a fox in the snow"))
    async with http.get(made["data"][0]["url"]) as response:
        content = await response.read()
    answer = await asked(http, sandbox.url + "/describe", ("image_file", content))

    assert answer["descriptions"][0]["text"].endswith("show: a fox in the snow")


@pytest.mark.parametrize(
    ("asked_for", "box", "further"),
    [
        ((), [666, 666, 999, 999], set()),
        ((("include_bbox", "false"), ("include_tags", "true")), None, {"tags"}),
        (
            (("include_style_descriptions", "true"),),
            [666, 666, 999, 999],
            {"style_description"},
        ),
    ],
)
async def test_describe_v4(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    asked_for: tuple[tuple[str, str], ...],
    box: list[int] | None,
    further: set[str],
) -> None:
    """A structured description has the parts that were asked for, and can be sent."""
    parts = (("image_file", with_a_spot()), *asked_for)
    answer = await asked(http, sandbox.url + V4 + "/describe", *parts)
    prompt = answer["json_prompt"]
    spot = prompt["compositional_deconstruction"]["elements"][0]

    assert list(answer) == ["json_prompt"]
    assert spot.get("bbox") == box
    assert spot["type"] == "obj"
    assert "yellow" in spot["desc"]
    assert "dark blue" in prompt["compositional_deconstruction"]["background"]
    assert set(prompt) & {"style_description", "tags"} == further
    assert JsonPrompt.from_mapping(prompt)


@pytest.mark.parametrize(
    ("body", "ratio"),
    [
        ({"text_prompt": "a cat, a dog"}, "1x1"),
        ({"text_prompt": "a wide landscape"}, "16x9"),
        ({"text_prompt": "a portrait", "aspect_ratio": "AUTO"}, "3x4"),
        ({"text_prompt": "a portrait", "aspect_ratio": "4x1"}, "4x1"),
    ],
)
async def test_magic_prompt(
    http: aiohttp.ClientSession, sandbox: Sandbox, body: dict[str, Any], ratio: str
) -> None:
    """A short prompt becomes a structure that can be sent; the ratio goes with it."""
    status, answer = await post(http, sandbox.url + V4 + "/magic-prompt", json=body)
    elements = answer["json_prompt"]["compositional_deconstruction"]["elements"]

    assert status == 200
    assert answer["aspect_ratio"] == ratio
    assert len(elements) == len(body["text_prompt"].split(","))
    assert JsonPrompt.from_mapping(answer["json_prompt"])
    assert sandbox.ledger.charges == []
    _, made = await post(
        http,
        sandbox.url + V4 + "/generate",
        json={"json_prompt": answer["json_prompt"], "resolution": "1024x1024"},
    )
    assert made["data"][0]["url"]


async def test_magic_prompt_keeps_what_is_to_be_written(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """Quoted words become elements of text."""
    body = {"text_prompt": 'a shop, with a sign "Open now"'}
    _, answer = await post(http, sandbox.url + V4 + "/magic-prompt", json=body)
    elements = answer["json_prompt"]["compositional_deconstruction"]["elements"]

    assert [element.get("text") for element in elements] == [None, None, "Open now"]


async def test_layerize_text(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """The caption of a picture is taken off, and becomes a block of its words."""
    url = sandbox.url + "/v1/ideogram-v3/generate"
    made = await asked(http, url, ("prompt", "a fox"), ("seed", "5"))
    async with http.get(made["data"][0]["url"]) as response:
        content = await response.read()
    answer = await asked(
        http, sandbox.url + LAYERIZE, ("image", content), ("seed", "9")
    )
    (block,) = answer["text_blocks"]
    base = await fetched(http, answer["base_image_url"])
    original = await fetched(http, answer["original_image_url"])
    box = (
        block["x"],
        block["y"],
        block["x"] + block["width"],
        block["y"] + block["height"],
    )

    assert sorted(answer) == [
        "base_image_url",
        "original_image_url",
        "seed",
        "text_blocks",
    ]
    assert (answer["seed"], block["text"]) == (9, "a fox")
    assert original.crop(box).convert("L").getextrema()[1] == 255
    assert base.crop(box).convert("L").getextrema()[1] < 200
    assert base.crop((0, 0, 1024, box[1])).tobytes() == (
        original.crop((0, 0, 1024, box[1])).tobytes()
    )
    assert [charge.images for charge in sandbox.ledger.charges] == [1, 1]


@pytest.mark.parametrize("size", [(240, 200), (8, 8), (1, 300)])
async def test_layerize_text_of_foreign_pictures(
    http: aiohttp.ClientSession, sandbox: Sandbox, size: tuple[int, int]
) -> None:
    """A picture that was not made here has the text that the request says."""
    parts = (("image", written(photo(size))), ("prompt", "Menu"))
    answer = await asked(http, sandbox.url + LAYERIZE, *parts)
    (block,) = answer["text_blocks"]

    assert block["text"] == "Menu"
    assert 0 <= block["x"] < block["x"] + block["width"] <= size[0]
    assert 0 <= block["y"] < block["y"] + block["height"] <= size[1]
    assert (await fetched(http, answer["base_image_url"])).size == size
