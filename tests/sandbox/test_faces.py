"""Every gateway's face, driven by aiohttp alone: what its page documents, nothing else.

The requests are those in `tests/samples`, which were made from the gateways' published
pages; only the files in them are real pictures here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from PIL import Image

from ideogram_async import ConfigurationError
from ideogram_async.providers import PROVIDERS, Pixazo
from ideogram_async.sandbox import Sandbox

from ..wire_samples import SAMPLES, read
from .plain import fetched, form, mask, photo, png, written


GATEWAYS = ("openai-hk", "aihubmix", "kkiai", "pixazo")
KEYS = {
    "ideogram": {"Api-Key": "any"},
    "openai-hk": {"Authorization": "Bearer any"},
    "aihubmix": {"Api-Key": "any"},
    "kkiai": {"Authorization": "Bearer any"},
    "pixazo": {"Ocp-Apim-Subscription-Key": "any"},
}
GENERATE = {
    "ideogram": "/generate",
    "openai-hk": "/ideogram/generate",
    "aihubmix": "/ideogram/generate",
    "kkiai": "/ideogram/generate",
    "pixazo": "/ideogramV_2/v1/generate",
}
V_2, TURBO = "/ideogramV_2/v1", "/ideogramV_2_Turbo/v1"
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP"}
SIZE = (64, 64)
REQUESTS = [
    path
    for gateway in GATEWAYS
    for path in sorted((SAMPLES / gateway).glob("*/*.json"))
    if not path.stem.startswith("answer")
]
ANSWERS = [
    path
    for gateway in GATEWAYS
    for path in sorted((SAMPLES / gateway).glob("*/answer*.json"))
]

Answered = tuple[int, dict[str, Any]]


def label(path: Path) -> str:
    """Return gateway, request class and name of a sample."""
    return path.relative_to(SAMPLES).with_suffix("").as_posix()


def picture(name: str) -> bytes:
    """Return a real picture for the file *name* of a sample."""
    image = mask((0, 0, 32, 64), SIZE) if "mask" in name else photo(SIZE)
    return written(image, FORMATS[Path(name).suffix])


def body(sample: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a recorded request, as aiohttp takes it."""
    if "json" in sample:
        return {"json": sample["json"]}
    data = aiohttp.FormData(default_to_multipart=True, quote_fields=False)
    for name, filename, media_type, value in sample["parts"]:
        text = json.dumps(value) if isinstance(value, dict) else value
        content = text if filename is None else picture(filename)
        data.add_field(name, content, filename=filename, content_type=media_type)
    return {"data": data}


async def post(
    http: aiohttp.ClientSession, face: Sandbox, path: str, **options: Any
) -> Answered:
    """Post to *path* of the host with a key, and return status and JSON answer."""
    parts = urlsplit(face.url)
    url = f"{parts.scheme}://{parts.netloc}{path}"
    options = {"headers": KEYS[face.provider.name], **options}
    async with http.post(url, **options) as response:
        is_json = response.content_type == "application/json"
        return response.status, await response.json() if is_json else {}


async def sent(
    http: aiohttp.ClientSession, gateway: str, path: str, **options: Any
) -> Answered:
    """Post to *path* of a face of its own."""
    async with Sandbox(provider=gateway, latency=0) as face:
        return await post(http, face, path, **options)


def keys(answer: Any) -> Any:
    """Return the names in *answer*, in its own structure, without the values."""
    if isinstance(answer, dict):
        return {name: keys(value) for name, value in answer.items()}
    return [keys(each) for each in answer] if isinstance(answer, list) else ...


