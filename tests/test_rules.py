"""Checks of field values, derived from types."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

import pytest

from ideogram_async import Upload
from ideogram_async._rules import (
    Between,
    Count,
    MediaTypes,
    NotBlank,
    Pattern,
    TotalSize,
    checker,
)


PNG = Upload.from_bytes(b"\x89PNG\r\n\x1a\n12", "cat.png")
GIF = Upload.from_bytes(b"GIF89a", "cat.gif")
EMPTY = Upload.from_bytes(b"", "empty.png", media_type="image/png")
UNKNOWN = Upload(source=b"", filename="pipe.png", media_type="image/png", size=None)

Percent = Annotated[int, Between(1, 100)]
Color = Annotated[str, Pattern("#[0-9a-f]{3}", "#abc")]
Picture = Annotated[Upload, MediaTypes(("image/png", "image/webp")), TotalSize(16)]
Letter = Literal["alpha", "beta"]
Number = Literal[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
]  # fmt: skip


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, 0),
        (float, 0.5),
        (float, 1),
        (bool, False),
        (str, ""),
        (Percent, 1),
        (Percent, 100),
        (Percent | None, None),
        (Union[Percent, None], 50),  # noqa: UP007  # the older spelling
        (Annotated[str, NotBlank()], " a "),
        (Color, "#0af"),
        (Letter, "beta"),
        (Number, "seventeen"),
        (tuple[Percent, ...], ()),
        (Annotated[tuple[Percent, ...], Count(1, 2)], (1, 100)),
        (Picture, PNG),
        (Annotated[tuple[Picture, ...], TotalSize(20)], (PNG, PNG)),
        (Picture, UNKNOWN),
    ],
)
def test_good_values_pass(hint: Any, value: object) -> None:
    """A value of the type that keeps to its rules has nothing wrong with it."""
    assert checker(hint)(value) is None


@pytest.mark.parametrize(
    ("hint", "value", "complaint"),
    [
        (int, "1", "must be of type int, got '1'"),
        (int, 1.0, "must be of type int, got 1.0"),
        (int, True, "must be of type int, got True"),
        (float, False, "must be of type float, got False"),
        (float, None, "must be of type float, got None"),
        (bool, 1, "must be of type bool, got 1"),
        (str, b"a", "must be of type str, got b'a'"),
        (Percent, 0, "must be in [1, 100], got 0"),
        (Percent, 101, "must be in [1, 100], got 101"),
        (Percent, "5", "must be of type int, got '5'"),
        (Percent | None, 0, "must be in [1, 100], got 0"),
        (Annotated[float, Between(0, 1)], float("nan"), "must be in [0, 1], got nan"),
        (Annotated[str, NotBlank()], " \n", "must not be blank"),
        (Color, "0af", "must look like '#abc', got '0af'"),
        (Color, "#0af\n", "must look like '#abc', got '#0af\\n'"),
        (Letter, "gamma", "must be one of alpha, beta; got 'gamma'"),
        (
            Number,
            "fivteen",
            "must be one of 17 values, such as fifteen, five, sixteen; got 'fivteen'",
        ),
        (Number, 5, "must be one of 17 values, such as one, two, three; got 5"),
        (tuple[Percent, ...], "abc", "must be a tuple or list, got 'abc'"),
        (tuple[Percent, ...], (1, 0), "[1] must be in [1, 100], got 0"),
        (
            Annotated[tuple[int, ...], Count(1, 1)],
            (1, 2),
            "must have 1 member, got 2",
        ),
        (
            Annotated[tuple[int, ...], Count(1, 8)],
            (),
            "must have 1 to 8 members, got 0",
        ),
        (Picture, GIF, "must be image/png, image/webp, got image/gif: cat.gif"),
        (Picture, EMPTY, "must not be empty: empty.png"),
        (
            Annotated[tuple[Picture, ...], TotalSize(19)],
            (PNG, PNG),
            "must be at most 19 bytes, got 20",
        ),
        (Annotated[Picture, TotalSize(9)], PNG, "must be at most 9 bytes, got 10"),
        (
            tuple[Picture, ...],
            (PNG, EMPTY),
            "[1] must not be empty: empty.png",
        ),
    ],
)
def test_bad_values_are_explained(hint: Any, value: object, complaint: str) -> None:
    """A complaint names the limit and the value."""
    assert checker(hint)(value) == complaint


def test_long_values_are_cut() -> None:
    """A complaint about a huge value stays short."""
    assert len(checker(Letter)("x" * 10_000) or "") < 100


def test_text_that_can_not_be_sent() -> None:
    """A text that UTF-8 can't hold is refused before it is sent."""
    assert checker(str)("caf\udce9") == (
        "must be text that UTF-8 can hold, got '\\udce9' in it"
    )
