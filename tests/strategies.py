"""Hypothesis strategies that build any valid request from the types of its fields."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import attrs
from hypothesis import assume
from hypothesis import strategies as st

from ideogram_async import Upload
from ideogram_async._rules import (
    Between,
    Count,
    MediaTypes,
    NotBlank,
    Pattern,
    TotalSize,
)
from ideogram_async.requests import REQUESTS, Request


T = TypeVar("T")

HEADS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/webp": b"RIFF\x04\x00\x00\x00WEBP",
    "image/gif": b"GIF89a",
    "application/zip": b"PK\x03\x04",
}


def requests() -> st.SearchStrategy[Request[Any]]:
    """Return a strategy for requests of every class in the registry."""
    return st.sampled_from(sorted(REQUESTS)).flatmap(
        lambda name: models(REQUESTS[name])
    )


@st.composite
def models(draw: st.DrawFn, cls: type[T]) -> T:
    """Draw a valid value of the attrs class *cls*.

    Fields that exclude each other are left out one by one until the value is valid.
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    declared = attrs.fields(typing.cast("Any", cls))
    optional = [each.name for each in declared if each.default is not attrs.NOTHING]
    given = {
        each.name: draw(values(hints[each.name]))
        for each in declared
        if each.default is attrs.NOTHING or draw(st.booleans())
    }
    for name in [None, *draw(st.permutations(optional))]:
        given.pop(name or "", None)
        try:
            return cls(**given)
        except ValueError:
            continue
    assume(condition=False)
    raise AssertionError


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for valid values of the type *hint*."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _ruled(arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        arms = [arm for arm in arguments if arm is not types.NoneType]
        return st.none() | st.one_of(*map(values, arms))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return _tuples(arguments[0], Count(0, 3))
    if attrs.has(hint) and hint is not Upload:
        return models(hint)
    return _PLAIN[hint]


_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(),
    Upload: st.deferred(lambda: uploads(tuple(HEADS))),
}


def uploads(media_types: tuple[str, ...]) -> st.SearchStrategy[Upload]:
    """Return a strategy for small uploads of one of *media_types*."""
    return st.builds(
        lambda media_type, tail, name: Upload.from_bytes(
            HEADS.get(media_type, b"content") + tail, name, media_type=media_type
        ),
        st.sampled_from(media_types),
        st.binary(max_size=16),
        st.text(min_size=1, max_size=12),
    )


def _tuples(member: Any, count: Count) -> st.SearchStrategy[Any]:
    most = min(count.high, count.low + 3)
    return st.lists(values(member), min_size=count.low, max_size=most).map(tuple)


def _ruled(hint: Any, rules: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Return a strategy for *hint*, made by the first rule that can make values."""
    for rule in rules:
        if make := _MAKERS.get(type(rule)):
            return make(hint, rule)
    return values(hint)


def _numbers(hint: Any, rule: Between) -> st.SearchStrategy[Any]:
    if hint is float:
        return st.floats(rule.low, rule.high)
    return st.integers(int(rule.low), int(rule.high))


_MAKERS: dict[type[Any], Callable[[Any, Any], st.SearchStrategy[Any]]] = {
    Between: _numbers,
    NotBlank: lambda hint, _: st.text(min_size=1).filter(str.strip),
    Pattern: lambda _, rule: st.from_regex(rule.expression, fullmatch=True),
    Count: lambda hint, rule: _tuples(get_args(hint)[0], rule),
    MediaTypes: lambda _, rule: uploads(rule.allowed),
    TotalSize: lambda hint, _: values(hint),
}
