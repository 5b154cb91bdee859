"""AiHubMix: nine operations under the official names.

Source: https://docs.aihubmix.com
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final, Literal

from .. import requests as r
from ..requests import Request
from ..vocabulary import ImageUpload, Seed, TransparentRenderingSpeed
from ._base import Provider, registered
from ._prices import Price, PriceList
from ._routes import LEGACY_FIELDS, GatewayModel, GatewayStyleType, Route


StyleType = Literal["AUTO", "GENERAL", "REALISTIC", "DESIGN"]
"""Broad styles of Ideogram 3.0 that it lists."""

LEGACY: Final = Route(
    LEGACY_FIELDS,
    {
        "seed": Seed | None,
        "model": GatewayModel | None,
        "style_type": GatewayStyleType | None,
    },
)
V3: Final = Route(
    frozenset(
        (
            *("prompt", "negative_prompt", "seed", "num_images", "rendering_speed"),
            *("aspect_ratio", "magic_prompt", "style_type", "style_reference_images"),
            *("image", "mask", "image_weight"),
        )
    ),
    {
        "rendering_speed": TransparentRenderingSpeed | None,
        "style_type": StyleType | None,
    },
)
BY_MODEL: Final = {
    "V_1": "0.06",
    "V_1_TURBO": "0.02",
    "V_2": "0.08",
    "V_2_TURBO": "0.05",
    "V_2A": "0.04",
    "V_2A_TURBO": "0.025",
}
V3_PRICE: Final = (
    Price(
        {"TURBO": "0.03", "DEFAULT": "0.06", "QUALITY": "0.09"}, ("rendering_speed",)
    ),
)


@registered
class AiHubMix(Provider):
    """AiHubMix: legacy operations, and those of Ideogram 3.0 with fewer fields."""

    name = "aihubmix"
    default_base_url = "https://aihubmix.com/ideogram"
    key_variable = "AIHUBMIX_API_KEY"
    key_header = "Api-Key"
    key_scheme = ""
    routes: ClassVar[Mapping[type[Request[Any]], Route]] = {
        r.GenerateLegacy: LEGACY,
        r.RemixLegacy: LEGACY,
        r.EditLegacy: Route(LEGACY.takes, {**LEGACY.limits, "mask": ImageUpload}),
        r.Upscale: LEGACY,
        r.Describe: LEGACY,
        r.GenerateV3: V3,
        r.EditV3: V3,
        r.RemixV3: V3,
        r.ReplaceBackgroundV3: V3,
    }
    prices: ClassVar[PriceList] = PriceList(
        "USD",
        "https://docs.aihubmix.com",
        date(2026, 11, 21),
        {
            r.GenerateLegacy: (Price(BY_MODEL, ("model",)),),
            r.RemixLegacy: (Price(BY_MODEL, ("model",)),),
            r.EditLegacy: (Price({"V_2": "0.08", "V_2_TURBO": "0.05"}, ("model",)),),
            r.Upscale: (Price({"": "0.06"}),),
            **dict.fromkeys(
                (r.GenerateV3, r.EditV3, r.RemixV3, r.ReplaceBackgroundV3), V3_PRICE
            ),
        },
    )
