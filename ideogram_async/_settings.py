"""Which providers, with which keys, at which addresses: arguments and environment."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from . import providers
from .errors import ConfigurationError


if TYPE_CHECKING:
    from .providers import Provider

Choice: TypeAlias = "str | Provider"
"""A provider by name, with its key from the environment, or one with its key."""


def chosen(
    choice: Choice | Sequence[Choice] | None, api_key: str | None, base_url: str | None
) -> tuple[Provider, ...]:
    """Return the providers of a client, in the order in which they are asked.

    Raises:
        ConfigurationError: There is no such provider, no key, or no such address; or a
            key or address is given that could belong to several.
    """
    if choice is None:
        choice = named().name
        base_url = base_url or os.environ.get("IDEOGRAM_BASE_URL")
    if isinstance(choice, str):
        return (configured(choice, api_key, base_url),)
    choices = (choice,) if isinstance(choice, providers.Provider) else tuple(choice)
    if not choices:
        raise ConfigurationError("provider is an empty list: name one at least")
    for name, given in (("api_key", api_key), ("base_url", base_url)):
        if given is not None:
            raise ConfigurationError(
                f"{name} is for a single provider that is given by its name: give each"
                " its own, as in provider=[Ideogram(api_key), Pixazo(api_key)]"
            )
    return tuple(
        each if isinstance(each, providers.Provider) else configured(each)
        for each in choices
    )


def check_shared(
    asked: tuple[Provider, ...], headers: Container[str], limiter: object
) -> None:
    """Check what all requests of a client would share.

    Args:
        asked: Who is asked.
        headers: Header fields that a given session sends to every host.
        limiter: A limiter that was given; or None.

    Raises:
        ConfigurationError: It must not be shared.
    """
    for each in asked:
        if each.key_header in headers:
            raise ConfigurationError(
                f"the session sends {each.key_header} to every host, also to those"
                " of images: leave it out of the session and pass api_key"
            )
    if limiter is not None and len(asked) > 1:
        raise ConfigurationError(
            "a limiter is for one key: leave it out where there are several providers"
        )


def named(name: str | None = None) -> type[Provider]:
    """Return the provider class *name*; of None, the one that the environment names.

    Raises:
        ConfigurationError: There is no such provider.
    """
    if name is None:
        name = os.environ.get("IDEOGRAM_PROVIDER") or "ideogram"
    kind = providers.PROVIDERS.get(name)
    if kind is None:
        known = ", ".join(providers.PROVIDERS)
        raise ConfigurationError(f"unknown provider {name!r}: choose one of {known}")
    return kind


def configured(
    name: str, api_key: str | None = None, base_url: str | None = None
) -> Provider:
    """Return the provider *name*, with its key from the environment unless given.

    Raises:
        ConfigurationError: There is no such provider, no key, or no such address.
    """
    kind = named(name)
    key = (api_key or os.environ.get(kind.key_variable) or "").strip()
    if not key:
        raise ConfigurationError(
            f"no API key for {name}: set {kind.key_variable}, or pass api_key"
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
