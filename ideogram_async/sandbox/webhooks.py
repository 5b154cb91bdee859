"""Webhooks: told when a generation is completed, signed as the service signs them.

They are delivered on time, or, on request, late, twice, or with a signature of somebody
else. An answer that is not 2xx is followed by another attempt, a few times; then the
webhook is dropped. Of a generation that failed nobody is told.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, get_args
from urllib.parse import urlsplit

import aiohttp
import attrs

from ..requests import GetGeneration
from ..webhooks._keys import check_installed
from ..webhooks._scheme import (
    GENERATION_ID,
    KEY_ID,
    SIGNATURE,
    TIMESTAMP,
    USER_ID,
    signed_message,
)
from .faults import Draws
from .later import get_generation, is_public
from .studio import Generation, Studio, new_id


if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


WebhookTrick = Literal["late", "twice", "forged"]
"""What is wrong with a webhook: it comes late, twice, or signed by somebody else."""

PUBLISHED: Final = 3
"""How many keys are published: the current one and those before it."""


@attrs.define(kw_only=True)
class WebhookPlan(Draws[WebhookTrick]):
    """How webhooks are delivered.

    Attributes:
        rates: Share of them that have something wrong, in [0, 1] together, by what.
        seed: Makes the draws repeatable.
        late_by: Seconds that a late one is late.
        attempts: Most attempts to deliver one, 1 or more.
        pause: Seconds between two attempts.
        patience: Seconds that a receiver may take to answer.
    """

    known: ClassVar[tuple[str, ...]] = get_args(WebhookTrick)

    late_by: float = 2.0
    attempts: int = 3
    pause: float = 1.0
    patience: float = 10.0


@attrs.frozen
class WebhookDelivery:
    """One attempt to deliver a webhook.

    Attributes:
        generation_id: What it told of.
        status: What the receiver answered; 0 if nothing.
        trick: What was wrong with it; or None.
    """

    generation_id: str
    status: int
    trick: WebhookTrick | None


class Signer:
    """Signs webhooks; its keys change."""

    def __init__(self) -> None:
        self._account = new_id()
        self._keys: list[tuple[str, Ed25519PrivateKey]] = []
        self._made = 0
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on; the last ones stay published."""
        self._made += 1
        self._keys.insert(0, (f"v{self._made}", _new_key()))
        del self._keys[PUBLISHED:]

    @property
    def key_set(self) -> dict[str, Any]:
        """The public keys, as they are published."""
        return {"keys": [_published(name, key) for name, key in self._keys]}

    def headers(
        self, generation_id: str, body: bytes, now: float, *, forged: bool = False
    ) -> dict[str, str]:
        """Return the header fields of a webhook, signed at *now*."""
        name, key = self._keys[0]
        if forged:
            key = _new_key()
        moment = str(int(now))
        message = signed_message(generation_id, self._account, moment, body)
        return {
            GENERATION_ID: generation_id,
            USER_ID: self._account,
            TIMESTAMP: moment,
            KEY_ID: name,
            SIGNATURE: key.sign(message).hex(),
            "Content-Type": "application/json",
        }


class Webhooks:
    """Delivers the webhooks of a sandbox.

    Args:
        studio: Knows the generations.
        plan: How they are delivered.

    Attributes:
        plan: The same.
        signer: Signs them; `signer.rotate()` changes the key.
        deliveries: All attempts so far, in order.

    Raises:
        ConfigurationError: `cryptography` is not installed.
    """

    def __init__(self, studio: Studio, plan: WebhookPlan) -> None:
        check_installed()
        self.plan = plan
        self.signer: Signer = Signer()
        self.deliveries: list[WebhookDelivery] = []
        self._studio = studio
        self._tasks: set[asyncio.Task[None]] = set()

    def announce(self, generation: Generation) -> None:
        """Tell of *generation* when it is completed."""
        task = asyncio.create_task(self._follow(generation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Drop what is not delivered yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, generation: Generation) -> None:
        trick = self.plan.draw()
        request: Any = generation.request
        url: str = request.webhook_url
        generation_id = generation.generation_id
        while (left := generation.due - self._studio.clock()) > 0:  # noqa: ASYNC110  # a clock that may be set
            await asyncio.sleep(left)
        answer = get_generation(self._studio, GetGeneration(generation_id))
        if "data" not in answer:
            return
        names = ("generation_id", "created", "data")
        body = json.dumps({name: answer[name] for name in names}).encode()
        if trick == "late":
            await asyncio.sleep(self.plan.late_by)
        for _ in range(2 if trick == "twice" else 1):
            await self._deliver(url, generation_id, body, trick)

    async def _deliver(
        self, url: str, generation_id: str, body: bytes, trick: WebhookTrick | None
    ) -> None:
        timeout = aiohttp.ClientTimeout(self.plan.patience)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            for attempt in range(self.plan.attempts):
                if attempt:
                    await asyncio.sleep(self.plan.pause)
                headers = self.signer.headers(
                    generation_id, body, self._studio.clock(), forged=trick == "forged"
                )
                status = await _posted(http, _reachable(url), body, headers)
                self.deliveries.append(WebhookDelivery(generation_id, status, trick))
                if 200 <= status < 300:  # noqa: PLR2004  # successes of HTTP
                    return


async def _posted(
    http: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]
) -> int:
    try:
        async with http.post(
            url, data=body, headers=headers, allow_redirects=False
        ) as reply:
            return reply.status
    except (aiohttp.ClientError, TimeoutError):
        return 0


def _reachable(url: str) -> str:
    """Return where *url* is: a receiver on a private host seldom has a certificate."""
    host = urlsplit(url).hostname or ""
    return url if is_public(host) else url.replace("https:", "http:", 1)


def _new_key() -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  # optional
        Ed25519PrivateKey,
    )

    return Ed25519PrivateKey.generate()


def _published(name: str, key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes_raw()
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "kid": name,
        "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
        "alg": "EdDSA",
    }
