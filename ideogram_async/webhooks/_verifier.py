"""The verifier: all checks of a webhook, in their order."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from typing import Any, Final

from ..client import IdeogramClient
from ..errors import ConfigurationError
from ..responses import GenerationResponse
from ._keys import KeySet, check_installed, fetcher, fits, usable
from ._scheme import (
    GENERATION_ID,
    KEY_ID,
    SIGNATURE,
    TIMESTAMP,
    USER_ID,
    fault,
    given_fields,
    signed_message,
    told,
)


TOLERANCE: Final = 300.0
"""Seconds between the signing and the check, in both directions."""
REMEMBERED: Final = 10_000
"""How many generations are remembered as seen."""


class WebhookVerifier:
    """Checks that a webhook is the service's own, and returns what it tells.

    ```python
    verifier = WebhookVerifier(client)
    result = await verifier.verify(request.headers, await request.read())
    ```

    One verifier serves any number of webhooks; make it once. Answer 2xx to what it
    returns, and to `"already_seen"`; else the service delivers again, a few times.

    Args:
        client: Fetches the keys of its service, as they are needed.
        keys: The key set, as the service publishes it, instead of a client.
        tolerance: Most seconds between the signing and the check, in both directions.
        remembered: How many generations are remembered as seen; the oldest is
            forgotten first.

    Raises:
        ConfigurationError: `cryptography` is not installed; there are not either a
            client or keys; the client's service has no webhooks; no key can be used.
    """

    def __init__(
        self,
        client: IdeogramClient | None = None,
        *,
        keys: Mapping[str, Any] | None = None,
        tolerance: float = TOLERANCE,
        remembered: int = REMEMBERED,
    ) -> None:
        check_installed()
        if (client is None) == (keys is None):
            raise ConfigurationError("give either a client or keys")
        fetch = None if client is None else fetcher(client)
        self._keys = KeySet(fetch, usable(keys))
        if fetch is None and not self._keys.known:
            raise ConfigurationError("keys has no Ed25519 key that can be used")
        self._tolerance = tolerance
        self._remembered = remembered
        self._seen: dict[str, None] = {}

    async def verify(
        self, headers: Mapping[str, str], raw_body: bytes, now: float | None = None
    ) -> GenerationResponse:
        """Check a webhook and return what it tells: the generation, with its images.

        It is an error to be called for a generation a second time, since the service
        may deliver twice; `forget` takes the first time back.

        Args:
            headers: Header fields, by names in any case.
            raw_body: The body exactly as it came, not parsed and written anew.
            now: The time in seconds since 1970; the clock's if None.

        Raises:
            WebhookVerificationError: It must not be trusted, or was delivered before;
                `reason` says which.
        """
        moment = time.time() if now is None else now
        given = given_fields(headers)
        self._check_age(given, moment)
        await self._check_signature(given, raw_body, moment)
        result = told(raw_body)
        generation_id = given[GENERATION_ID]
        told_id = result.generation_id.encode(errors="surrogatepass")
        if not hmac.compare_digest(generation_id.encode(), told_id):
            raise fault("wrong_id", "the body is about another generation")
        self._note(generation_id)
        return result

    def forget(self, generation_id: str) -> None:
        """Forget that a generation was seen, as what was to be done about it failed.

        When the service delivers it again, it is news.
        """
        self._seen.pop(generation_id, None)

    def _check_age(self, given: Mapping[str, str], now: float) -> None:
        age = now - int(given[TIMESTAMP])
        if age > self._tolerance:
            raise fault("too_old", f"it was signed {age:.0f} s ago")
        if age < -self._tolerance:
            raise fault("too_new", f"it was signed {-age:.0f} s in the future")

    async def _check_signature(
        self, given: Mapping[str, str], body: bytes, now: float
    ) -> None:
        signature = bytes.fromhex(given[SIGNATURE])
        message = signed_message(
            given[GENERATION_ID], given[USER_ID], given[TIMESTAMP], body
        )
        hint = given.get(KEY_ID, "")
        tried = await self._keys.current(now)
        if fits(tried, hint, signature, message):
            return
        newer = await self._keys.renewed(tried, now)
        if newer is tried or not fits(newer, hint, signature, message):
            raise fault("wrong_signature", "no key of the service fits the signature")

    def _note(self, generation_id: str) -> None:
        if generation_id in self._seen:
            raise fault(
                "already_seen",
                f"generation {generation_id} was delivered before: answer 200 and do"
                " nothing",
            )
        self._seen[generation_id] = None
        if len(self._seen) > self._remembered:
            del self._seen[next(iter(self._seen))]
