"""Images made of images, driven by aiohttp alone and checked pixel by pixel."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from ideogram_async.sandbox import Sandbox

from .plain import asked, fetched, form, get, mask, photo, png, post, written


V3 = "/v1/ideogram-v3"
PAINTS = [
    (f"{V3}/inpaint", "image", ()),
    (f"{V3}/edit", "image", ()),
    ("/edit", "image_file", (("model", "V_2"),)),
]
HOLE = (60, 50, 200, 150)


def differing(first: Image.Image, second: Image.Image) -> tuple[int, ...] | None:
    """Return the box outside of which two pictures are the same; None if they are."""
    return ImageChops.difference(first.convert("RGB"), second.convert("RGB")).getbbox()


def mean(image: Image.Image) -> tuple[float, ...]:
    """Return the mean color of a picture."""
    return tuple(ImageStat.Stat(image.convert("RGB")).mean)


@pytest.mark.parametrize(("path", "field", "more"), PAINTS)
@pytest.mark.parametrize("kind", ["L", "RGB", "RGBA"])
async def test_repainting_changes_the_black_part_only(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    path: str,
    field: str,
    more: tuple[tuple[str, str], ...],
    kind: str,
) -> None:
    """Outside the black part every pixel stays; inside they change; the size stays."""
    source = photo()
    answer = await asked(
        http,
        sandbox.url + path,
        ("prompt", "a door"),
        (field, written(source)),
        ("mask", written(mask(HOLE).convert(kind))),
        *more,
    )
    result = await fetched(http, answer["data"][0]["url"])

    assert answer["data"][0]["resolution"] == "240x200"
    assert result.size == (240, 200)
    assert differing(result, source) == HOLE
    assert sandbox.ledger.images == 1


async def test_repainting_keeps_an_alpha_channel(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """A source with an alpha channel keeps it outside the black part."""
    source = photo()
    source.putalpha(77)
    answer = await asked(
        http,
        sandbox.url + PAINTS[0][0],
        ("prompt", "a door"),
        ("image", written(source)),
        ("mask", written(mask(HOLE))),
    )
    result = await fetched(http, answer["data"][0]["url"])

    assert result.getpixel((3, 3)) == source.getpixel((3, 3))
    assert result.getpixel((100, 100)) != source.getpixel((100, 100))


@pytest.mark.parametrize("target", PAINTS)
@pytest.mark.parametrize(
    ("drawn", "complaint"),
    [
        (mask(HOLE, (240, 201)), "size of the image, 240x200, got 240x201"),
        (mask(HOLE).point(lambda value: value or 1), "black and white only"),
        (Image.new("RGB", (240, 200), "red"), "black and white only"),
        (Image.new("L", (240, 200), 255), "must not be all white"),
        (mask((0, 0, 239, 20)), "black on at least 10 %"),
    ],
    ids=["size", "gray", "red", "white", "small"],
)
async def test_bad_masks_are_refused(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    target: tuple[str, str, tuple[tuple[str, str], ...]],
    drawn: Image.Image,
    complaint: str,
) -> None:
    """A mask that the service would not take is a free 400 that says why."""
    path, field, more = target
    parts = (("prompt", "x"), (field, written(photo())), ("mask", written(drawn)))
    status, answer = await post(http, sandbox.url + path, data=form(*parts, *more))

    assert status == 400
    assert complaint in answer["error"]
    assert sandbox.ledger.charges == []


async def test_a_mask_of_just_a_tenth(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """A mask that is black on exactly 10 % is taken."""
    await asked(
        http,
        sandbox.url + PAINTS[0][0],
        ("prompt", "x"),
        ("image", written(photo())),
        ("mask", written(mask((0, 0, 240, 20)))),
    )


async def test_character_masks_have_the_size_of_their_image(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """A character mask of another size is a 400; one of the same size is taken."""
    statuses = []
    for size in ((64, 64), (64, 65)):
        parts = (
            ("prompt", "x"),
            ("character_reference_images", png()),
            ("character_reference_images_mask", png("black", size)),
        )
        url = sandbox.url + V3 + "/generate"
        statuses.append((await post(http, url, data=form(*parts)))[0])

    assert statuses == [200, 400]


@pytest.mark.parametrize(
    ("path", "prompt", "field", "size"),
    [
        (f"{V3}/remix", "prompt", "image", (1024, 1024)),
        ("/v1/ideogram-v4/remix", "text_prompt", "image", (2048, 2048)),
    ],
)
async def test_remix_shows_its_source(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    path: str,
    prompt: str,
    field: str,
    size: tuple[int, int],
) -> None:
    """A remix keeps as much of its source as it was told to."""
    reds = []
    for weight in ("1", "100"):
        parts = ((prompt, "x"), (field, png()), ("image_weight", weight))
        answer = await asked(http, sandbox.url + path, *parts)
        picture = await fetched(http, answer["data"][0]["url"])
        reds.append(picture.getpixel((5, 5)))

    assert picture.size == size
    assert ("style_type" in answer["data"][0]) == ("v3" in path)
    assert reds[1] == (255, 0, 0)
    assert reds[0] != reds[1]


async def test_legacy_remix(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """A legacy remix takes its fields in an envelope, and its file beside it."""
    envelope = '{"prompt": "x", "image_weight": 100, "aspect_ratio": "ASPECT_16_9"}'
    parts = (("image_request", envelope), ("image_file", png("blue")))
    answer = await asked(http, sandbox.url + "/remix", *parts)
    picture = await fetched(http, answer["data"][0]["url"])

    assert picture.getpixel((5, 5)) == (0, 0, 255)
    assert answer["data"][0]["resolution"] == "1280x720"


@pytest.mark.parametrize(
    ("path", "field", "more"),
    [
        (f"{V3}/reframe", "image", (("resolution", "1536x512"),)),
        (
            "/reframe",
            "image_file",
            (("resolution", "RESOLUTION_1536_512"), ("model", "V_2")),
        ),
    ],
)
async def test_reframe_puts_the_source_in_the_middle(
    http: aiohttp.ClientSession,
    sandbox: Sandbox,
    path: str,
    field: str,
    more: tuple[tuple[str, str], ...],
) -> None:
    """The source is in the middle of the new size, whole; around it is a scene."""
    source = (field, png("red", (512, 512)))
    answer = await asked(http, sandbox.url + path, source, *more)
    result = await fetched(http, answer["data"][0]["url"])

    assert answer["data"][0]["resolution"] == "1536x512"
    assert result.size == (1536, 512)
    assert (
        differing(result.crop((512, 0, 1024, 512)), Image.new("RGB", (512, 512), "red"))
        is None
    )
    assert result.getpixel((500, 256)) != (255, 0, 0)


async def test_replace_background(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """The middle stays, and the corners are another scene."""
    parts = (("prompt", "a beach"), ("image", png("red", (400, 300))))
    answer = await asked(http, sandbox.url + V3 + "/replace-background", *parts)
    result = await fetched(http, answer["data"][0]["url"])

    assert result.size == (400, 300)
    assert result.getpixel((200, 150)) == (255, 0, 0)
    assert (255, 0, 0) not in {result.getpixel(p) for p in ((2, 2), (397, 2))}


async def test_remove_background(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """One entry with a link and nothing else; the corners of the picture are gone."""
    image = ("image", png("red", (400, 300)))
    answer = await asked(http, sandbox.url + "/v1/remove-background", image)
    (entry,) = answer["data"]
    result = await fetched(http, entry["url"])

    assert sorted(answer) == ["created", "data"]
    assert sorted(entry) == ["is_image_safe", "url"]
    assert (result.mode, result.size) == ("RGBA", (400, 300))
    assert result.getpixel((200, 150)) == (255, 0, 0, 255)
    assert [result.getpixel(p)[3] for p in ((0, 0), (399, 299))] == [0, 0]
    assert [c.images for c in sandbox.ledger.charges] == [1]


async def test_upscale(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """Width and height double, both sizes are told, and it is billed by the input."""
    parts = (("image_request", '{"num_images": 2}'), ("image_file", written(photo())))
    answer = await asked(http, sandbox.url + "/upscale", *parts)
    entry = answer["data"][0]
    result = await fetched(http, entry["url"])

    assert (entry["resolution"], entry["upscaled_resolution"]) == ("240x200", "480x400")
    assert result.size == (480, 400)
    near = zip(mean(result), mean(photo()), strict=True)
    assert all(abs(a - b) < 8 for a, b in near)
    assert entry["prompt"]
    assert (len(answer["data"]), sandbox.ledger.images) == (2, 1)
    assert sandbox.ledger.most_in_progress == 2


async def test_try_on(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """The person is around the clothing; the prompt is the documented one."""
    parts = (("image", png("blue", (400, 600))), ("product_reference_images", png()))
    answer = await asked(http, sandbox.url + V3 + "/try-on", *parts)
    result = await fetched(http, answer["data"][0]["url"])

    assert answer["data"][0]["prompt"] == "Person wearing this piece of clothing"
    assert result.size == (400, 600)
    assert result.getpixel((200, 300)) == (255, 0, 0)
    assert result.getpixel((5, 5)) == (0, 0, 255)


async def test_edit_with_prompt(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """The first source is blended in, in its size; the second is shown on it."""
    parts = (
        ("prompt", "both"),
        ("seed", "4"),
        ("images", png("blue", (600, 420))),
        ("images", png("red")),
    )
    answer = await asked(http, sandbox.url + "/v1/edit", *parts)
    result = await fetched(http, answer["data"][0]["url"])

    assert answer["data"][0]["resolution"] == "600x420"
    assert result.getpixel((40, 40)) == (255, 0, 0)
    assert result.getpixel((590, 5))[2] > 160


async def test_edit_of_links(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """Links that the sandbox gave are sources too; others are a 400."""
    url = sandbox.url + "/v1/edit"
    image = ("image_file", png("red", (300, 200)))
    made = await asked(http, sandbox.url + "/upscale", ("image_request", "{}"), image)
    for _ in range(2):
        link = made["data"][0]["url"]
        parts = (("prompt", "more"), ("image_urls", link))
        made = await asked(http, url, *parts)
        assert made["data"][0]["resolution"] == "600x400"
    result = await fetched(http, made["data"][0]["url"])
    foreign = form(("prompt", "x"), ("image_urls", "https://example.com/a.png"))

    assert result.getpixel((300, 100))[0] > 100
    assert (await post(http, url, data=foreign))[0] == 400


@pytest.mark.parametrize(
    ("is_transparent", "mode"), [("true", "RGBA"), ("false", "RGB")]
)
async def test_edit_without_images(
    http: aiohttp.ClientSession, sandbox: Sandbox, is_transparent: str, mode: str
) -> None:
    """Images may be left out; the background is transparent if that is asked for."""
    parts = (("prompt", "x"), ("transparent_background", is_transparent))
    answer = await asked(http, sandbox.url + "/v1/edit", *parts)
    result = await fetched(http, answer["data"][0]["url"])

    assert (result.mode, result.size) == (mode, (1024, 1024))
    assert mode == "RGB" or result.getchannel("A").getextrema() == (0, 255)


async def test_any_kind_of_file_is_a_source(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """Palettes, gray pictures, JPEG and WebP files are sources."""
    with_hole = photo().quantize(8)
    with_hole.info["transparency"] = 0
    sources = (
        written(with_hole),
        written(ImageOps.grayscale(photo())),
        written(photo(), "JPEG"),
        written(photo(), "WEBP"),
    )
    for source in sources:
        answer = await asked(
            http, sandbox.url + "/v1/remove-background", ("image", source)
        )
        assert (await fetched(http, answer["data"][0]["url"])).mode == "RGBA"


async def test_the_word_in_a_file_name(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """An image that the safety check refuses, by its name, is a free 422."""
    bodies: list[Any] = [
        await post(http, sandbox.url + path, data=form((field, png())))
        for path, field in (
            ("/describe", "image_file/forbidden.png"),
            (f"{V3}/layerize-text", "image/forbidden.png"),
        )
    ]

    assert [status for status, _ in bodies] == [422, 200]
    assert bodies[0][1] == {
        "error": "Image provided failed safety check due to the inclusion of"
        " prohibited content."
    }
    assert sandbox.ledger.images == 1
    assert (await get(http, sandbox.url + "/models"))[0] == 200
