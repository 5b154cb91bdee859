"""The services that take requests, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ._base import Exchange, Provider
from ._errors import status_error


PROVIDERS: Final[Mapping[str, type[Provider]]] = MappingProxyType(
    {provider.name: provider for provider in (Provider,)}
)
"""Every provider class by the name that `IdeogramClient(provider=...)` takes."""

__all__ = ["PROVIDERS", "Exchange", "Provider", "status_error"]
