"""What is verified, and every way in which it may be wrong."""

from __future__ import annotations

import base64
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_args

import pytest
from multidict import CIMultiDict

from ideogram_async import (
    ConfigurationError,
    GenerationResponse,
    IdeogramClient,
    WebhookVerificationError,
)
from ideogram_async.webhooks import WebhookFault, WebhookVerifier

from . import ed25519
from .scheme import (
    BODY,
    ID,
    KEYS,
    NOW,
    OTHER_PUBLIC,
    OTHER_SECRET,
    PUBLIC,
    SECRET,
    USER,
    Webhook,
    signature,
    webhook,
)


PREFIX = "X-Ideogram-Webhook-"
SIGNATURE = PREFIX + "Signature"


def verifier(**options: Any) -> WebhookVerifier:
    """Return a verifier with the documented key."""
    return WebhookVerifier(keys=KEYS, **options)


def test_the_reference_is_right() -> None:
    """The second implementation has the keys and the signature of RFC 8032."""
    assert ed25519.public_key(SECRET).hex() == (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )
    assert ed25519.sign(SECRET, b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    for secret, public in ((SECRET, PUBLIC), (OTHER_SECRET, OTHER_PUBLIC)):
        raw = ed25519.public_key(secret)
        assert base64.urlsafe_b64encode(raw).decode().rstrip("=") == public["x"]


async def test_a_genuine_webhook() -> None:
    """What the documented example tells is returned, as a completed generation."""
    headers, body = webhook()

    result = await verifier().verify(headers, body, now=NOW)

    assert isinstance(result, GenerationResponse)
    assert (result.generation_id, result.status) == (ID, "completed")
    (image,) = result.images
    assert (image.prompt, image.seed) == ("A photo of a cat", 12345)
    assert result.created.isoformat() == "2025-01-23T04:56:07+00:00"


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
async def test_names_of_headers_in_any_case(change: Callable[[str], str]) -> None:
    """Header fields are found by names in any case, in any mapping."""
    headers, body = webhook()
    given = CIMultiDict((change(name), value) for name, value in headers.items())

    for each in (given, dict(given)):
        assert await verifier().verify(each, body, now=NOW)


@pytest.mark.parametrize("kid", ["v2", "gone", ""])
async def test_the_key_id_is_only_a_hint(kid: str) -> None:
    """Every key is tried, whatever the hint says, and also without one."""
    headers, body = webhook(kid=kid, secret=OTHER_SECRET)
    if not kid:
        del headers[PREFIX + "Key-Id"]
    keys = {"keys": [PUBLIC, OTHER_PUBLIC]}

    assert await WebhookVerifier(keys=keys).verify(headers, body, now=NOW)


async def test_an_id_by_its_other_name() -> None:
    """A body that calls the id `request_id`, as one page does, is understood."""
    headers, body = webhook(BODY.replace(b"generation_id", b"request_id"))

    result = await verifier().verify(headers, body, now=NOW)

    assert result.generation_id == ID


@pytest.mark.parametrize("age", [-300, 0, 300])
async def test_the_tolerance_goes_both_ways(age: int) -> None:
    """Up to 300 s between the signing and the check are fine."""
    headers, body = webhook()

    assert await verifier().verify(headers, body, now=NOW + age)


async def test_the_clock_is_the_default() -> None:
    """Without a time of the caller's the clock is asked."""
    headers, body = webhook()
    with pytest.raises(WebhookVerificationError) as raised:
        await verifier().verify(headers, body)

    assert raised.value.reason == "too_new"


def evolve(**options: Any) -> Webhook:
    """Return a webhook that is signed, and otherwise not as documented."""
    return webhook(**options)


def header(name: str, value: str | None) -> Webhook:
    """Return the genuine webhook with another header field, or without it."""
    headers, body = webhook()
    headers[PREFIX + name] = value or ""
    if value is None:
        del headers[PREFIX + name]
    return headers, body


def another_message(message: str) -> Webhook:
    """Return the genuine webhook, signed over another message."""
    return header("Signature", signature(SECRET, message.encode()))


def shifted() -> Webhook:
    """Return the genuine webhook with a signature that is equal modulo the order."""
    raw = bytes.fromhex(webhook()[0][SIGNATURE])
    scalar = int.from_bytes(raw[32:], "little") + ed25519.L
    return header("Signature", (raw[:32] + scalar.to_bytes(32, "little")).hex())


def twice() -> Webhook:
    """Return the genuine webhook with a header field by two names."""
    headers, body = webhook()
    return {**headers, SIGNATURE.lower(): headers[SIGNATURE]}, body


def with_body(body: bytes) -> Webhook:
    """Return the genuine webhook with another body."""
    return webhook()[0], body


DIGEST = "c0ffee" * 10 + "c0ff"
GENUINE = webhook()[0][SIGNATURE]

TAMPERED: dict[str, tuple[Webhook, WebhookFault]] = {
    "a letter of the body": (
        with_body(BODY.replace(b"cat", b"car")),
        "wrong_signature",
    ),
    "a line feed behind the body": (with_body(BODY + b"\n"), "wrong_signature"),
    "blanks in the body": (with_body(BODY.replace(b": ", b":")), "wrong_signature"),
    "no body": (with_body(b""), "wrong_signature"),
    "another generation": (header("Generation-Id", "A" * 22), "wrong_signature"),
    "another account": (header("User-Id", "A" * 22), "wrong_signature"),
    "another second": (header("Timestamp", str(NOW + 1)), "wrong_signature"),
    "a zero before it": (header("Timestamp", f"0{NOW}"), "wrong_signature"),
    "a bit of the signature": (
        header("Signature", f"{int(GENUINE, 16) ^ 1:0128x}"),
        "wrong_signature",
    ),
    "an equal scalar": (shifted(), "wrong_signature"),
    "zeros as a signature": (header("Signature", "0" * 128), "wrong_signature"),
    "another key": (evolve(secret=OTHER_SECRET), "wrong_signature"),
    "another digest": (
        another_message(f"{ID}\n{USER}\n{NOW}\n{DIGEST}"),
        "wrong_signature",
    ),
    "a line feed behind the message": (
        another_message(f"{ID}\n{USER}\n{NOW}\n{DIGEST}\n"),
        "wrong_signature",
    ),
    "half a signature": (header("Signature", GENUINE[:64]), "malformed_signature"),
    "capital digits": (header("Signature", GENUINE.upper()), "malformed_signature"),
    "no digits": (header("Signature", "x" * 128), "malformed_signature"),
    "base64": (
        header("Signature", base64.b64encode(bytes.fromhex(GENUINE)).decode()),
        "malformed_signature",
    ),
    "signed long ago": (evolve(timestamp=str(NOW - 301)), "too_old"),
    "signed in the future": (evolve(timestamp=str(NOW + 301)), "too_new"),
    "milliseconds": (evolve(timestamp=f"{NOW}000"), "malformed_timestamp"),
    "a date": (evolve(timestamp="2027-01-15T08:00:00Z"), "malformed_timestamp"),
    "a negative second": (evolve(timestamp=f"-{NOW}"), "malformed_timestamp"),
    "no generation": (header("Generation-Id", None), "missing_header"),
    "no account": (header("User-Id", None), "missing_header"),
    "an empty account": (header("User-Id", ""), "missing_header"),
    "no timestamp": (header("Timestamp", None), "missing_header"),
    "no signature": (header("Signature", None), "missing_header"),
    "two signatures": (twice(), "repeated_header"),
    "values moved over a line feed": (
        evolve(generation_id=f"{ID}\n{USER}", user="me"),
        "malformed_header",
    ),
    "another alphabet": (header("User-Id", "\u0430" * 22), "malformed_header"),
    "another generation in the body": (evolve(generation_id="A" * 22), "wrong_id"),
    "an id with half a letter": (
        evolve(body=BODY.replace(ID.encode(), b"\\ud83d")),
        "wrong_id",
    ),
    "no JSON": (evolve(body=b"A photo of a cat"), "malformed_body"),
    "a list": (evolve(body=b"[" + BODY + b"]"), "malformed_body"),
    "a deep list": (evolve(body=b"[" * 100_000), "malformed_body"),
    "no images": (evolve(body=BODY.replace(b'"data"', b'"x"')), "malformed_body"),
    "no date": (evolve(body=BODY.replace(b"2025-", b"")), "malformed_body"),
    "no id": (evolve(body=BODY.replace(b"generation_id", b"id")), "malformed_body"),
}


@pytest.mark.parametrize("name", TAMPERED)
async def test_tampering(name: str) -> None:
    """Each kind of tampering fails for its own reason, and its error tells nothing."""
    (headers, body), reason = TAMPERED[name]
    checks = verifier()
    with pytest.raises(WebhookVerificationError) as raised:
        await checks.verify(headers, body, now=NOW)

    error = raised.value
    assert error.reason == reason
    assert f"({reason})" in str(error)
    told = str(error) + repr(vars(error)) + repr(error.__context__)
    assert "cat" not in told
    assert "ephemeral" not in told
    assert headers.get(SIGNATURE, GENUINE) not in told
    assert pickle.loads(pickle.dumps(error)).reason == reason
    genuine, body = webhook()
    assert await checks.verify(genuine, body, now=NOW)


def test_every_reason_is_tried() -> None:
    """The table has every reason but the two that need a history."""
    tried = {reason for _, reason in TAMPERED.values()}

    assert tried == set(get_args(WebhookFault)) - {"no_keys", "already_seen"}
    assert len(TAMPERED) >= 20


async def test_a_second_delivery() -> None:
    """A generation is news once, also where another attempt is signed anew."""
    checks = verifier()
    await checks.verify(*webhook(), now=NOW)
    for timestamp in (NOW, NOW + 30):
        with pytest.raises(WebhookVerificationError, match="answer 200") as raised:
            await checks.verify(*webhook(timestamp=str(timestamp)), now=NOW)
        assert raised.value.reason == "already_seen"
    other = webhook(BODY.replace(ID.encode(), b"other"), generation_id="other")
    assert await checks.verify(*other, now=NOW)


async def test_what_failed_may_come_again() -> None:
    """A generation that is forgotten is news when it is delivered again."""
    checks = verifier()
    await checks.verify(*webhook(), now=NOW)
    checks.forget(ID)
    checks.forget("never seen")

    assert await checks.verify(*webhook(), now=NOW)


async def test_memory_is_bounded() -> None:
    """Only so many generations are remembered; the oldest is forgotten first."""
    checks = verifier(remembered=2)
    calls = [
        webhook(BODY.replace(ID.encode(), name.encode()), generation_id=name)
        for name in ("a", "b", "c")
    ]
    for call in calls:
        await checks.verify(*call, now=NOW)

    assert list(checks._seen) == ["b", "c"]
    assert await checks.verify(*calls[0], now=NOW)


def test_keys_or_a_client() -> None:
    """There must be one source of keys, and keys that can be used."""
    with pytest.raises(ConfigurationError, match="either a client or keys"):
        WebhookVerifier()
    with pytest.raises(ConfigurationError, match="either a client or keys"):
        WebhookVerifier(IdeogramClient("a key"), keys=KEYS)
    with pytest.raises(ConfigurationError, match="pixazo: no webhooks"):
        WebhookVerifier(IdeogramClient("a key", provider="pixazo"))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"keys": None},
        {"keys": [None, "key", {}]},
        {"keys": [{**PUBLIC, "crv": "Ed448"}]},
        {"keys": [{**PUBLIC, "x": "11qYAYKxCrfVS"}]},
        {"keys": [{**PUBLIC, "x": None}]},
    ],
)
def test_keys_that_can_not_be_used(keys: dict[str, Any]) -> None:
    """A key set without a usable key is refused."""
    with pytest.raises(ConfigurationError, match="no Ed25519 key"):
        WebhookVerifier(keys=keys)


