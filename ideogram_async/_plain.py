"""Requests from plain values: texts of a form, cells of a table, options, JSON.

The types of the fields say what a text means; what can't be meant is left for the
field's own check to refuse.
"""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

import attrs

from .uploads import Upload


T = TypeVar("T")

Open = Callable[[str], Upload]
"""Makes an upload of a text that stands for a file."""


def build(kind: type[T], given: Mapping[str, Any], *, opened: Open | None = None) -> T:
    """Make a value of the class *kind* of plain values by field name.

    Args:
        kind: A request class, or the class of a field.
        given: Texts, numbers, booleans, uploads, objects, or lists of them.
        opened: Makes an upload of a text; where it is None a text is no file.

    Raises:
        ValueError: A field is missing, unknown, or invalid; says which.
    """
    fields = attrs.fields_dict(cast("Any", kind))
    for name in given:
        if name not in fields:
            known = ", ".join(fields)
            raise ValueError(f"{name} is no field of {kind.__name__}: {known}")
    for name, attribute in fields.items():
        if attribute.default is attrs.NOTHING and name not in given:
            raise ValueError(f"{name} is required")
    types = _bare_types(cast("Any", kind))
    return kind(**{n: _value(types[n], v, n, opened) for n, v in given.items()})


def made(kind: type[T], given: Mapping[str, Any]) -> T:
    """Make a request of plain values; a text stands for a file where one is wanted.

    Raises:
        ValueError: A field is missing, unknown, or invalid; says which.
    """
    types = _bare_types(cast("Any", kind))
    texts = {n: _object(types.get(n), text) for n, text in given.items()}
    return build(kind, texts, opened=_opened)


def is_model(cls: Any) -> bool:
    """Whether values of the class are objects in JSON."""
    return attrs.has(cls) and cls is not Upload


def field_names(cls: Any) -> tuple[str, ...]:
    """Return the names of the fields of a class, in order."""
    return tuple(attribute.name for attribute in attrs.fields(cls))


@cache
def field_types(kind: Any) -> dict[str, Any]:
    """Return the type of every field of the class *kind*, by name."""
    own = (_own_types(base) for base in reversed(kind.__mro__))
    return {name: hint for each in own for name, hint in each.items()}


@cache
def _own_types(kind: Any) -> dict[str, Any]:
    """Return the types that the body of *kind* gives: read once for all subclasses."""
    return inspect.get_annotations(kind, eval_str=True)


@cache
def _bare_types(kind: Any) -> dict[str, Any]:
    """Return the type of every field without ranges and None: it is asked per row."""
    return {name: bare(hint) for name, hint in field_types(kind).items()}


def bare(hint: Any) -> Any:
    """Return the type in *hint* without ranges and None."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return bare(arguments[0])
    if origin in (Union, types.UnionType):
        return bare(next(arm for arm in arguments if arm is not types.NoneType))
    return hint


def json_object(value: Any, where: str) -> dict[str, Any]:
    """Return *value*, a JSON object or the text of one.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, str | bytes):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError(f"{where} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be a JSON object")  # noqa: TRY004  # a bad field
    return cast("dict[str, Any]", value)


def _value(wanted: Any, value: Any, name: str, opened: Open | None) -> Any:
    if get_origin(wanted) is tuple:
        inner = bare(get_args(wanted)[0])
        members = cast("list[Any]", value if isinstance(value, list) else [value])
        return tuple(_value(inner, member, name, opened) for member in members)
    if wanted is Upload:
        return opened(value) if opened and isinstance(value, str) else value
    if value is not None and attrs.has(wanted):
        return build(wanted, json_object(value, name), opened=opened)
    return _scalar(wanted, value) if isinstance(value, str) else value


def _scalar(wanted: Any, text: str) -> Any:
    if wanted is int and text.lstrip("-").isdecimal():
        return int(text)
    if wanted is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def _object(hint: Any, text: Any) -> Any:
    """Return an object for a text that names a file with one, or its first field."""
    if not (isinstance(hint, type) and attrs.has(hint)) or hint is Upload:
        return text
    if not isinstance(text, str):
        return text
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"can't read {text[1:]}: {error.strerror}") from None
    if text.lstrip().startswith("{"):
        return text
    return {attrs.fields(cast("Any", hint))[0].name: text}


def _opened(path: str) -> Upload:
    if path.startswith(("http://", "https://")):
        return Upload.from_url(path)
    try:
        return Upload.from_path(path)
    except OSError as error:
        raise ValueError(f"can't read {path}: {error.strerror}") from None
