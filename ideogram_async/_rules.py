"""Checks of field values, derived from the field's type alone.

`checker(hint)` turns a type such as `Annotated[int, Between(1, 8)] | None` into a
function that returns what is wrong with a value, or None. A rule is whatever stands
behind the type in an `Annotated`: a callable from value to complaint.
"""

from __future__ import annotations

import re
import reprlib
import types
from collections.abc import Callable, Sized
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Protocol,
    Union,
    cast,
    get_args,
    get_origin,
)


Check = Callable[[Any], str | None]
"""From a value to what is wrong with it, or None."""

LISTED = 16
"""A closed set of up to this many values is listed in full in a complaint."""


class Measured(Protocol):
    """What the size rules look at: an upload."""

    @property
    def size(self) -> int | None:
        """Length in bytes, or None if unknown."""
        ...

    @property
    def media_type(self) -> str:
        """Media type of the content."""
        ...


class Between(NamedTuple):
    """A number in a closed range."""

    low: float
    high: float

    def __call__(self, value: float) -> str | None:
        """Return a complaint if *value* is out of range."""
        if self.low <= value <= self.high:
            return None
        return f"must be in [{self.low}, {self.high}], got {value!r}"


class NotBlank(NamedTuple):
    """A text with something in it."""

    def __call__(self, value: str) -> str | None:
        """Return a complaint if *value* holds white space at most."""
        return None if value.strip() else "must not be blank"


class Pattern(NamedTuple):
    """A text that matches a regular expression from end to end."""

    expression: str
    example: str

    def __call__(self, value: str) -> str | None:
        """Return a complaint if *value* does not match."""
        if re.fullmatch(self.expression, value):
            return None
        return f"must look like {self.example!r}, got {reprlib.repr(value)}"


class Count(NamedTuple):
    """How many members a list may have."""

    low: int
    high: int

    def __call__(self, value: Sized) -> str | None:
        """Return a complaint if *value* has too few or too many members."""
        if self.low <= len(value) <= self.high:
            return None
        limits = f"{self.low} to {self.high}" if self.low < self.high else self.high
        members = "member" if self.high == 1 else "members"
        return f"must have {limits} {members}, got {len(value)}"


class MediaTypes(NamedTuple):
    """The media types that a file may have."""

    allowed: tuple[str, ...]

    def __call__(self, value: Measured) -> str | None:
        """Return a complaint if *value* is of another type."""
        if value.media_type in self.allowed:
            return None
        return f"must be {', '.join(self.allowed)}, got {value.media_type}: {value}"


class TotalSize(NamedTuple):
    """The most bytes of a file, or of a list of files together; none may be empty."""

    limit: int

    def __call__(self, value: Measured | tuple[Measured, ...]) -> str | None:
        """Return a complaint if *value* is known to be larger, or empty."""
        files = value if isinstance(value, tuple) else (value,)
        for file in files:
            if file.size == 0:
                return f"must not be empty: {file}"
        size = sum(file.size or 0 for file in files)
        if size <= self.limit:
            return None
        return f"must be at most {self.limit} bytes, got {size}"


@cache
def checker(hint: Any) -> Check:
    """Return the check for values of the type *hint*."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _all_of(checker(arguments[0]), *arguments[1:])
    if is_optional(hint):
        return _optional(checker(without_none(hint)))
    if origin is Literal:
        return _member_of(arguments)
    if origin is tuple:
        return _every(checker(arguments[0]))
    return _instance_of(hint)


def is_optional(hint: Any) -> bool:
    """Whether None is a value of the type *hint*."""
    return get_origin(hint) in (Union, types.UnionType)


def without_none(hint: Any) -> Any:
    """Return the type *hint* of a value that is given."""
    if not is_optional(hint):
        return hint
    (inner,) = (arm for arm in get_args(hint) if arm is not types.NoneType)
    return inner


def _all_of(*checks: Check) -> Check:
    def check(value: Any) -> str | None:
        for each in checks:
            if wrong := each(value):
                return wrong
        return None

    return check


def _optional(inner: Check) -> Check:
    return lambda value: None if value is None else inner(value)


def _member_of(allowed: tuple[str, ...]) -> Check:
    def check(value: Any) -> str | None:
        if value in allowed:
            return None
        if len(allowed) <= LISTED:
            return f"must be one of {', '.join(allowed)}; got {reprlib.repr(value)}"
        import difflib  # noqa: PLC0415  # for this complaint alone

        near = difflib.get_close_matches(str(value), allowed) or allowed[:3]
        return (
            f"must be one of {len(allowed)} values, such as {', '.join(near)}; "
            f"got {reprlib.repr(value)}"
        )

    return check


def _every(inner: Check) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, tuple):
            return f"must be a tuple or list, got {reprlib.repr(value)}"
        members = cast("tuple[Any, ...]", value)
        found = ((place, inner(member)) for place, member in enumerate(members))
        return next((f"[{at}] {wrong}" for at, wrong in found if wrong), None)

    return check


def _instance_of(kind: type[Any]) -> Check:
    if kind is str:
        return _text
    accepted = (int, float) if kind is float else (kind,)

    def check(value: Any) -> str | None:
        is_stray_bool = isinstance(value, bool) and kind is not bool
        if not isinstance(value, accepted) or is_stray_bool:
            return f"must be of type {kind.__name__}, got {reprlib.repr(value)}"
        return None

    return check


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"must be of type str, got {reprlib.repr(value)}"
    if value.isascii():
        return None
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return f"must be text that UTF-8 can hold, got {value[error.start]!r} in it"
    return None
