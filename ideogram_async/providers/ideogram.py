"""The official service.

Source: https://developer.ideogram.ai/api-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final

from ..requests import Request
from ..vocabulary import ImageUpload, Seed
from ._base import Provider, registered
from ._prices import Price, PriceList, flat
from ._routes import Route
from ._tables import ByName


SPEED: Final = ("rendering_speed",)
OUTPUT: Final = {"FLASH": "0.03", "TURBO": "0.03", "DEFAULT": "0.06", "QUALITY": "0.09"}
CHARACTER: Final = {"TURBO": "0.10", "DEFAULT": "0.15", "QUALITY": "0.20"}
CUSTOM: Final = {"TURBO": "0.06", "DEFAULT": "0.12", "QUALITY": "0.18"}
OUTPUT_V4: Final = {"TURBO": "0.03", "DEFAULT": "0.06", "QUALITY": "0.10"}
CUSTOM_V4: Final = {"TURBO": "0.06", "DEFAULT": "0.12", "QUALITY": "0.20"}
LAYERIZED: Final = {"TURBO": "0.12", "DEFAULT": "0.15", "QUALITY": "0.18"}
TRANSPARENT: Final = {
    "TURBO X1": "0.04",
    "DEFAULT X1": "0.07",
    "QUALITY X1": "0.10",
    "TURBO X2": "0.16",
    "DEFAULT X2": "0.19",
    "QUALITY X2": "0.22",
    "TURBO X4": "0.20",
    "DEFAULT X4": "0.23",
    "QUALITY X4": "0.26",
}
BY_MODEL: Final = {
    "V_1": "0.06",
    "V_1_TURBO": "0.02",
    "V_2": "0.08",
    "V_2_TURBO": "0.05",
    "V_2A": "0.04",
    "V_2A_TURBO": "0.025",
}

CHARACTERS: Final = "character_reference_images"
TRAINED: Final = "custom_model_uri"

V3: Final = (
    Price({}, given=(CHARACTERS, TRAINED)),
    Price(CHARACTER, SPEED, given=(CHARACTERS,)),
    Price(CUSTOM, SPEED, given=(TRAINED,)),
    Price(OUTPUT, SPEED),
)
V4: Final = (Price(CUSTOM_V4, SPEED, given=(TRAINED,)), Price(OUTPUT_V4, SPEED))

PRICES: Final[Mapping[str, tuple[Price, ...]]] = {
    "GenerateV3": V3,
    "InpaintV3": V3,
    "EditV3": V3,
    "RemixV3": V3,
    "ReframeV3": V3,
    "ReplaceBackgroundV3": V3,
    "GenerateTransparentV3": (
        Price({}, given=(TRAINED,)),
        Price(TRANSPARENT, ("rendering_speed", "upscale_factor")),
    ),
    "GenerateDesignV3": (Price(LAYERIZED, SPEED, qualifier="estimate"),),
    "LayerizeDesignV3": (flat("0.09", qualifier="estimate"),),
    "LayerizeTextV3": (flat("0.09"),),
    "RemoveBackground": (flat("0.01"),),
    "Upscale": (flat("0.06"),),
    "Describe": (flat("0.01"),),
    "DescribeV4": (flat("0.01", qualifier="estimate"),),
    "EditWithPrompt": (Price({"": "0.20"}),),
    "GenerateV4": V4,
    "SubmitGenerateV4": V4,
    "RemixV4": V4,
    "GenerateLegacy": (Price(BY_MODEL, ("model",)),),
    "RemixLegacy": (Price(BY_MODEL, ("model",)),),
    "ReframeLegacy": (Price(BY_MODEL, ("model",), qualifier="estimate"),),
    "EditLegacy": (Price({"V_2": "0.08", "V_2_TURBO": "0.05"}, ("model",)),),
    "TrainModelV3": (flat("40"),),
    "TrainModelV4": (flat("40"),),
}


@registered
class Ideogram(Provider):
    """The official service: every request class."""

    name = "ideogram"
    default_base_url = "https://api.ideogram.ai"
    key_variable = "IDEOGRAM_API_KEY"
    key_header = "Api-Key"
    key_scheme = ""
    places: ClassVar[int | None] = 10
    routes: ClassVar[Mapping[type[Request[Any]], Route]] = ByName(
        {
            "GenerateLegacy": Route(limits={"seed": Seed | None}),
            "RemixLegacy": Route(limits={"seed": Seed | None}),
            "EditLegacy": Route(limits={"seed": Seed | None, "mask": ImageUpload}),
        },
        default=Route(),
    )
    prices: ClassVar[PriceList] = PriceList(
        "USD",
        "https://ideogram.ai/features/api-pricing",
        date(2026, 7, 9),
        ByName(PRICES),
    )
