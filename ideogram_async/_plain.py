"""Requests from plain values: texts of a form, cells of a table, options, JSON.

The types of the fields say what a text means; what can't be meant is left for the
field's own check to refuse.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
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
    hints = field_types(cast("Any", kind))
    return kind(**{n: _value(hints[n], v, n, opened) for n, v in given.items()})


@cache
def field_types(kind: Any) -> dict[str, Any]:
    """Return the type of every field of the class *kind*, by name."""
    return typing.get_type_hints(kind, include_extras=True)


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


def _value(hint: Any, value: Any, name: str, opened: Open | None) -> Any:
    wanted = bare(hint)
    if get_origin(wanted) is tuple:
        inner = get_args(wanted)[0]
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
