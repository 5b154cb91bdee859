"""The service's public keys: fetched as they are needed, and kept for a day."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Awaitable, Callable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import anyio
import attrs

from .._call import Call
from .._failover import Channel
from .._http import HttpRequest
from .._ready import backend_ready
from ..client import IdeogramClient
from ..errors import ConfigurationError, IdeogramError, WebhookVerificationError
from ..requests import SubmitGenerateV4
from ._scheme import KEYS_PATH, fault


if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


KEYS_LIFE: Final = 86_400.0
"""Seconds for which keys are kept."""
FETCH_PAUSE: Final = 60.0
"""Seconds from one fetch of the keys to the next."""
RETRY_PAUSE: Final = 5.0
"""The same after a fetch that failed."""
FETCH_TIME: Final = 10.0
"""Seconds for a fetch: the service waits for an answer meanwhile."""
LARGEST_KEY_SET: Final = 64 * 1024
"""Bytes of a key set, which has a few keys; every one may be tried."""


NEEDS_CRYPTOGRAPHY: Final = (
    "webhooks need cryptography: pip install 'ideogram-async[webhooks]'"
)


class Key(NamedTuple):
    key_id: str
    public: Ed25519PublicKey


Keys = tuple[Key, ...]


@attrs.define(eq=False)
class KeySet:
    """The keys of the service.

    Attributes:
        fetch: Returns the key set as the service publishes it; None if it is fixed.
        known: The keys that can be used.
    """

    fetch: Callable[[], Awaitable[Any]] | None
    known: Keys
    _fetched_at: float = attrs.field(default=-math.inf, init=False)
    _not_before: float = attrs.field(default=-math.inf, init=False)

    @cached_property
    def _lock(self) -> anyio.Lock:
        return anyio.Lock()

    async def current(self, now: float) -> Keys:
        """Return keys that are not too old.

        Raises:
            WebhookVerificationError: There are none.
        """
        if self.fetch is None or 0 <= now - self._fetched_at < KEYS_LIFE:
            return self.known
        self.known = ()
        if keys := await self.renewed((), now):
            return keys
        raise fault("no_keys", "the keys could not be fetched just now")

    async def renewed(self, tried: Keys, now: float) -> Keys:
        """Return newer keys than *tried*, or the same if it is too soon to ask.

        Raises:
            WebhookVerificationError: They can't be fetched, or used.
        """
        if self.fetch is None:
            return tried
        await backend_ready()
        async with self._lock:
            if self.known is not tried or 0 < self._not_before - now <= FETCH_PAUSE:
                return self.known
            try:
                self.known = await _fetched(self.fetch)
            except WebhookVerificationError:  # a caller that leaves makes nobody wait
                self._not_before = now + RETRY_PAUSE
                raise
            self._fetched_at, self._not_before = now, now + FETCH_PAUSE
        return self.known


async def _fetched(fetch: Callable[[], Awaitable[Any]]) -> Keys:
    try:
        keys = usable(await fetch())
    except (IdeogramError, ValueError, RecursionError) as error:
        raise fault("no_keys", "the keys can't be fetched") from error
    if not keys:
        raise fault("no_keys", "the service's key set has no key that can be used")
    return keys


def fetcher(client: IdeogramClient) -> Callable[[], Awaitable[Any]]:
    """Return what fetches the key set of the service that *client* submits to."""
    ours: Any = client
    channels: tuple[Channel, ...] = ours._failover.channels  # noqa: SLF001  # our own
    takers = [each for each in channels if SubmitGenerateV4 in each.provider.routes]
    if not takers:
        names = ", ".join(each.provider.name for each in channels)
        raise ConfigurationError(f"{names}: no webhooks; only ideogram has them")
    channel = takers[0]

    async def fetch() -> Any:
        step = HttpRequest("GET", channel.provider.base_url + KEYS_PATH)
        call = Call.within(FETCH_TIME)
        reply = await channel.delivery.deliver(step, channel.provider.check, call)
        if len(reply.body) > LARGEST_KEY_SET:
            raise ValueError("the key set is too large")
        return json.loads(reply.body)

    return fetch


def usable(key_set: Any) -> Keys:
    """Return the keys of *key_set* that are for Ed25519; others are left out."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  # optional
        Ed25519PublicKey,
    )

    listed = _member(key_set, "keys")
    entries = cast("list[Any]", listed) if isinstance(listed, list) else []
    found = list[Key]()
    for entry in entries:
        if (_member(entry, "kty"), _member(entry, "crv")) != ("OKP", "Ed25519"):
            continue
        try:
            raw = base64.urlsafe_b64decode(_member(entry, "x") + "=")
            public = Ed25519PublicKey.from_public_bytes(raw)
        except (TypeError, ValueError):
            continue
        found.append(Key(str(_member(entry, "kid")), public))
    return tuple(found)


def fits(keys: Keys, hint: str, signature: bytes, message: bytes) -> bool:
    """Whether one of *keys* made *signature*; the one that is hinted at goes first."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # optional

    for key in sorted(keys, key=lambda key: key.key_id != hint):
        try:
            key.public.verify(signature, message)
        except InvalidSignature:
            continue
        return True
    return False


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def check_installed() -> None:
    """Check that cryptography is there.

    Raises:
        ConfigurationError: It is not.
    """
    try:
        import_module("cryptography")
    except ImportError as error:
        raise ConfigurationError(NEEDS_CRYPTOGRAPHY) from error
