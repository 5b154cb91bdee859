"""Which provider, with which key, at which address: from arguments and environment."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .providers import PROVIDERS, Provider


def configured(name: str, api_key: str | None, base_url: str | None) -> Provider:
    """Return the provider *name*, with its key from the environment unless given.

    Raises:
        ConfigurationError: There is no such provider, no key, or no such address.
    """
    kind = PROVIDERS.get(name)
    if kind is None:
        known = ", ".join(PROVIDERS)
        raise ConfigurationError(f"unknown provider {name!r}: choose one of {known}")
    key = (api_key or os.environ.get(kind.key_variable) or "").strip()
    if not key:
        raise ConfigurationError(
            f"no API key for {name}: set {kind.key_variable}, or pass api_key"
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(
            f"the API key for {name} has characters that no key has: copy it again"
        )
    if base_url is not None and not _is_address(base_url):
        raise ConfigurationError(
            f"base_url must be like {kind.default_base_url}, got {base_url!r}"
        )
    return kind(key, base_url)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
