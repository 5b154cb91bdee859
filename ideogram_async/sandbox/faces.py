"""The faces of the gateways: where their answers differ from the official ones.

A shape turns the official answer to a request into the one that the gateway's page
documents; no shape means that there is no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .. import requests as r
from ..providers import KKIAI, OpenAIHK, Pixazo, Provider
from ..requests import Request
from .asked import source_of
from .montages import Cleared
from .studio import Studio


Answered = dict[str, Any]
"""An answer, or an image in it, as JSON."""
Shape = Callable[[Studio, Any, Answered], Answered]
"""Turns an official answer to a request, or an image in it, into the gateway's."""

WEIGHT: Final = 50
"""How much of an image a remix keeps, in percent, unless asked for."""


def shape_for(provider: type[Provider], prefix: str, kind: type[Request[Any]]) -> Shape:
    """Return the shape of the answers to *kind* that *provider* gives at *prefix*."""
    return SHAPES.get((provider.name, prefix, kind), official)


def official(_: Studio, __: Any, answer: Answered) -> Answered:
    """Return the answer as it is."""
    return answer


def images(change: Shape) -> Shape:
    """Return the shape of an answer whose images *change* turns into the gateway's."""

    def shape(studio: Studio, request: Any, answer: Answered) -> Answered:
        changed = [change(studio, request, image) for image in answer["data"]]
        return {**answer, "data": changed}

    return shape


def unstyled(_: Studio, __: Any, image: Answered) -> Answered:
    """Leave out the style."""
    return {name: value for name, value in image.items() if name != "style_type"}


def enlarged(studio: Studio, request: Any, image: Answered) -> Answered:
    """Say the final size as the resolution, and leave out the style."""
    changed = unstyled(studio, request, image)
    changed["resolution"] = changed.pop("upscaled_resolution")
    return changed


def null_style(_: Studio, __: Any, image: Answered) -> Answered:
    """Say the style as null."""
    return {**image, "style_type": None}


def described(studio: Studio, _: Any, answer: Answered) -> Answered:
    """Put the one description into an object, behind a date."""
    (description,) = answer["descriptions"]
    return {"created": studio.now(), "data": {"description": description["text"]}}


def edited(studio: Studio, request: r.EditLegacy, image: Answered) -> Answered:
    """Name both images, before and after."""
    return {
        "is_image_safe": image["is_image_safe"],
        "prompt": image["prompt"],
        "original_image": studio.show(Cleared(source=source_of(request))),
        "edited_image": image["url"],
        "model_used": request.model,
    }


def remixed(_: Studio, request: r.RemixLegacy, image: Answered) -> Answered:
    """Say what the image was made with."""
    return {
        "is_image_safe": image["is_image_safe"],
        "prompt": image["prompt"],
        "resolution": image["resolution"],
        "image_weight": request.image_weight or WEIGHT,
        "image_url": image["url"],
        "model_used": request.model,
    }


V_2, V_2_TURBO = Pixazo.prefixes

SHAPES: Final[dict[tuple[str, str, type[Request[Any]]], Shape]] = {
    (OpenAIHK.name, "", r.GenerateLegacy): images(unstyled),
    (OpenAIHK.name, "", r.RemixLegacy): images(unstyled),
    (OpenAIHK.name, "", r.Upscale): images(enlarged),
    (KKIAI.name, "", r.GenerateLegacy): images(null_style),
    (Pixazo.name, V_2, r.Describe): described,
    (Pixazo.name, V_2, r.EditLegacy): images(edited),
    (Pixazo.name, V_2, r.RemixLegacy): images(remixed),
    (Pixazo.name, V_2_TURBO, r.Describe): described,
}
"""The shapes by provider, prefix and request class."""
