"""Providers: pure conversations, and errors from any shape of answer."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ideogram_async import (
    AuthenticationError,
    BadRequestError,
    DecodeError,
    GenerateV3,
    ImageResponse,
    InsufficientFundsError,
    NotFoundError,
    RateLimitError,
    SafetyError,
    ServerError,
    StatusError,
)
from ideogram_async._http import HttpResponse
from ideogram_async.providers import PROVIDERS, Provider, status_error


KEY = "sk-test-1234567890"
IDEOGRAM = PROVIDERS["ideogram"]
ANSWER = b'{"created":"2000-01-23T04:56:07Z","data":[{"url":"https://x/1.png"}]}'
DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
NOON = 1_792_567_680.0
"""DATE, in seconds since 1970."""


def ended(provider: Provider, *replies: HttpResponse) -> Any:
    """Converse about a cat with *replies*, and return the answer."""
    exchange = provider.exchange(GenerateV3("a cat"))
    next(exchange)
    for reply in replies[:-1]:
        exchange.send(reply)
    with pytest.raises(StopIteration) as stop:
        exchange.send(replies[-1])
    return stop.value.value


def test_exchange_is_one_step() -> None:
    """The official service answers at once: one request, one reply, one answer."""
    step = next(IDEOGRAM(KEY).exchange(GenerateV3("a cat", num_images=3)))

    assert (step.method, step.places) == ("POST", 3)
    assert step.url == "https://api.ideogram.ai/v1/ideogram-v3/generate"
    assert step.headers == {"Api-Key": KEY}
    answer = ended(IDEOGRAM(KEY), HttpResponse(200, body=ANSWER))
    assert isinstance(answer, ImageResponse)
    assert answer.images[0].url == "https://x/1.png"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>"])
def test_exchange_ends_in_an_error_that_keeps_the_body(body: bytes) -> None:
    """A success that can't be read is a DecodeError with its body."""
    with pytest.raises(DecodeError) as caught:
        ended(IDEOGRAM(KEY), HttpResponse(200, body=body))

    assert caught.value.body == body


@pytest.mark.parametrize(
    "base_url", ["http://localhost:8080", "http://localhost:8080/", "http://h/x//"]
)
def test_base_address_may_be_given(base_url: str) -> None:
    """A given address takes the place of the provider's own."""
    step = next(IDEOGRAM(KEY, base_url).exchange(GenerateV3("a cat")))

    assert step.url == base_url.rstrip("/") + "/v1/ideogram-v3/generate"


def test_repr_hides_the_key() -> None:
    """The repr shows the address and not the key."""
    shown = repr(IDEOGRAM(KEY))

    assert shown == f"<{IDEOGRAM.__name__} 'ideogram' at https://api.ideogram.ai>"


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_is_whole(name: str) -> None:
    """Every provider has a name, an address, a key, and a request for a prompt."""
    provider = PROVIDERS[name]

    step = next(provider(KEY).exchange(provider.default_request("a cat")))

    assert provider.name == name
    assert provider.default_base_url.startswith("https://")
    assert not provider.default_base_url.endswith("/")
    assert provider.key_variable.endswith("_API_KEY")
    assert step.url.startswith(provider.default_base_url)
    assert step.headers[provider.key_header] == provider.key_scheme + KEY
    assert step.places == 1


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_whole_success_is_accepted(status: int) -> None:
    """Any 2xx that came to its end is accepted."""
    IDEOGRAM(KEY).check(HttpResponse(status))


def test_cut_off_success_is_an_error() -> None:
    """A success that broke off keeps what came of it, and is no refusal."""
    with pytest.raises(DecodeError, match="ended 3 bytes into the answer") as caught:
        IDEOGRAM(KEY).check(HttpResponse(200, body=b'{"c', complete=False))

    assert caught.value.body == b'{"c'
    assert not caught.value.complete


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, BadRequestError, "400: no"),
        (413, BadRequestError, "413: no"),
        (401, AuthenticationError, "401: no; check the API key"),
        (403, AuthenticationError, "403: no; check the API key"),
        (402, InsufficientFundsError, "402: no; add credit to the account"),
        (404, NotFoundError, "404: no"),
        (422, SafetyError, "422: no; change the prompt or the image"),
        (429, RateLimitError, "429: no"),
        (500, ServerError, "500: no"),
        (503, ServerError, "503: no"),
        (599, ServerError, "599: no"),
        (418, StatusError, "418: no"),
        (307, StatusError, "307: a redirect, not followed: check the base address"),
        (101, ServerError, "101: no"),
    ],
)
def test_every_status_has_its_error(
    status: int, kind: type[StatusError], message: str
) -> None:
    """A status that is no success becomes the error of its kind, cut off or not."""
    response = HttpResponse(status, body=b'{"error":"no"}', complete=False)

    with pytest.raises(kind) as caught:
        IDEOGRAM(KEY).check(response)

    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.body == b'{"error":"no"}'
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error":"too busy"}', "too busy"),
        (b'{"error":{"message":"too busy","code":1}}', "too busy"),
        (b'{"error":{"code":1},"detail":"bad field"}', "bad field"),
        (b'{"error":"","message":"m"}', "m"),
        (b'{"detail":[1],"title":"Bad Request"}', "Bad Request"),
        (b'{"error":null}', '{"error":null}'),
        (b"<html>\n<b>Bad</b> gateway</html>", "<html> <b>Bad</b> gateway</html>"),
        (b'["a"]', '["a"]'),
        (b"  ", "the service gave no reason"),
        (b"", "the service gave no reason"),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        (b"x" * 1_000, "x" * 300),
        (b"[" * 100_000, "[" * 300),
    ],
)
def test_words_are_found_in_any_shape(body: bytes, words: str) -> None:
    """The service's own words are found in every known shape, else the text is used."""
    assert str(status_error(HttpResponse(500, body=body), KEY)) == f"500: {words}"


