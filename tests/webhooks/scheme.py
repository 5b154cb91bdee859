"""The documented scheme of webhooks, written from its page; nothing of ours in it."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from .ed25519 import sign


ID = "xtdZiqPwRxqY1Y7NExFmzB"
USER = "0UZ7ZVhPTg2DTfX2Tt5Jhg"
NOW = 1_800_000_000
BODY = (
    b'{"generation_id": "xtdZiqPwRxqY1Y7NExFmzB", "created": "2025-01-23T04:56:07Z",'
    b' "data": [{"url": "https://ideogram.ai/api/images/ephemeral/'
    b'xtdZiqPwRxqY1Y7NExFmzB.png", "prompt": "A photo of a cat", "resolution":'
    b' "2048x2048", "seed": 12345, "is_image_safe": true}]}'
)
"""The documented example."""

SECRET = bytes.fromhex(
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
)
PUBLIC = {
    "kty": "OKP",
    "crv": "Ed25519",
    "use": "sig",
    "kid": "v1",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "alg": "EdDSA",
}
"""The key of RFC 8032, section 7.1, test 1, as the documentation publishes it."""

OTHER_SECRET = bytes.fromhex(
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
)
OTHER_PUBLIC = {
    **PUBLIC,
    "kid": "v2",
    "x": "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
}
"""The same of test 2."""

KEYS: dict[str, Any] = {"keys": [PUBLIC]}

Webhook = tuple[dict[str, str], bytes]
"""Header fields and the raw body."""


@cache
def signature(secret: bytes, message: bytes) -> str:
    """Return the signature of *message* as the header has it."""
    return sign(secret, message).hex()


def webhook(
    body: bytes = BODY,
    *,
    generation_id: str = ID,
    user: str = USER,
    timestamp: str = str(NOW),
    kid: str = "v1",
    secret: bytes = SECRET,
) -> Webhook:
    """Return a webhook that is signed as documented."""
    digest = hashlib.sha256(body).hexdigest()
    message = f"{generation_id}\n{user}\n{timestamp}\n{digest}".encode()
    headers = {
        "X-Ideogram-Webhook-Generation-Id": generation_id,
        "X-Ideogram-Webhook-User-Id": user,
        "X-Ideogram-Webhook-Timestamp": timestamp,
        "X-Ideogram-Webhook-Key-Id": kid,
        "X-Ideogram-Webhook-Signature": signature(secret, message),
        "Content-Type": "application/json",
    }
    return headers, body
