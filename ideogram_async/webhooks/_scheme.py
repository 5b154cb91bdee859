"""The documented scheme, purely: header fields, the signed message, the body.

Source: https://developer.ideogram.ai/v1/webhooks
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from .._codec import decode
from ..errors import DecodeError, WebhookVerificationError
from ..responses import GenerationResponse


PREFIX: Final = "X-Ideogram-Webhook-"
GENERATION_ID: Final = PREFIX + "Generation-Id"
USER_ID: Final = PREFIX + "User-Id"
TIMESTAMP: Final = PREFIX + "Timestamp"
KEY_ID: Final = PREFIX + "Key-Id"
SIGNATURE: Final = PREFIX + "Signature"
SIGNED: Final = (GENERATION_ID, USER_ID, TIMESTAMP, SIGNATURE)
HEADERS: Final = {name.lower(): name for name in (*SIGNED, KEY_ID)}

KEYS_PATH: Final = "/v1/.well-known/jwks.json"

WebhookFault = Literal[
    "missing_header",
    "repeated_header",
    "malformed_header",
    "malformed_timestamp",
    "malformed_signature",
    "too_old",
    "too_new",
    "no_keys",
    "wrong_signature",
    "malformed_body",
    "wrong_id",
    "already_seen",
]
"""Which check a webhook failed, in the order of the checks.

A header is not there; there twice; not one line of ASCII. The timestamp is not in Unix
seconds; the signature is not 128 lowercase hexadecimal digits. It was signed too long
ago, or in the future. The service's keys can't be had now. No key fits the signature:
something was changed, or somebody else signed it. The body is signed, but not as
documented; it is about another generation than the headers are. It is genuine, and was
delivered before.
"""


def signed_message(
    generation_id: str, user_id: str, timestamp: str, body: bytes
) -> bytes:
    """Return what the service signs: four values, joined by line feeds."""
    digest = hashlib.sha256(body).hexdigest()
    return f"{generation_id}\n{user_id}\n{timestamp}\n{digest}".encode()


def given_fields(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the header fields by their documented names, checked for their form.

    Raises:
        WebhookVerificationError: One is missing, there twice, or malformed.
    """
    given: dict[str, str] = {}
    for field, value in headers.items():
        name = HEADERS.get(field.lower())
        if name is None:
            continue
        if name in given:
            raise fault("repeated_header", f"{name} is there twice")
        if not (value.isascii() and value.isprintable()):
            raise fault("malformed_header", f"{name} is not a line of ASCII")
        given[name] = value
    for name in SIGNED:
        if not given.get(name):
            raise fault("missing_header", f"{name} is missing")
    if not re.fullmatch("[0-9]{1,12}", given[TIMESTAMP]):
        raise fault("malformed_timestamp", f"{TIMESTAMP} is not in Unix seconds")
    if not re.fullmatch("[0-9a-f]{128}", given[SIGNATURE]):
        raise fault(
            "malformed_signature", f"{SIGNATURE} is not 128 lowercase hex digits"
        )
    return given


def told(body: bytes) -> GenerationResponse:
    """Return what a signed body tells; it comes when the generation is completed.

    Raises:
        WebhookVerificationError: It is not as documented.
    """
    where = "it is not JSON"
    try:
        payload = json.loads(body)
        if isinstance(payload, dict) and "data" in payload:
            fields = cast("dict[str, Any]", payload)
            names = {"generation_id": fields.get("request_id"), "status": "completed"}
            return decode(names | fields, GenerationResponse, b"")
        where = "it is not an object with data"
    except DecodeError as error:
        where = f"wrong field {error.field}"
    except (ValueError, RecursionError):
        pass
    raise fault("malformed_body", f"the body is not as documented: {where}")


def fault(reason: WebhookFault, said: str) -> WebhookVerificationError:
    """Return the error for a webhook that failed a check."""
    return WebhookVerificationError(
        f"the webhook is not to be trusted ({reason}): {said}", reason=reason
    )