def test_reject_reason_is_read() -> None:
    """The documented body of a refusal is read in full."""
    body = {
        "error": "Too many requests",
        "reject_reason": "inflight_limit",
        "max_inflight_requests": 10,
    }

    error = status_error(HttpResponse(429, body=json.dumps(body).encode()), KEY)

    assert str(error) == "429: Too many requests (inflight_limit)"
    assert error.reject_reason == "inflight_limit"
    assert error.max_inflight_requests == 10


@pytest.mark.parametrize("limit", [0, -1, True, "10", 2.5, None])
def test_odd_details_are_ignored(limit: object) -> None:
    """A limit that is no positive number, or a reason that is no text, is none."""
    body = {"max_inflight_requests": limit, "reject_reason": limit and ["x"]}

    error = status_error(HttpResponse(429, body=json.dumps(body).encode()), KEY)

    assert error.max_inflight_requests is None
    assert error.reject_reason is None


def test_key_is_blotted_out() -> None:
    """A service that quotes the key doesn't bring it into a log."""
    body = f'{{"error":"bad key {KEY}"}}'.encode()

    error = status_error(HttpResponse(401, body=body), KEY)

    assert KEY not in str(error)
    assert KEY.encode() not in error.body
    assert "bad key ***" in str(error)


@pytest.mark.parametrize("secret", ["", "no"])
def test_a_stand_in_key_blots_nothing(secret: str) -> None:
    """No key, or a very short one, leaves the words alone."""
    error = status_error(HttpResponse(400, body=b'{"error":"not now"}'), secret)

    assert str(error) == "400: not now"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "5"}, 5.0),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "1e9"}, 86_400.0),
        ({"retry-after": "inf"}, 86_400.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": DATE}, 30.0),
        ({"retry-after": DATE, "date": "Wed, 21 Oct 2026 07:27:50 GMT"}, 10.0),
        ({"retry-after": DATE, "date": "Wed, 21 Oct 2026 07:29:00 GMT"}, 0.0),
        ({"retry-after": DATE, "date": "today"}, 30.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359"}, 86_400.0),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, decimals and dates are read; a date counts from the service's clock."""
    response = HttpResponse(429, headers, received=NOON - 30)

    assert status_error(response, KEY).retry_after == seconds


@pytest.mark.parametrize(
    "date",
    [
        "Wed Oct 21 07:28:10 2026",
        "Wednesday, 21-Oct-26 07:28:10 GMT",
        "Wed, 21 Oct 2026 07:28:10 -0000",
        "Wed, 21 Oct 2026 07:28:10",
        "Wed, 21 Oct 2026 03:28:10 -0400",
    ],
)
def test_dates_are_not_of_this_zone(monkeypatch, date: str) -> None:
    """A date in any form of HTTP, also without a zone, is UTC wherever we are."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        headers = {"retry-after": date, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
        assert status_error(HttpResponse(429, headers), KEY).retry_after == 10.0
    finally:
        monkeypatch.undo()
        time.tzset()


@given(
    status=st.integers(100, 599).filter(lambda status: not 200 <= status < 300),
    body=st.binary() | st.text().map(str.encode),
    retry_after=st.text(),
    date=st.text(),
)
def test_any_answer_becomes_an_error(
    status: int, body: bytes, retry_after: str, date: str
) -> None:
    """Whatever a broken service or proxy sends, it is our error on one line."""
    headers = {"retry-after": retry_after, "date": date}

    error = status_error(HttpResponse(status, headers, body), KEY)

    assert error.status == status
    assert str(error).isprintable()
    assert error.retry_after is None or 0 <= error.retry_after <= 86_400


def test_a_key_in_another_spelling() -> None:
    """A key that is echoed as JSON may spell it is blotted out, too."""
    key = "abc/def+ghi/jkl=1234"
    body = json.dumps({"error": f"bad key {key}"}).replace("/", "\\/").encode()
    error = status_error(HttpResponse(401, body=body), key)

    assert "bad key ***" in str(error)
    assert b"def" not in error.body


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"error": "too many", "status_code": 429}, 429),
        ({"error": "no funds", "status_code": 402}, 402),
        ({"error": "odd", "status_code": "x"}, None),
        ({"error": "odd", "status_code": 200}, None),
    ],
)
def test_an_error_within_a_success(payload: dict[str, Any], status: int | None) -> None:
    """A success whose body is an error with a status is that error."""
    exchange = PROVIDERS["ideogram"]("a key").exchange(GenerateV3("a cat"))
    next(exchange)
    with pytest.raises(StatusError if status else DecodeError) as caught:
        exchange.send(HttpResponse(200, body=json.dumps(payload).encode()))

    assert getattr(caught.value, "status", None) == status