def plain(gateway: str, **fields: Any) -> dict[str, Any]:
    """Return the body of a legacy generation."""
    model = {"model": "V_2"} if gateway == "pixazo" else {}
    return {"image_request": {"prompt": "a cat", **model, **fields}}


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("ideogram", ""),
        ("openai-hk", "/ideogram"),
        ("aihubmix", "/ideogram"),
        ("kkiai", "/ideogram"),
        ("pixazo", ""),
        (Pixazo, ""),
    ],
)
async def test_the_address_is_that_of_a_client(provider: Any, path: str) -> None:
    """The address is what a client of that provider takes, with the gateway's path."""
    async with Sandbox(provider=provider, latency=0) as face:
        parts = urlsplit(face.url)

    assert (parts.hostname, parts.path) == ("127.0.0.1", path)
    assert face.provider is PROVIDERS.get(provider, provider)


def test_unknown_faces() -> None:
    """An unknown name is refused with those that are known."""
    with pytest.raises(ConfigurationError, match=r"'nobody': .*openai-hk.*pixazo"):
        Sandbox(provider="nobody")


@pytest.mark.parametrize("path", REQUESTS, ids=label)
async def test_documented_requests_are_taken(
    http: aiohttp.ClientSession, path: Path
) -> None:
    """Every documented request is answered, with every seed and number as asked."""
    sample = read(path)
    status, answer = await sent(
        http, path.parts[-3], sample["path"], **body(sample), headers=key_of(sample)
    )

    assert status == 200, answer
    asked = sample["request"]
    images = answer.get("data", [])
    if isinstance(images, list) and images:
        assert len(images) == asked.get("num_images", 1)
        if "seed" in asked and "seed" in images[0]:
            assert images[0]["seed"] == asked["seed"]


def key_of(sample: dict[str, Any]) -> dict[str, str]:
    """Return the header fields of a recorded request but its content type."""
    return {n: v for n, v in sample["headers"].items() if n != "Content-Type"}


@pytest.mark.parametrize("path", ANSWERS, ids=label)
async def test_documented_answers(http: aiohttp.ClientSession, path: Path) -> None:
    """An answer has the names of the printed one: all of its "Response" at Pixazo.

    The "Output" that Pixazo prints beside each "Response" is a shorter form of it.
    """
    sample = read(path.with_name("minimal.json"))
    target = sample["path"]
    if path.stem.startswith("answer-turbo"):
        target = target.replace(V_2, TURBO)
    status, answer = await sent(http, path.parts[-3], target, **body(sample))

    assert status == 200, answer
    names, printed = keys(answer), keys(read(path))
    if path.stem.endswith("output"):
        assert names.keys() == printed.keys()
        (names,), (printed,) = (
            each["data"] if isinstance(each["data"], list) else [each["data"]]
            for each in (names, printed)
        )
        assert names.keys() >= printed.keys()
    else:
        assert names == printed


async def test_the_official_answer(http: aiohttp.ClientSession) -> None:
    """The official answer has the printed names, without a size after upscaling."""
    printed = keys(read(SAMPLES / "ideogram/GenerateLegacy/answer.json"))
    del printed["data"][0]["upscaled_resolution"]
    _, answer = await sent(http, "ideogram", "/generate", json=plain("ideogram"))

    assert keys(answer) == printed


async def test_the_style_at_kkiai_is_null(http: aiohttp.ClientSession) -> None:
    """KKIAI says no style, whatever was asked for."""
    given = plain("kkiai", style_type="ANIME", num_images=2)
    _, answer = await sent(http, "kkiai", "/ideogram/generate", json=given)

    assert [image["style_type"] for image in answer["data"]] == [None, None]


async def test_upscaled_images_of_openai_hk(http: aiohttp.ClientSession) -> None:
    """OpenAI-HK says the size after upscaling as the resolution."""
    parts = ("image_request", "{}"), ("image_file", png())
    _, answer = await sent(http, "openai-hk", "/ideogram/upscale", data=form(*parts))

    assert answer["data"][0]["resolution"] == "128x128"