async def test_keys_of_other_kinds_are_left_out() -> None:
    """What can't be used doesn't harm what can."""
    keys = {"keys": [{"kty": "RSA"}, {**PUBLIC, "x": 7}, PUBLIC]}

    assert await WebhookVerifier(keys=keys).verify(*webhook(), now=NOW)


def test_without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a verifier says what to install."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'ideogram-async\[web"):
        verifier()


def test_without_the_extra() -> None:
    """One line says what to install; the package itself imports without it."""
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from ideogram_async import ConfigurationError\n"
        "from ideogram_async.sandbox import Sandbox, WebhookPlan\n"
        "from ideogram_async.webhooks import WebhookVerifier\n"
        "for make in (lambda: WebhookVerifier(keys={}),"
        " lambda: Sandbox(webhooks=WebhookPlan())):\n"
        "    try: make()\n"
        "    except ConfigurationError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    (line,) = set(done.stdout.splitlines())
    assert line == "webhooks need cryptography: pip install 'ideogram-async[webhooks]'"


def flipped(text: bytes) -> list[bytes]:
    """Return *text* with each of its bits turned over, one at a time."""
    number, size = int.from_bytes(text), len(text)
    return [(number ^ 1 << bit).to_bytes(size) for bit in range(8 * size)]


async def test_no_bit_may_change() -> None:
    """Any single bit that is another one, of the body or of what is signed, fails."""
    headers, body = webhook()
    fields = [name for name in headers if name.startswith(PREFIX)]
    fields.remove(PREFIX + "Key-Id")  # a hint, which is not signed
    changed = [(headers, other) for other in flipped(body)] + [
        (headers | {name: other.decode("latin-1")}, body)
        for name in fields
        for other in flipped(headers[name].encode())
    ]
    for each in changed:
        with pytest.raises(WebhookVerificationError):
            await verifier().verify(*each, now=NOW)

    assert len(changed) == 8 * (len(body) + sum(len(headers[n]) for n in fields))
    assert await verifier().verify(headers, body, now=NOW)


async def test_no_key_may_change() -> None:
    """A key with any other bit fits no webhook, or is no key."""
    headers, body = webhook()
    raw = base64.urlsafe_b64decode(PUBLIC["x"] + "=")
    for other in flipped(raw):
        x = base64.urlsafe_b64encode(other).decode().rstrip("=")
        with pytest.raises((WebhookVerificationError, ConfigurationError)):
            await WebhookVerifier(keys={"keys": [{**PUBLIC, "x": x}]}).verify(
                headers, body, now=NOW
            )
