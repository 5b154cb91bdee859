"""The services that take requests, by name: Ideogram, and gateways to it."""

from ._base import PROVIDERS, Exchange, Provider, registered
from ._errors import status_error
from ._prices import Price, PriceList
from ._routes import Route
from .aihubmix import AiHubMix
from .ideogram import Ideogram
from .kkiai import KKIAI
from .openai_hk import OpenAIHK
from .pixazo import Pixazo


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
