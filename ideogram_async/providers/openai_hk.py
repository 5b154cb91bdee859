"""OpenAI-HK: eight operations under the official names.

Source: https://openai-hk.com
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final

from .. import requests as r
from .._http import HttpRequest, Part
from ..requests import Request
from ._base import Provider, registered
from ._prices import Price, PriceList, flat
from ._routes import Route
from .ideogram import Ideogram


BRACKETED: Final = "character_reference_images"
"""The list whose part name is documented with brackets."""

BY_MODEL: Final = {
    "V_1": "2400",
    "V_1_TURBO": "800",
    "V_2": "3000",
    "V_2_TURBO": "2000",
}
V3: Final = (
    Price({}, given=("character_reference_images",)),
    Price({}, given=("custom_model_uri",)),
    Price({"TURBO": "900", "DEFAULT": "1800", "QUALITY": "2700"}, ("rendering_speed",)),
)
KINDS: Final = (
    r.GenerateLegacy,
    r.RemixLegacy,
    r.Upscale,
    r.Describe,
    r.GenerateV3,
    r.EditV3,
    r.ReframeV3,
    r.ReplaceBackgroundV3,
)


@registered
class OpenAIHK(Provider):
    """OpenAI-HK: the official bodies and answers behind another key.

    10,000 of its credits are 1 CNY.
    """

    name = "openai-hk"
    default_base_url = "https://api.openai-hk.com/ideogram"
    key_variable = "OPENAI_HK_API_KEY"
    routes: ClassVar[Mapping[type[Request[Any]], Route]] = {
        kind: Ideogram.routes[kind] for kind in KINDS
    }
    prices: ClassVar[PriceList] = PriceList(
        "credits",
        "https://openai-hk.com",
        date(2026, 11, 21),
        {
            r.GenerateLegacy: (Price(BY_MODEL, ("model",)),),
            r.RemixLegacy: (Price(BY_MODEL, ("model",)),),
            r.Upscale: (Price({"": "2400"}),),
            r.Describe: (flat("400"),),
            r.GenerateV3: V3,
            r.EditV3: V3,
            r.ReframeV3: V3,
            r.ReplaceBackgroundV3: V3,
        },
    )

    def outgoing(self, step: HttpRequest) -> HttpRequest:
        """Bracket the list of characters, and send `image_request` as plain text."""
        return step._replace(form=tuple(map(_renamed, step.form)))


def _renamed(part: Part) -> Part:
    if part.name == BRACKETED:
        return part._replace(name=f"{BRACKETED}[]")
    if part.name == "image_request":
        return part._replace(media_type=None)
    return part
