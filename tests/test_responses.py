"""What the service answers."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import (
    GenerationResponse,
    ImageObject,
    ImageResponse,
    LayeredImageObject,
    LayeredImageResponse,
    LayerizeTextResponse,
)
from ideogram_async._codec import decode, to_jsonable


CREATED = datetime(2025, 1, 23, 4, 56, 7, tzinfo=UTC)
SAMPLES = sorted((Path(__file__).parent / "samples" / "ideogram").glob("*.json"))


def load(name: str) -> Any:
    """Return the sample *name* as JSON."""
    path = Path(__file__).parent / "samples" / "ideogram" / f"{name}.json"
    return json.loads(path.read_bytes())


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_published_samples_are_read(path: Path) -> None:
    """Every published answer is read, with nothing lost and nothing left over."""
    sample = json.loads(path.read_bytes())

    response = decode(sample, ImageResponse, b"")

    assert response.created == datetime.fromisoformat(sample["created"])
    assert response.created.tzinfo is UTC
    assert response.extra == {}
    for image, raw in zip(response.data, sample["data"], strict=True):
        assert {name: getattr(image, name) for name in raw} == raw
        assert image.extra == {}
        assert not image.is_withheld
    assert response.images == response.data


def test_samples_are_there() -> None:
    """The folder of samples isn't empty."""
    assert len(SAMPLES) >= 8


def test_image_of_a_sample() -> None:
    """The fields of the published legacy answer, each by its name."""
    (image,) = decode(load("kkiai-generate"), ImageResponse, b"").data

    assert image.seed == 1785282233
    assert image.resolution == "768x1232"
    assert image.style_type is None
    assert image.expires_at == datetime(2024, 12, 16, 17, 32, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "expires_at"),
    [
        ("https://ideogram.ai/x.png?exp=0&sig=1", datetime(1970, 1, 1, tzinfo=UTC)),
        ("https://ideogram.ai/api/images/direct/8YEpFzHuS-S6xXEGmCsf7g", None),
        ("https://ideogram.ai/x.png?exp=soon", None),
        ("https://ideogram.ai/x.png?exp=", None),
        ("https://ideogram.ai/x.png?exp=99999999999999999999", None),
        ("https://ideogram.ai/x.png?exp=9999999999999999", None),
        (None, None),
    ],
)
def test_link_says_when_it_dies(url: str | None, expires_at: datetime | None) -> None:
    """The expiry is read off the link, and never an error."""
    assert ImageObject(url=url).expires_at == expires_at


@pytest.mark.parametrize(
    ("fields", "is_withheld"),
    [
        ({"url": "https://ideogram.ai/x.png"}, False),
        ({"url": "https://ideogram.ai/x.png", "is_image_safe": False}, True),
        ({"url": "", "is_image_safe": False}, True),
        ({"url": ""}, True),
        ({"url": None}, True),
        ({}, True),
    ],
)
def test_withheld_images_are_told(fields: dict[str, Any], *, is_withheld: bool) -> None:
    """An image without a link, or found unsafe, was made and not released."""
    image = ImageObject(**fields)
    response = ImageResponse(created=datetime(2026, 1, 1, tzinfo=UTC), data=(image,))

    assert image.is_withheld is is_withheld
    assert response.images == (() if is_withheld else (image,))


def test_answers_are_hashable() -> None:
    """An answer is a value, whatever else the service said."""
    images = {
        ImageObject(seed=1, extra={"a": []}),
        ImageObject(seed=1, extra={"a": []}),
    }

    assert len(images) == 1


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_answers_survive_json(path: Path) -> None:
    """An answer written as JSON is read back as the same answer."""
    response = decode(json.loads(path.read_bytes()), ImageResponse, b"")

    written = json.loads(json.dumps(to_jsonable(response)))

    assert decode(written, ImageResponse, b"") == response


def test_other_answers_have_images_too() -> None:
    """Designs, generations and layers of text tell which images can be downloaded."""
    design = LayeredImageObject(url="https://host/a.png")
    withheld = LayeredImageObject(is_image_safe=False)
    layered = LayeredImageResponse(created=CREATED, data=(design, withheld))
    image = ImageObject(url="https://host/b.png")
    generation = GenerationResponse(
        generation_id="g", status="completed", created=CREATED, data=(image,)
    )
    layers = LayerizeTextResponse(base_image_url="https://host/c.png", seed=7)

    assert layered.images == (design,)
    assert generation.images == (image,)
    assert layers.images == (ImageObject(url="https://host/c.png", seed=7),)


def test_empty_extra_is_one_for_all() -> None:
    """An answer without surprises holds no dict of its own, and a copy none either."""
    image = ImageObject(seed=1)
    again = [pickle.loads(pickle.dumps(image)), copy.deepcopy(image)]

    assert again == [image, image]
    assert {id(each.extra) for each in [image, *again]} == {
        id(ImageResponse(created=CREATED, data=()).extra)
    }
    assert json.dumps(image.extra) == "{}"
    assert {**image.extra} == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda extra: operator.setitem(extra, "a", 1),
        lambda extra: operator.ior(extra, {"a": 1}),
        lambda extra: extra.update(a=1),
        lambda extra: extra.setdefault("a", 1),
    ],
)
def test_empty_extra_stays_empty(change: Callable[[Any], object]) -> None:
    """Nobody can write into what all answers share."""
    extra = ImageObject().extra

    with pytest.raises(TypeError, match="can't be changed"):
        change(extra)

    assert extra == {}


def test_equal_texts_of_images_are_one_object() -> None:
    """A size or a style that thousands of answers repeat is held once."""
    sample = json.dumps(load(SAMPLES[0].stem))

    first, second = (
        decode(json.loads(sample), ImageResponse, b"").data[0] for _ in range(2)
    )

    assert first.url is not second.url
    assert first.resolution is second.resolution is not None
    assert first.style_type is second.style_type
