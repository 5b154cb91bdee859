"""Answers with images made of images; and what is checked before they are made."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from .. import requests as r
from ..requests import Request
from .answers import Answer, Work, Worker, images, painting_for, work_of
from .asked import (
    LARGE_SQUARE,
    SQUARE,
    Size,
    content_of,
    contents,
    prompt_used,
    size_of,
    source_of,
)
from .looks import look_at, mask_complaint, size_inside
from .montages import CutOut, Enlarged, Reframed, Repainted, Replaced, Worn
from .pictures import Painting, Source
from .studio import RefusalError, Studio


TRY_ON: Final = "Person wearing this piece of clothing"
"""The prompt of a try-on that has none."""


def check_mask(studio: Studio, request: Any) -> None:
    """Check the mask of *request*, if it has one, as the service does.

    Raises:
        RefusalError: It is refused; says why.
    """
    mask = request.mask
    if mask and (wrong := mask_complaint(content_of(mask), source_of(request))):
        raise RefusalError(400, wrong)
    check_character(studio, request)


def check_character(_: Studio, request: Any) -> None:
    """Check that character masks have the sizes of their references.

    Raises:
        RefusalError: One has not.
    """
    field = "character_reference_images"
    pairs = zip(
        contents(request, field), contents(request, f"{field}_mask"), strict=False
    )
    if any(size_inside(image) != size_inside(mask) for image, mask in pairs):
        raise RefusalError(400, f"{field}_mask must have the size of its image")


def check_links(studio: Studio, request: Any) -> None:
    """Check that the links of *request* are those of pictures given out here.

    Raises:
        RefusalError: One is not.
    """
    for place, url in enumerate(request.image_urls or ()):
        if _name_in(url) not in studio.pictures:
            raise RefusalError(400, f"image_urls[{place}] is no link of this service")


def _name_in(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2].removesuffix(".png")


def remixed(default: Size) -> Worker:
    """Return the worker that blends a source with a scene."""

    def work(request: Any, seed: int) -> Work:
        painting = painting_for(
            request,
            seed,
            size_of(request, default),
            source=source_of(request),
            weight=request.image_weight or 50,
        )
        return work_of(painting)

    return work


def repainted(request: Any, seed: int) -> Work:
    """Repaint the black part of the mask, and nothing else; without one, all."""
    source = source_of(request)
    painting = painting_for(request, seed, size_inside(source))
    if request.mask is None:
        return work_of(painting)
    mask = content_of(request.mask)
    return work_of(painting, Repainted(painting=painting, source=source, mask=mask))


def reframed(request: Any, seed: int) -> Work:
    """Put the source in the middle of a larger scene."""
    source = source_of(request)
    painting = painting_for(
        request, seed, size_of(request), prompt=_seen(request), insets=()
    )
    return work_of(painting, Reframed(painting=painting, source=source))


def replaced(request: Any, seed: int) -> Work:
    """Put the middle of the source before another scene."""
    source = source_of(request)
    painting = painting_for(request, seed, size_inside(source))
    return work_of(painting, Replaced(painting=painting, source=source))


def worn(request: r.TryOnV3, seed: int) -> Work:
    """Show the clothing on the person."""
    source = source_of(request)
    prompt = prompt_used(request) or TRY_ON
    painting = painting_for(request, seed, size_inside(source), prompt=prompt)
    (product,) = contents(request, "product_reference_images")
    return work_of(painting, Worn(painting=painting, source=source, product=product))


def upscaled(request: r.Upscale, seed: int) -> Work:
    """Double the width and the height."""
    source = source_of(request)
    width, height = size_inside(source)
    prompt = prompt_used(request) or _seen(request)
    painting = painting_for(request, seed, (width, height), prompt=prompt)
    larger = (width * 2, height * 2)
    return work_of(painting, Enlarged(source=source), upscaled=larger)


def edit(studio: Studio, request: r.EditWithPrompt) -> dict[str, Any]:
    """Answer with the first source blended with a scene, and the others on it."""
    sources: list[Source] = list(contents(request, "images"))
    sources += [studio.pictures[_name_in(url)] for url in request.image_urls or ()]
    size = size_of(request, _size_inside(sources[0]) if sources else SQUARE)
    changes = {"source": sources[0], "weight": 65} if sources else {}

    def work(request: Any, seed: int) -> Work:
        insets = tuple(sources[1:])
        painting = painting_for(request, seed, size, insets=insets, **changes)
        if request.transparent_background:
            return work_of(painting, CutOut(source=painting))
        return work_of(painting)

    return images(work)(studio, request)


def remove_background(studio: Studio, request: r.RemoveBackground) -> dict[str, Any]:
    """Answer with the middle of the source: one entry, and only what is documented."""
    url = studio.show(CutOut(source=source_of(request)))
    return {"created": studio.now(), "data": [{"url": url, "is_image_safe": True}]}


def _size_inside(source: Source) -> Size:
    if isinstance(source, bytes):
        return size_inside(source)
    if isinstance(source, Painting):
        return source.width, source.height
    return source.draw().size


def _seen(request: Request[Any]) -> str:
    """Return what the source shows, in a few words, for want of a prompt."""
    look = look_at(source_of(request))
    return look.words or f"a picture in {' and '.join(look.color_names[:2])}"


EDITED: Final[dict[type[Request[Any]], Answer]] = {
    r.InpaintV3: images(repainted),
    r.EditV3: images(repainted),
    r.EditLegacy: images(repainted),
    r.RemixV3: images(remixed(SQUARE)),
    r.RemixLegacy: images(remixed(SQUARE)),
    r.RemixV4: images(remixed(LARGE_SQUARE), styled=False, response_type="url"),
    r.ReframeV3: images(reframed),
    r.ReframeLegacy: images(reframed),
    r.ReplaceBackgroundV3: images(replaced),
    r.TryOnV3: images(worn),
    r.Upscale: images(upscaled),
    r.EditWithPrompt: edit,
    r.RemoveBackground: remove_background,
}
"""The answers to requests that take an image."""
