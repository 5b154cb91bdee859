"""The sandbox driven by curl as the service's documentation shows it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ideogram_async.sandbox import Sandbox, WebhookPlan


CURL = shutil.which("curl")

pytestmark = pytest.mark.skipif(not CURL, reason="curl is not installed")

KEY = ("-H", "Api-Key: <apiKey>")
FORM = (*KEY, "-H", "Content-Type: multipart/form-data")
JSON = (*KEY, "-H", "Content-Type: application/json")

IMAGE = {"url", "prompt", "resolution", "is_image_safe", "seed"}
"""The fields that every documented image has."""

DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
LINK = re.compile(r"/api/images/ephemeral/[\w-]{22}\.png\?exp=\d+&sig=[0-9a-f]{64}$")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Run a sandbox that answers at once, and publishes keys."""
    async with Sandbox(latency=0, webhooks=WebhookPlan()) as running:
        yield running


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    """Make an image file."""
    path = tmp_path / "cat.png"
    Image.new("RGB", (64, 64), "red").save(path)
    return path


async def curl(*arguments: str | Path) -> tuple[int, str, bytes]:
    """Run curl; return the status, the media type and the body."""
    show = "\n%{http_code} %{content_type}"
    process = await asyncio.create_subprocess_exec(
        CURL or "curl", "-sS", "-w", show, *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    body, _, shown = out.rpartition(b"\n")
    status, _, media_type = shown.decode().partition(" ")
    return int(status), media_type.partition(";")[0], body


async def told(*arguments: str | Path) -> tuple[int, Any]:
    """Run curl; return the status and the JSON answer."""
    status, media_type, body = await curl(*arguments)
    assert media_type == "application/json"
    return status, json.loads(body)


def check_images(answer: dict[str, Any], count: int, *more: str) -> None:
    """Check the documented answer with images."""
    assert {*answer} >= {"created", "data"}
    assert DATE.fullmatch(answer["created"])
    assert len(answer["data"]) == count
    for image in answer["data"]:
        assert {*image} >= IMAGE | {*more}
        assert LINK.search(image["url"])
        assert re.fullmatch(r"\d+x\d+", image["resolution"])
        assert image["is_image_safe"] is True
        assert isinstance(image["seed"], int)


async def test_generate_v3(sandbox: Sandbox) -> None:
    """A form without files, with the fields of the documented example."""
    status, answer = await told(
        *("-X", "POST", f"{sandbox.url}/v1/ideogram-v3/generate", *FORM),
        *("-F", "prompt=A photo of a cat", "-F", "rendering_speed=TURBO"),
        *("-F", "num_images=2", "-F", "aspect_ratio=16x9", "-F", "seed=12345"),
        *("-F", 'color_palette={"name": "PASTEL"};type=application/json'),
    )

    assert status == 200
    check_images(answer, 2, "style_type")
    assert answer["data"][0]["prompt"] == "A photo of a cat"
    assert sandbox.ledger.images == 2


async def test_generate_v3_as_json(sandbox: Sandbox) -> None:
    """The same operation takes JSON where there is no file."""
    body = {"prompt": "A photo of a cat", "resolution": "1024x1024"}
    url = f"{sandbox.url}/v1/ideogram-v3/generate"
    status, answer = await told("-X", "POST", url, *JSON, "-d", json.dumps(body))

    assert status == 200
    check_images(answer, 1, "style_type")
    assert answer["data"][0]["resolution"] == "1024x1024"


async def test_generate_legacy(sandbox: Sandbox) -> None:
    """JSON, with all in `image_request`."""
    asked = {
        "prompt": "A serene tropical beach scene",
        "aspect_ratio": "ASPECT_10_16",
        "model": "V_2",
        "magic_prompt_option": "AUTO",
    }
    body = json.dumps({"image_request": asked})
    url = f"{sandbox.url}/generate"
    status, answer = await told("-X", "POST", url, *JSON, "-d", body)

    assert status == 200
    check_images(answer, 1, "style_type")


async def test_remix_legacy(sandbox: Sandbox, cat: Path) -> None:
    """A form with a file, and with JSON as the text of a field."""
    asked = {"prompt": "A beach", "aspect_ratio": "ASPECT_10_16", "image_weight": 50}
    status, answer = await told(
        *("-X", "POST", f"{sandbox.url}/remix", *FORM),
        *("-F", f"image_request={json.dumps(asked)}", "-F", f"image_file=@{cat}"),
    )

    assert status == 200
    check_images(answer, 1)


@pytest.mark.parametrize("part", ["style_reference_images", "style_reference_images[]"])
async def test_remix_v3(sandbox: Sandbox, cat: Path, part: str) -> None:
    """The part of a list of files is repeated, with brackets or without."""
    status, answer = await told(
        *("-X", "POST", f"{sandbox.url}/v1/ideogram-v3/remix", *FORM),
        *("-F", f"image=@{cat}", "-F", "prompt=A photo of a cat"),
        *("-F", f"{part}=@{cat}", "-F", f"{part}=@{cat};type=image/png"),
        *("-F", "image_weight=50"),
    )

    assert status == 200
    check_images(answer, 1)


async def test_describe(sandbox: Sandbox, cat: Path) -> None:
    """A form of a file alone."""
    url = f"{sandbox.url}/describe"
    status, answer = await told("-X", "POST", url, *FORM, "-F", f"image_file=@{cat}")

    assert status == 200
    assert {*answer} == {"descriptions"}
    assert isinstance(answer["descriptions"][0]["text"], str)


async def test_datasets_and_models(sandbox: Sandbox) -> None:
    """What is asked for by GET, and made by a small JSON."""
    made = ("-X", "POST", f"{sandbox.url}/datasets", *JSON, "-d", '{"name": "cats"}')
    status, dataset = await told(*made)
    assert status == 200
    assert dataset["name"] == "cats"

    status, listed = await told(f"{sandbox.url}/datasets", *KEY)
    assert (status, len(listed["datasets"])) == (200, 1)

    status, models = await told(f"{sandbox.url}/models", *KEY)
    assert (status, {*models} >= {"models"}) == (200, True)


async def test_asynchronously(sandbox: Sandbox) -> None:
    """A generation is submitted, and then asked for by its id."""
    status, submitted = await told(
        *("-X", "POST", f"{sandbox.url}/v1/ideogram-v4/async/generate", *FORM),
        *("-F", "text_prompt=A photo of a cat"),
        *("-F", "webhook_url=https://example.com/hook"),
    )
    assert (status, {*submitted}) == (200, {"generation_id"})

    url = f"{sandbox.url}/v1/generations/{submitted['generation_id']}"
    status, generation = await told(url, *KEY)
    assert status == 200
    assert generation["generation_id"] == submitted["generation_id"]
    assert generation["status"] == "completed"
    check_images(generation, 1)

    status, _ = await told(f"{sandbox.url}/v1/generations/{'x' * 22}", *KEY)
    assert status == 404


async def test_keys_of_webhooks(sandbox: Sandbox) -> None:
    """The keys are for everybody: that operation wants no API key."""
    status, published = await told(f"{sandbox.url}/v1/.well-known/jwks.json")

    assert status == 200
    assert published["keys"][0]["kty"] == "OKP"
    assert published["keys"][0]["crv"] == "Ed25519"


async def test_picture(sandbox: Sandbox, tmp_path: Path) -> None:
    """The link of an answer is a PNG, without a key; a link that was changed is not."""
    url = f"{sandbox.url}/v1/ideogram-v3/generate"
    _, answer = await told("-X", "POST", url, *FORM, "-F", "prompt=A photo of a cat")
    link = answer["data"][0]["url"]
    path = tmp_path / "saved.png"

    assert (await curl("-o", path, link))[:2] == (200, "image/png")
    with Image.open(path) as image:
        assert f"{image.width}x{image.height}" == answer["data"][0]["resolution"]
    assert (await curl(link.replace("exp=", "exp=9")))[0] == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/ideogram-v3/generate", 401),
        ("/generate", 401),
        ("/v1/ideogram-v3/remix", 403),
        ("/remix", 403),
        ("/upscale", 403),
    ],
)
async def test_without_a_key(sandbox: Sandbox, path: str, status: int) -> None:
    """Without a key it is 401, or 403 where that is documented; nothing is billed."""
    url = f"{sandbox.url}{path}"
    found, answer = await told("-X", "POST", url, "-F", "prompt=A photo of a cat")

    assert found == status
    assert isinstance(answer["error"], str)
    assert sandbox.ledger.charges == []


