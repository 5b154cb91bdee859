"""Images from prompts and designs, driven by aiohttp alone."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp
import pytest
from PIL import Image, ImageStat
from PIL.PngImagePlugin import PngInfo

from ideogram_async.sandbox import Sandbox

from .plain import asked, fetched, form, mask, photo, png, post, written


V3 = "/v1/ideogram-v3"
V4 = "/v1/ideogram-v4"


@pytest.mark.parametrize(
    ("factor", "upscaled", "size"),
    [
        ("X1", None, (832, 1248)),
        ("X2", "1664x2496", (1664, 2496)),
        ("X4", "3328x4992", (3328, 4992)),
    ],
)
async def test_transparent(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    factor: str,
    upscaled: str | None,
    size: tuple[int, int],
) -> None:
    """The background is really transparent, and the picture as large as told."""
    parts = (("prompt", "a logo"), ("aspect_ratio", "2x3"), ("upscale_factor", factor))
    answer = await asked(http, sandbox.url + V3 + "/generate-transparent", *parts)
    (entry,) = answer["data"]
    result = await fetched(http, entry["url"])

    assert (entry["resolution"], entry.get("upscaled_resolution")) == (
        "832x1248",
        upscaled,
    )
    assert (result.mode, result.size) == ("RGBA", size)
    corners = [(0, 0), (size[0] - 1, 0), (0, size[1] - 1), (size[0] - 1, size[1] - 1)]
    assert {result.getpixel(corner)[3] for corner in corners} == {0}
    assert result.getpixel((size[0] // 2, size[1] // 3))[3] == 255


@pytest.mark.parametrize(
    ("asked_for", "resolution"),
    [
        ({}, "1024x1024"),
        ({"aspect_ratio": "ASPECT_10_16"}, "640x1024"),
        ({"aspect_ratio": "ASPECT_3_1"}, "1536x512"),
        ({"resolution": "RESOLUTION_1344_640"}, "1344x640"),
    ],
)
async def test_legacy_generate(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    asked_for: dict[str, str],
    resolution: str,
) -> None:
    """A legacy request has its fields in an envelope, and the legacy sizes."""
    fields = {"prompt": "a cat", "magic_prompt_option": "ON", **asked_for}
    url = sandbox.url + "/generate"
    status, answer = await post(http, url, json={"image_request": fields})

    assert status == 200
    assert answer["data"][0]["resolution"] == resolution
    assert answer["data"][0]["prompt"].startswith("a cat, ")
    assert (await post(http, url, json=fields))[0] == 400


JSON_PROMPT = {
    "high_level_description": "a red square on white",
    "style_description": {"color_palette": ["#FF0000", "#FFFFFF"]},
    "compositional_deconstruction": {
        "background": "white",
        "elements": [{"type": "obj", "desc": "square", "bbox": [1, 2, 3, 4]}],
    },
}


@pytest.mark.parametrize(
    ("body", "prompt", "resolution"),
    [
        ({"text_prompt": "a cat"}, "a cat, in rich detail", "2048x2048"),
        (
            {"json_prompt": JSON_PROMPT, "resolution": "1120x896"},
            "a red square on white",
            "1120x896",
        ),
    ],
)
async def test_generate_v4(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    body: dict[str, Any],
    prompt: str,
    resolution: str,
) -> None:
    """A text is rewritten and a structure is not; images have no style type."""
    status, answer = await post(http, sandbox.url + V4 + "/generate", json=body)
    (entry,) = answer["data"]
    result = await fetched(http, entry["url"])

    assert status == 200
    assert answer["response_type"] == "url"
    assert sorted(entry) == ["is_image_safe", "prompt", "resolution", "seed", "url"]
    assert entry["prompt"].startswith(prompt)
    assert (prompt == entry["prompt"]) == ("json_prompt" in body)
    assert entry["resolution"] == resolution == f"{result.width}x{result.height}"


@pytest.mark.parametrize(
    ("palette", "channel"),
    [
        ({"name": "EMBER"}, 0),
        ({"name": "JUNGLE"}, 1),
        ({"name": "ULTRAMARINE"}, 2),
        ({"members": [{"color_hex": "#00f"}]}, 2),
        (
            {
                "members": [
                    {"color_hex": "#10c010", "color_weight": 0.9},
                    {"color_hex": "#f0f0f0", "color_weight": 0.1},
                ]
            },
            1,
        ),
    ],
)
async def test_palettes_tint_the_scene(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    palette: dict[str, Any],
    channel: int,
) -> None:
    """The colors that were asked for are those of the picture, whatever the seed."""
    for seed in ("1", "2", "3"):
        parts = (
            ("prompt", "x"),
            ("seed", seed),
            ("color_palette", json.dumps(palette)),
        )
        answer = await asked(http, sandbox.url + V3 + "/generate", *parts)
        result = await fetched(http, answer["data"][0]["url"])
        means = ImageStat.Stat(result.convert("RGB")).mean
        assert means.index(max(means)) == channel


async def test_a_palette_in_a_structured_prompt(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """The colors of a structured prompt are used too; without some, the seed's are."""
    reds = []
    for style in ({"color_palette": ["#ff0000"]}, {"medium": "oil"}):
        body = {
            "seed": 1,
            "resolution": "1024x1024",
            "json_prompt": {**JSON_PROMPT, "style_description": style},
        }
        _, answer = await post(http, sandbox.url + V4 + "/generate", json=body)
        result = await fetched(http, answer["data"][0]["url"])
        red, green, _ = ImageStat.Stat(result.convert("RGB")).mean
        reds.append(red > 3 * green)

    assert reds == [True, False]


