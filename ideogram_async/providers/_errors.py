"""From an HTTP response that is no success to the error that says so.

The service documents few error bodies, and gateways none, so any shape is read: the
documented `{"error", "reject_reason"}`, a framework's `{"detail", "title"}`, or text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final, cast

from .._http import HttpResponse
from ..errors import (
    AuthenticationError,
    BadRequestError,
    InsufficientFundsError,
    NotFoundError,
    RateLimitError,
    SafetyError,
    ServerError,
    StatusError,
)


CLASSES: Final[Mapping[int, type[StatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: AuthenticationError,
    404: NotFoundError,
    413: BadRequestError,
    422: SafetyError,
    429: RateLimitError,
}

REMEDIES: Final[Mapping[type[StatusError], str]] = {
    AuthenticationError: "check the API key",
    InsufficientFundsError: "add credit to the account",
    SafetyError: "change the prompt or the image",
}

LONGEST_PAUSE: Final = 86_400.0
"""A `Retry-After` of more than a day, in seconds, is read as a day."""

SHORTEST_KEY: Final = 8
"""A shorter key is a stand-in, and might be a part of any word."""

QUOTED: Final = 300
"""How many characters of the service's own words go into a message."""


def status_error(response: HttpResponse, secret: str) -> StatusError:
    """Return the error for *response*, with *secret* blotted out in its body."""
    blotted = without_secret(response.body, secret)
    payload = _json_object(blotted)
    status = response.status
    is_answer = 200 <= status < 500  # noqa: PLR2004  # else it may have run
    error = CLASSES.get(status) or (StatusError if is_answer else ServerError)
    words = _words(payload) or blotted.decode(errors="replace").strip()
    if 300 <= status < 400:  # noqa: PLR2004
        words = "a redirect, not followed: check the base address"
    reason = payload.get("reject_reason")
    limit = payload.get("max_inflight_requests")
    message = f"{status}: {words[:QUOTED] or 'the service gave no reason'}"
    if isinstance(reason, str):
        message += f" ({reason})"
    if remedy := REMEDIES.get(error):
        message += f"; {remedy}"
    return error(
        message,
        status=status,
        reject_reason=reason if isinstance(reason, str) else None,
        retry_after=retry_after(response),
        max_inflight_requests=limit if _is_limit(limit) else None,
        body=blotted,
    )


def without_secret(body: bytes, secret: str) -> bytes:
    """Return *body* with *secret* blotted out wherever it stands."""
    for spelling in _spellings(secret):
        if spelling in body:
            body = body.replace(spelling, b"***")
    return body


@lru_cache(maxsize=16)
def _spellings(secret: str) -> tuple[bytes, ...]:
    """Return how *secret* may be written, also as some JSON has it."""
    if len(secret) < SHORTEST_KEY:
        return ()
    return tuple({secret.encode(), secret.replace("/", "\\/").encode()})


def retry_after(response: HttpResponse) -> float | None:
    """Return the seconds that `Retry-After` asks to wait; None if it can't be read.

    It may be whole seconds, a decimal number, or an HTTP date, which is compared with
    the service's own clock (`Date`), or with ours where it shows none.
    """
    text = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        moment = _timestamp(text)
        if moment is None:
            return None
        now = _timestamp(response.headers.get("date", ""))
        seconds = moment - (response.received if now is None else now)
    if math.isnan(seconds):
        return None
    return min(max(0.0, seconds), LONGEST_PAUSE)


def _timestamp(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}


def _words(payload: Mapping[str, Any]) -> str:
    for name in ("error", "message", "detail", "title"):
        found: Any = payload.get(name)
        if isinstance(found, dict):
            found = cast("dict[str, Any]", found).get("message")
        if isinstance(found, str) and found:
            return found
    return ""


def _is_limit(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
