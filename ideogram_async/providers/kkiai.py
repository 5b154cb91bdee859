"""KKIAI: legacy generation only.

Source: https://www.kkiai.com
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from ..requests import GenerateLegacy, Request
from ..vocabulary import Seed
from ._base import Provider, registered
from ._routes import LEGACY_FIELDS, GatewayStyleType, Route


Model = Literal["V_1", "V_1_TURBO", "V_2", "V_2_TURBO"]
"""The models that it lists."""


@registered
class KKIAI(Provider):
    """KKIAI: images from a prompt with a legacy model; its prices are not published."""

    name = "kkiai"
    default_base_url = "https://www.kkiai.com/ideogram"
    key_variable = "KKIAI_API_KEY"
    default_request: ClassVar[type[Request[Any]]] = GenerateLegacy
    routes: ClassVar[Mapping[type[Request[Any]], Route]] = {
        GenerateLegacy: Route(
            LEGACY_FIELDS,
            {
                "seed": Seed | None,
                "model": Model | None,
                "style_type": GatewayStyleType | None,
            },
            {"Accept": "application/json"},
        )
    }
