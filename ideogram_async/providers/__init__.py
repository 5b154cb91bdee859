"""The services that take requests, by name: Ideogram, and gateways to it."""

from typing import TYPE_CHECKING

from .._lazy import lazy


if TYPE_CHECKING:
    from ._base import PROVIDERS, Exchange, Provider, registered
    from ._errors import status_error
    from ._prices import Price, PriceList
    from ._routes import Route
    from .aihubmix import AiHubMix
    from .ideogram import Ideogram
    from .kkiai import KKIAI
    from .openai_hk import OpenAIHK
    from .pixazo import Pixazo
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "_base": "PROVIDERS Exchange Provider registered",
            "_errors": "status_error",
            "_prices": "Price PriceList",
            "_routes": "Route",
            "aihubmix": "AiHubMix",
            "ideogram": "Ideogram",
            "kkiai": "KKIAI",
            "openai_hk": "OpenAIHK",
            "pixazo": "Pixazo",
        },
    )


__all__ = [
    "KKIAI",
    "PROVIDERS",
    "AiHubMix",
    "Exchange",
    "Ideogram",
    "OpenAIHK",
    "Pixazo",
    "Price",
    "PriceList",
    "Provider",
    "Route",
    "registered",
    "status_error",
]