async def test_edits_of_pixazo(http: aiohttp.ClientSession) -> None:
    """V_2 links both images, and repaints all where there is no mask."""
    source = photo()
    parts = [("prompt", "a dog"), ("model", "V_2"), ("image_file", written(source))]
    async with Sandbox(provider="pixazo", latency=0) as face:
        _, whole = await post(http, face, V_2 + "/edit", data=form(*parts))
        parts.append(("mask", written(mask((0, 0, 120, 200)))))
        _, part = await post(http, face, V_2 + "/edit", data=form(*parts))
        originals = [
            await fetched(http, answer["data"][0]["original_image"])
            for answer in (whole, part)
        ]
        all_new, half = [
            await fetched(http, answer["data"][0]["edited_image"])
            for answer in (whole, part)
        ]

    assert whole["data"][0]["model_used"] == "V_2"
    assert all(same(image, source) for image in originals)
    right = (130, 0, 240, 200)
    assert same(half.crop(right), source.crop(right))
    assert not same(all_new.crop(right), source.crop(right))
    assert all_new.size == source.size


def same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures have the same pixels."""
    return one.convert("RGB").tobytes() == other.convert("RGB").tobytes()


@pytest.mark.parametrize(("weight", "said"), [({}, 50), ({"image_weight": 7}, 7)])
async def test_remixes_of_pixazo(
    http: aiohttp.ClientSession, weight: dict[str, int], said: int
) -> None:
    """V_2 says the weight and the model, and links the image by another name."""
    request = json.dumps({"prompt": "a dog", "model": "V_2", **weight})
    parts = ("image_request", request), ("image_file", png())
    async with Sandbox(provider="pixazo", latency=0) as face:
        _, answer = await post(http, face, V_2 + "/remix", data=form(*parts))
        (image,) = answer["data"]
        shown = await fetched(http, image["image_url"])

    assert (image["image_weight"], image["model_used"]) == (said, "V_2")
    assert f"{shown.width}x{shown.height}" == image["resolution"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (V_2 + "/generate", "url"),
        (V_2 + "/edit", "edited_image"),
        (V_2 + "/remix", "image_url"),
        (TURBO + "/edit", "url"),
        (TURBO + "/remix", "url"),
    ],
)
async def test_withheld_images_have_no_link(
    http: aiohttp.ClientSession, path: str, name: str
) -> None:
    """An image that is withheld has null for a link, whatever the link is called."""
    request = {"prompt": "withheld", "model": "V_2"}
    flat = form(*request.items(), ("image_file", png()))
    nested = form(("image_request", json.dumps(request)), ("image_file", png()))
    options = {
        "generate": {"json": {"image_request": request}},
        "edit": {"data": flat},
        "remix": {"data": nested},
    }[path.rpartition("/")[2]]
    status, answer = await sent(http, "pixazo", path, **options)

    (image,) = answer["data"]
    assert (status, image["is_image_safe"], image[name]) == (200, False, None)


@pytest.mark.parametrize("gateway", GENERATE)
async def test_the_key_has_its_own_place(
    http: aiohttp.ClientSession, gateway: str
) -> None:
    """A key is taken where the gateway looks for it, and is a 401 anywhere else."""
    body = plain(gateway)
    ways = [
        *({"Api-Key": "any"}, {"Api-Key": ""}, {"Authorization": "any"}, {}),
        *({"Authorization": "Bearer any"}, {"Authorization": "Bearer "}),
        {"Ocp-Apim-Subscription-Key": "any"},
    ]
    statuses = [
        (await sent(http, gateway, GENERATE[gateway], json=body, headers=way))[0]
        for way in ways
    ]

    assert statuses == [200 if way == KEYS[gateway] else 401 for way in ways]


@pytest.mark.parametrize("gateway", ["openai-hk", "pixazo"])
async def test_the_key_must_be_the_right_one(
    http: aiohttp.ClientSession, gateway: str
) -> None:
    """A key that is not the sandbox's is a 401, also where the official one has 403."""
    remix = {"openai-hk": "/ideogram/remix", "pixazo": V_2 + "/remix"}[gateway]
    async with Sandbox(provider=gateway, latency=0, api_key="right") as face:
        wrong, _ = await post(http, face, remix)
        headers = {n: v.replace("any", "right") for n, v in KEYS[gateway].items()}
        path, body = GENERATE[gateway], plain(gateway)
        right, _ = await post(http, face, path, json=body, headers=headers)

    assert (wrong, right) == (401, 200)


