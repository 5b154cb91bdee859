"""Answers with images: for each request class, the picture that its images show."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import attrs

from .. import requests as r
from ..requests import Request
from .asked import (
    LARGE_SQUARE,
    SQUARE,
    Size,
    colors_of,
    contents,
    mentions,
    prompt_used,
    size_of,
)
from .pictures import Painting, Picture, Sticker
from .studio import Studio


MOST_SEED: Final = 2_147_483_647
FACTORS: Final = {"X2": 2, "X4": 4}


@attrs.frozen(kw_only=True)
class Work:
    """What one image will be.

    Attributes:
        picture: What to draw.
        size: Said as the resolution.
        upscaled: Final size, where the operation changed it.
        prompt: The prompt used.
        seed: The seed used.
        more: Further fields of the answer.
    """

    picture: Picture
    size: Size
    prompt: str
    seed: int
    upscaled: Size | None = None
    more: Mapping[str, Any] = attrs.field(factory=dict[str, Any])


Answer = Callable[[Studio, Any], dict[str, Any]]
"""Makes the JSON answer for a request."""


class Worker(Protocol):
    """Says what one image of a request will be."""

    def __call__(self, request: Any, seed: int) -> Work:
        """Return the work for the image with *seed*."""
        ...


def images(
    worker: Worker, *, styled: bool = True, response_type: str | None = None
) -> Answer:
    """Return the answer of an operation that makes images with *worker*.

    Args:
        worker: Says what each image will be.
        styled: Whether the images tell their `style_type`.
        response_type: What the answer says of its own form; or None.
    """

    def answer(studio: Studio, request: Any) -> dict[str, Any]:
        items = [
            image_object(studio, request, worker(request, seed), styled=styled)
            for seed in seeds_of(request)
        ]
        said = {"response_type": response_type} if response_type else {}
        return {"created": studio.now(), "data": items, **said}

    return answer


def seeds_of(request: Request[Any]) -> list[int]:
    """Return a seed for each image: the one asked for and those after, or random."""
    seed = getattr(request, "seed", None)
    first = secrets.randbelow(MOST_SEED + 1) if seed is None else seed
    others = range(first + 1, first + images_of(request))
    return [first, *(seed % (MOST_SEED + 1) for seed in others)]


def images_of(request: Request[Any]) -> int:
    """Return how many images *request* asks for."""
    return getattr(request, "num_images", None) or 1


def image_object(
    studio: Studio, request: Request[Any], work: Work, *, styled: bool
) -> dict[str, Any]:
    """Return one image of an answer; without a link if it is withheld."""
    is_safe = not mentions(work.prompt, studio.withheld_words)
    said: dict[str, Any] = {
        "prompt": work.prompt,
        "resolution": written(work.size),
        "is_image_safe": is_safe,
        "seed": work.seed,
        "url": studio.show(work.picture) if is_safe else None,
    }
    if work.upscaled:
        said["upscaled_resolution"] = written(work.upscaled)
    if styled:
        said["style_type"] = getattr(request, "style_type", None) or "GENERAL"
    return {**said, **work.more}


def written(size: Size) -> str:
    """Write *size* as the service does."""
    return f"{size[0]}x{size[1]}"


def painting_for(
    request: Request[Any], seed: int, size: Size, **changes: Any
) -> Painting:
    """Return the scene for *request*, with the references it has as insets."""
    references = (
        *contents(request, "character_reference_images"),
        *contents(request, "style_reference_images"),
    )
    given: dict[str, Any] = {
        "prompt": prompt_used(request),
        "colors": colors_of(request),
        "insets": references,
        **changes,
    }
    return Painting(seed=seed, width=size[0], height=size[1], **given)


def work_of(painting: Painting, picture: Picture | None = None, **more: Any) -> Work:
    """Return the work of *painting*, shown as *picture* where that is given."""
    return Work(
        picture=picture or painting,
        size=(painting.width, painting.height),
        prompt=painting.prompt,
        seed=painting.seed,
        **more,
    )


def generated(default: Size) -> Worker:
    """Return the worker that paints a scene, of *default* size unless asked."""

    def work(request: Any, seed: int) -> Work:
        return work_of(painting_for(request, seed, size_of(request, default)))

    return work


def transparent(request: r.GenerateTransparentV3, seed: int) -> Work:
    """Paint a scene and cut it out, enlarged where that is asked for."""
    painting = painting_for(request, seed, size_of(request))
    factor = FACTORS.get(request.upscale_factor or "X1", 1)
    sticker = Sticker(painting=painting, factor=factor)
    larger = (painting.width * factor, painting.height * factor)
    return work_of(painting, sticker, upscaled=larger if factor > 1 else None)


generated_v4: Final = generated(LARGE_SQUARE)
"""The worker of Ideogram 4.0, at once or later."""

GENERATED: Final[dict[type[Request[Any]], Answer]] = {
    r.GenerateV3: images(generated(SQUARE)),
    r.GenerateLegacy: images(generated(SQUARE)),
    r.GenerateTransparentV3: images(transparent),
    r.GenerateV4: images(generated_v4, styled=False, response_type="url"),
}
"""The answers to requests that take a prompt alone."""
