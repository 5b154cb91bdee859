"""Webhooks: header fields, bodies that are signed and that are not, sets of keys."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterator
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ideogram_async import WebhookVerificationError
from ideogram_async.webhooks import WebhookVerifier
from ideogram_async.webhooks._keys import usable

from ..webhooks.scheme import BODY, ID, KEYS, NOW, OTHER_PUBLIC, SECRET, USER, webhook


HEADER = "X-Ideogram-Webhook-"


@cache
def verifier() -> WebhookVerifier:
    """Return what verifies with the documented key."""
    return WebhookVerifier(keys=KEYS)


def seeds() -> Iterator[bytes]:
    """Yield bodies to be signed, whole webhooks, and sets of keys."""
    for body in (BODY, b"{}", b'{"request_id": "a", "data": []}', b"[1]"):
        yield b"s" + body
    headers, body = webhook()
    yield b"w" + json.dumps(headers).encode() + b"\n" + body
    yield b"w" + json.dumps({**headers, "x-ideogram-webhook-key-id": "v2"}).encode()
    yield b"k" + json.dumps({"keys": [*KEYS["keys"], OTHER_PUBLIC]}).encode()
    yield b'k{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": ""}, 1]}'


def try_one(content: bytes) -> None:
    """Take *content* for a signed body, for a whole webhook, or for a set of keys."""
    {b"s": _signed, b"w": _whole, b"k": _keys}.get(content[:1], _signed)(content[1:])


def _signed(body: bytes) -> None:
    digest = hashlib.sha256(body).hexdigest()
    message = f"{ID}\n{USER}\n{NOW}\n{digest}".encode()
    signature = Ed25519PrivateKey.from_private_bytes(SECRET).sign(message)
    fields = ("Generation-Id", ID), ("User-Id", USER), ("Timestamp", str(NOW))
    headers = {HEADER + name: value for name, value in fields}
    _verify({**headers, HEADER + "Signature": signature.hex()}, body)


def _whole(content: bytes) -> None:
    first, _, body = content.partition(b"\n")
    try:
        given = json.loads(first)
    except (ValueError, RecursionError):
        return
    if isinstance(given, dict):
        _verify({name: str(value) for name, value in given.items()}, body)


def _keys(content: bytes) -> None:
    try:
        given = json.loads(content)
    except (ValueError, RecursionError):
        return
    for key in usable(given):
        assert len(key.public.public_bytes_raw()) == 32


def _verify(headers: dict[str, str], body: bytes) -> None:
    try:
        result = _run(verifier().verify(headers, body, float(NOW)))
    except WebhookVerificationError as error:
        assert str(error).isprintable()
        assert error.reason
        pickle.loads(pickle.dumps(error))
    else:
        assert result.generation_id == ID
        verifier().forget(ID)


def _run(coroutine: Any) -> Any:
    """Run what waits for nothing, as the keys are known."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")
