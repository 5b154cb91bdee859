"""Pixazo: the models V_2 and V_2_TURBO, each at an address of its own.

Source: https://www.pixazo.ai/models/ideogram
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Final, TypeAlias, TypeVar, cast

import attrs

from .. import requests as r
from .._rules import Between
from ..requests import ColorPalette, Request
from ..vocabulary import EditModel
from ._base import Provider, registered
from ._prices import Price, PriceList
from ._routes import GatewayStyleType, Limits, Route


T = TypeVar("T")

PREFIXES: Final = {"V_2": "/ideogramV_2/v1", "V_2_TURBO": "/ideogramV_2_Turbo/v1"}
LINKS: Final = ("edited_image", "image_url")
"""What some answers call the link."""


def _is_preset(palette: ColorPalette) -> str | None:
    return None if palette.name else "must be a preset, such as PASTEL, not members"


OptionalSeed: TypeAlias = Annotated[int, Between(1, 9_999_999_999)] | None
OptionalPreset: TypeAlias = Annotated[ColorPalette, _is_preset] | None

LIMITS: Final[Limits] = {
    "model": EditModel,
    "seed": OptionalSeed,
    "style_type": GatewayStyleType | None,
    "color_palette": OptionalPreset,
}
PROMPTED: Final = frozenset(
    (
        *("prompt", "negative_prompt", "model", "aspect_ratio", "magic_prompt_option"),
        *("seed", "style_type", "color_palette", "image_file", "image_weight"),
    )
)
EDITED: Final = frozenset(
    (
        *("prompt", "image_file", "mask", "model", "magic_prompt_option", "seed"),
        "style_type",
    )
)
EITHER: Final = (Price({"V_2": "0.20", "V_2_TURBO": "0.20"}, ("model",)),)


@registered
class Pixazo(Provider):
    """Pixazo: one image a request; a request without a model is made with V_2."""

    name = "pixazo"
    default_base_url = "https://gateway.pixazo.ai"
    key_variable = "PIXAZO_API_KEY"
    key_header = "Ocp-Apim-Subscription-Key"
    key_scheme = ""
    default_request: ClassVar[type[Request[Any]]] = r.GenerateLegacy
    prefixes: ClassVar[tuple[str, ...]] = tuple(PREFIXES.values())
    routes: ClassVar[Mapping[type[Request[Any]], Route]] = {
        r.GenerateLegacy: Route(PROMPTED, LIMITS, {"Cache-Control": "no-cache"}),
        r.RemixLegacy: Route(PROMPTED, LIMITS),
        r.EditLegacy: Route(EDITED, LIMITS),
        r.Describe: Route(frozenset({"image_file"})),
    }
    prices: ClassVar[PriceList] = PriceList(
        "USD",
        "https://www.pixazo.ai/models/ideogram",
        date(2026, 11, 21),
        {
            r.GenerateLegacy: EITHER,
            r.RemixLegacy: (Price({"V_2": "0.20"}, ("model",)),),
            r.EditLegacy: EITHER,
            r.Describe: EITHER,
        },
    )

    @classmethod
    def prepared(cls, request: Request[T]) -> Request[T]:
        """Name the model, which the official service takes as V_2 if it isn't."""
        if getattr(request, "model", "") is not None:
            return request
        return cast("Request[T]", attrs.evolve(cast("Any", request), model="V_2"))

    @classmethod
    def prefix(cls, request: Request[Any]) -> str:
        """Return the address of the model."""
        return PREFIXES[getattr(request, "model", "V_2")]

    def incoming(self, payload: Any, request: Request[Any]) -> Any:
        """Give links and descriptions their official places."""
        said = cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}
        content: Any = said.get("data")
        if isinstance(request, r.Describe) and isinstance(content, dict):
            described = _described(cast("dict[str, Any]", content))
            return {**_without(said, "data"), "descriptions": [described]}
        if isinstance(content, list):
            items = cast("list[Any]", content)
            return {**said, "data": [_linked(item) for item in items]}
        return cast("Any", payload)


def _described(content: dict[str, Any]) -> dict[str, Any]:
    if "description" not in content:
        return content
    described = _without(content, "description")
    if "text" in described:
        described["original_text"] = described.pop("text")
    return {**described, "text": content["description"]}


def _linked(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    said = cast("dict[str, Any]", item)
    for name in LINKS:
        if said.get(name) and not said.get("url"):
            return {**_without(said, name), "url": said[name]}
    return said


def _without(said: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: kept for each, kept in said.items() if each != name}