@pytest.mark.parametrize(
    "fields",
    [
        ("rendering_speed=TURBO",),
        ("prompt=cat", "rendering_speed=SLOW"),
        ("prompt=cat", "num_images=9"),
        ("prompt=cat", "seed=-1"),
        ("prompt=cat", "resolution=1024x1024", "aspect_ratio=1x1"),
        ("prompt=cat", "no_such_field=1"),
    ],
    ids=["no prompt", "speed", "images", "seed", "both sizes", "unknown"],
)
async def test_what_is_wrong(sandbox: Sandbox, fields: tuple[str, ...]) -> None:
    """A field that is missing or wrong is 400, and not billed."""
    parts = [part for field in fields for part in ("-F", field)]
    url = f"{sandbox.url}/v1/ideogram-v3/generate"
    status, answer = await told("-X", "POST", url, *FORM, *parts)

    assert status == 400
    assert answer["error"]
    assert sandbox.ledger.charges == []


async def test_what_is_not_safe(sandbox: Sandbox) -> None:
    """A prompt that the safety check refuses is 422, in the documented words."""
    word = next(iter(sandbox.service.refused_words))
    url = f"{sandbox.url}/v1/ideogram-v3/generate"
    status, answer = await told("-X", "POST", url, *FORM, "-F", f"prompt=a {word}")

    assert status == 422
    assert answer == {
        "error": "Prompt provided failed safety check due to the inclusion of"
        " prohibited content."
    }
    assert sandbox.ledger.charges == []


async def test_too_many(sandbox: Sandbox) -> None:
    """Above the limit it is 429 at once, with the documented body, and not billed."""
    sandbox.service.limit = sandbox.service._running = 1
    url = f"{sandbox.url}/v1/ideogram-v3/generate"
    post = ("-X", "POST", url, *FORM, "-F", "prompt=A photo of a cat")
    status, refusal = await told(*post)

    assert status == 429
    assert isinstance(refusal["error"], str)
    assert refusal["reject_reason"] == "inflight_limit"
    assert sandbox.ledger.charges == []

    sandbox.service._running = 0
    status, answer = await told(*post)
    assert status == 200
    check_images(answer, 1)
