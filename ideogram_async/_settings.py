"""The options of a client: arguments and environment, checked."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from ssl import SSLContext
from typing import TYPE_CHECKING, Final, TypeAlias, TypedDict, cast
from urllib.parse import urlsplit

from . import providers
from ._http import Secret, without_password
from ._retry import RetryPolicy
from .errors import ConfigurationError


if TYPE_CHECKING:
    from .providers import Provider

Choice: TypeAlias = "str | Provider"
"""A provider by name, with its key from the environment, or one with its key."""

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""What RFC 9110 allows in the name and in the value of a header field."""
FRAMING: Final = frozenset(
    ("Connection", "Content-Length", "Content-Type", "Host", "Transfer-Encoding")
)
"""Header fields that follow from the body and the address."""


class Options(TypedDict, total=False):
    """What `IdeogramClient.with_options` changes; see the client for the meanings."""

    retry: RetryPolicy
    timeout: float
    deadline: float | None
    headers: Mapping[str, str]


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


def check_network(
    session: object, proxy: str | None, ssl: object, *, trust_env: bool
) -> None:
    """Check how connections are to be made.

    Raises:
        ConfigurationError: A session is given as well, which decides that itself; or
            the proxy is no address, or the context none.
    """
    given = {"proxy": proxy, "trust_env": trust_env or None, "ssl": ssl}
    names = [name for name, value in given.items() if value is not None]
    if session is not None and names:
        raise ConfigurationError(
            f"{', '.join(names)}: say it to the session that is given, which makes the"
            " connections, or leave the session out"
        )
    if proxy is not None and not _is_address(proxy):
        raise ConfigurationError(
            "proxy must be like http://user:password@proxy.example:3128"
        )
    if ssl is not None and not isinstance(ssl, SSLContext):
        raise ConfigurationError(
            f"ssl must be an ssl.SSLContext, got {type(ssl).__name__}: make one by"
            " ssl.create_default_context(cafile=...)"
        )


def checked_headers(
    headers: Mapping[str, str] | None, asked: Iterable[Provider]
) -> dict[str, str]:
    """Return header fields for every request, with their names as they are usual.

    Raises:
        ConfigurationError: One would carry the key, frame the body, or isn't a header
            field at all.
    """
    checked: dict[str, str] = {}
    keys = {each.key_header.title() for each in asked}
    for name, value in (headers or {}).items():
        usual = name.title()
        if not TOKEN.fullmatch(name) or not isinstance(cast("object", value), str):
            raise ConfigurationError(f"headers: {name!r:.60} is no header field")
        if usual in keys:
            raise ConfigurationError(
                f"headers: {name} carries the key, which api_key sets: leave it out"
            )
        if usual in FRAMING:
            raise ConfigurationError(
                f"headers: {name} follows from the request: leave it out"
            )
        if not VALUE.fullmatch(value):
            raise ConfigurationError(
                f"headers: the value of {name} has characters that no header field may"
                " have, such as a line break"
            )
        checked[usual] = value.strip()
    return checked


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
    key = Secret((api_key or os.environ.get(kind.key_variable) or "").strip())
    if not key:
        raise ConfigurationError(
            f"no API key for {name}: set {kind.key_variable}, or pass api_key"
        )
    if base_url is not None and not _is_address(base_url):
        raise ConfigurationError(
            f"base_url must be like {kind.default_base_url}, got"
            f" {without_password(base_url)!r}"
        )
    return kind(key, base_url)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(str(url))  # a secret shows itself only whole
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
