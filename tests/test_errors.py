"""The error tree, and what every error promises."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ideogram_async
from ideogram_async import errors
from ideogram_async.errors import (
    ConnectionFailedError,
    DecodeError,
    IdeogramError,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    StatusError,
    TransportError,
    one_line,
)
from ideogram_async.requests import GenerateV3


def subclasses(cls: type[IdeogramError]) -> list[type[IdeogramError]]:
    """Return *cls* and all public ones below it, in the order of their definition."""
    subs = [each for each in cls.__subclasses__() if each.__module__ == cls.__module__]
    return [cls, *(each for sub in subs for each in subclasses(sub))]


ERRORS = subclasses(IdeogramError)


def test_drawn_tree_is_the_real_one() -> None:
    """The tree in the module's docstring shows every class under its parent."""
    drawn = re.findall(r"^([│ ├└─]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    depths = [(len(branch) // 3, name) for branch, name in drawn]

    assert depths == [
        (cls.__mro__.index(IdeogramError), cls.__name__) for cls in ERRORS
    ]


@pytest.mark.parametrize("cls", ERRORS)
def test_every_error_is_public(cls: type[IdeogramError]) -> None:
    """Every error can be imported from the package, and says what it means."""
    assert getattr(ideogram_async, cls.__name__) is cls
    assert cls.__name__ in ideogram_async.__all__
    assert cls.__doc__


@pytest.mark.parametrize("cls", ERRORS)
def test_every_error_survives_pickling(cls: type[IdeogramError]) -> None:
    """An error crosses to another process with all that it knows."""
    error = cls("no luck", provider="ideogram", request=GenerateV3("a cat"))
    error.add_note("a note")

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is cls
    assert str(copy) == "no luck"
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("cls", ERRORS)
def test_every_error_has_defaults(cls: type[IdeogramError]) -> None:
    """An error can be made without anything, as stand-ins in users' tests are."""
    error = cls()

    assert str(error) == ""
    assert error.provider is None
    assert error.request is None


@pytest.mark.parametrize(
    ("cls", "status"),
    [
        ("StatusError", 0),
        ("BadRequestError", 400),
        ("AuthenticationError", 401),
        ("InsufficientFundsError", 402),
        ("NotFoundError", 404),
        ("SafetyError", 422),
        ("RateLimitError", 429),
        ("ServerError", 500),
    ],
)
def test_status_errors_know_their_usual_status(cls: str, status: int) -> None:
    """A status error has the status of its class unless another is given."""
    kind: type[StatusError] = getattr(errors, cls)

    assert kind().status == status
    assert kind(status=418).status == 418


def test_status_error_keeps_what_the_service_said() -> None:
    """All parts of a refusal are kept."""
    error = RateLimitError(
        "busy",
        reject_reason="inflight_limit",
        retry_after=2.5,
        max_inflight_requests=4,
        body=b"{}",
    )

    assert error.reject_reason == "inflight_limit"
    assert error.retry_after == 2.5
    assert error.max_inflight_requests == 4
    assert error.body == b"{}"


def test_delivery_says_what_is_known() -> None:
    """Only a connection that failed is known to have sent nothing."""
    kinds = (
        TransportError,
        ConnectionFailedError,
        RequestTimeoutError,
        OutcomeUnknownError,
    )

    known = {kind.__name__: kind().delivery for kind in kinds}

    assert known == {
        "TransportError": "unknown",
        "ConnectionFailedError": "not_sent",
        "RequestTimeoutError": "unknown",
        "OutcomeUnknownError": "unknown",
    }
    assert RequestTimeoutError(delivery="not_sent").delivery == "not_sent"


def test_timeout_is_a_timeout_error() -> None:
    """Python's own `except TimeoutError` catches ours."""
    with pytest.raises(TimeoutError, match="time was up"):
        raise RequestTimeoutError("time was up")


def test_decode_error_keeps_the_body() -> None:
    """What was paid for is not lost with the error."""
    error = DecodeError("bad", field="data[0].seed", body=b"[1]", complete=False)

    assert (error.field, error.body, error.complete) == ("data[0].seed", b"[1]", False)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one\ntwo\r\n  three", "one two three"),
        ("\x1b[31mred", "\N{REPLACEMENT CHARACTER}[31mred"),
        ("a\u2028b", "a b"),
        ("\u202eabc\x00", "\N{REPLACEMENT CHARACTER}abc\N{REPLACEMENT CHARACTER}"),
        ("Größe 猫", "Größe 猫"),
        ("", ""),
    ],
)
def test_message_is_one_line(text: str, line: str) -> None:
    """White space is folded, control characters are replaced, letters stay."""
    assert str(IdeogramError(text)) == line


@given(st.text())
def test_any_text_becomes_one_printable_line(text: str) -> None:
    """Whatever the service says, it can't break a line or move the cursor."""
    line = one_line(text)

    assert line.isprintable()
    assert len(line.splitlines()) <= 1