@pytest.mark.parametrize(
    ("gateway", "fields", "word"),
    [
        ("ideogram", {"seed": 3_000_000_000}, "seed"),
        ("openai-hk", {"seed": 3_000_000_000}, "seed"),
        ("aihubmix", {"style_type": "FICTION"}, "style_type"),
        ("aihubmix", {"model": "AUTO"}, "model"),
        ("kkiai", {"model": "V_2A"}, "model"),
        ("kkiai", {"magic_prompt_version": "V_0"}, "magic_prompt_version"),
        ("pixazo", {"model": None}, "model of GenerateLegacy is required"),
        ("pixazo", {"model": "V_1"}, "model"),
        ("pixazo", {"num_images": 1}, "num_images"),
        ("pixazo", {"seed": 0}, "seed"),
        ("pixazo", {"seed": 10_000_000_000}, "seed"),
        ("pixazo", {"colour": "red"}, "colour"),
    ],
)
async def test_what_a_gateway_does_not_take(
    http: aiohttp.ClientSession, gateway: str, fields: dict[str, Any], word: str
) -> None:
    """A field or value that the gateway doesn't document is a 400, and not billed."""
    request = plain(gateway, **fields)["image_request"]
    request = {name: value for name, value in request.items() if value is not None}
    async with Sandbox(provider=gateway, latency=0) as face:
        given = {"image_request": request}
        status, answer = await post(http, face, GENERATE[gateway], json=given)

    assert status == 400
    assert word in answer["error"]
    assert face.ledger.charges == []


@pytest.mark.parametrize("gateway", ["ideogram", "aihubmix"])
async def test_edits_need_a_mask_elsewhere(
    http: aiohttp.ClientSession, gateway: str
) -> None:
    """Only Pixazo edits without a mask."""
    path = GENERATE[gateway].replace("generate", "edit")
    parts = ("prompt", "a dog"), ("model", "V_2"), ("image_file", png())
    status, answer = await sent(http, gateway, path, data=form(*parts))

    assert (status, answer["error"]) == (400, "mask of EditLegacy is required")


@pytest.mark.parametrize(
    ("gateway", "path"),
    [
        ("openai-hk", "/generate"),
        ("openai-hk", "/ideogram/edit"),
        ("openai-hk", "/ideogram/v1/ideogram-v3/remix"),
        ("aihubmix", "/v1/ideogram-v3/generate"),
        ("aihubmix", "/ideogram/v1/ideogram-v3/reframe"),
        ("kkiai", "/ideogram/describe"),
        ("kkiai", "/ideogram/v1/ideogram-v3/generate"),
        ("pixazo", "/generate"),
        ("pixazo", V_2 + "/upscale"),
        ("pixazo", V_2 + "/v1/ideogram-v3/generate"),
    ],
)
async def test_what_a_gateway_does_not_have(
    http: aiohttp.ClientSession, gateway: str, path: str
) -> None:
    """A path that the gateway doesn't document is a 404."""
    status, _ = await sent(http, gateway, path, json=plain(gateway))

    assert status == 404


async def test_the_safety_check_and_the_limit(http: aiohttp.ClientSession) -> None:
    """A face refuses prompts, and what is above the limit, as the service does."""
    async with Sandbox(provider="kkiai", latency=0, balance=0) as face:
        path = GENERATE["kkiai"]
        unsafe, _ = await post(
            http, face, path, json=plain("kkiai", prompt="forbidden")
        )
        unpaid, _ = await post(http, face, path, json=plain("kkiai"))

    assert (unsafe, unpaid) == (422, 402)