async def test_references_are_shown(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """References can be seen, small, on the picture."""
    parts = (("prompt", "x"), ("style_reference_images", png("#00ff00")))
    answer = await asked(http, sandbox.url + V3 + "/generate", *parts)
    result = await fetched(http, answer["data"][0]["url"])

    assert result.getpixel((100, 100)) == (0, 255, 0)


async def test_generate_design(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """A design has its texts apart, as boxes and HTML, and where its pictures are."""
    parts = (
        ("prompt", 'a poster "Jazz & Blues" and "Friday"'),
        ("aspect_ratio", "3x4"),
        ("font_name_h2", "Futura"),
        ("font_file_h1/bold.ttf", b"a font"),
        ("reference_asset_images", png("#00ff00")),
        ("reference_asset_images", png("#0000ff")),
    )
    answer = await asked(http, sandbox.url + V3 + "/generate-design", *parts)
    (entry,) = answer["data"]
    result = await fetched(http, entry["url"])
    items = [item for each in entry["text_containers"] for item in each["items"]]
    texts = [item["spans"][0]["text"] for item in items]

    assert answer["response_type"] == "layered"
    assert texts == ["Jazz & Blues", "Friday", "made in the sandbox"]
    assert [item["style_class"] for item in items] == ["h1", "h2", "small"]
    assert [item["font_file"] for item in items] == ["bold.ttf", "Futura", None]
    assert "<h1>Jazz &amp; Blues</h1>" in entry["text_html"]
    assert [layer.get("ref_id") for layer in entry["image_layers"]] == [
        None,
        "reference_asset_images[0]",
        "reference_asset_images[1]",
    ]
    for layer, color in zip(
        entry["image_layers"][1:], [(0, 255, 0), (0, 0, 255)], strict=True
    ):
        assert result.getpixel((layer["x"] + 9, layer["y"] + 9)) == color
    for item in items:
        box = (
            item["x"],
            item["y"],
            item["x"] + item["width"],
            item["y"] + item["height"],
        )
        assert result.crop(box).convert("L").getextrema()[1] > 240


async def test_layerize_design_finds_the_texts_again(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """The texts of a design made here are found, and the picture comes without them."""
    made = await asked(
        http, sandbox.url + V3 + "/generate-design", ("prompt", '"One" and "Two"')
    )
    flat = await fetched(http, made["data"][0]["url"])
    answer = await asked(
        http,
        sandbox.url + V3 + "/layerize-design",
        ("flat_graphic_image", written_with_words(flat)),
        ("prompt", "forbidden words are no matter here"),
    )
    (entry,) = answer["data"]
    result = await fetched(http, entry["url"])
    items = [item for each in entry["text_containers"] for item in each["items"]]

    assert [item["spans"][0]["text"] for item in items][:2] == ["One", "Two"]
    item = items[0]
    box = (item["x"], item["y"], item["x"] + item["width"], item["y"] + item["height"])
    spread = [ImageStat.Stat(each.crop(box)).stddev[0] for each in (flat, result)]
    assert spread[1] < spread[0]
    assert result.size == flat.size


def written_with_words(image: Image.Image) -> bytes:
    """Return a PNG file that keeps the words that were in *image*'s file."""
    inside = PngInfo()
    inside.add_itxt("Description", str(image.info["Description"]))
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=inside)
    return file.getvalue()


async def test_layerize_design_of_a_foreign_picture(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """A picture that was not made here has one text, of its size for want of words."""
    image = ("flat_graphic_image", written(photo()))
    answer = await asked(http, sandbox.url + V3 + "/layerize-design", image)
    (container,) = answer["data"][0]["text_containers"]

    assert container["items"][0]["spans"][0]["text"] == "240 x 200"
    assert answer["data"][0]["prompt"] == "240 x 200"
    assert sandbox.ledger.images == 1


SAFE_PARTS = {
    f"{V3}/remix": (("image", png()),),
    f"{V3}/inpaint": (
        ("image", written(photo())),
        ("mask", written(mask((0, 0, 240, 99)))),
    ),
    f"{V3}/replace-background": (("image", png()),),
    "/v1/edit": (),
    f"{V3}/generate-transparent": (),
    f"{V3}/generate-design": (),
}


@pytest.mark.parametrize("path", SAFE_PARTS)
async def test_the_safety_check_is_everywhere(
    http: aiohttp.ClientSession, sandbox: Sandbox, path: str
) -> None:
    """Operations with a prompt refuse some, free, and withhold some, billed."""
    statuses = []
    for prompt in ("forbidden", "withheld"):
        parts = form(("prompt", prompt), *SAFE_PARTS[path])
        status, answer = await post(http, sandbox.url + path, data=parts)
        statuses.append(status)

    assert statuses == [422, 200]
    assert answer["data"][0]["url"] is None
    assert answer["data"][0]["is_image_safe"] is False
    assert sandbox.ledger.times_billed == {"withheld": 1}
