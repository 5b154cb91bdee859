"""Between values and wire forms: the only place that knows JSON and cattrs.

The wire form of a request follows from the types of its fields:

1. a field named in the path template goes into the path;
2. on GET the rest is the query, on POST what the endpoint says;
3. in a multipart form an upload is a file part, a tuple repeats its part's name, an
   attrs value is a JSON part, anything else is text;
4. otherwise the rest is a JSON object; `envelope` nests the fields that are no files;
5. None is not sent: the service decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar, cast, get_args, get_origin
from urllib.parse import quote, urlencode

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from ._http import NO_HEADERS, HttpRequest, Part
from ._plain import bare, field_types
from ._rules import is_optional
from .errors import DecodeError
from .requests import Request
from .uploads import Upload


T = TypeVar("T")

JSON_TYPE: Final = "application/json"

Structure = Callable[[Any, Any], Any]
"""Makes a value of JSON."""


def encode(
    request: Request[Any], base_url: str, headers: Mapping[str, str] = NO_HEADERS
) -> HttpRequest:
    """Return the HTTP request that carries *request*, with further *headers*."""
    endpoint = request.endpoint
    in_path, in_query = _places(cast("Any", type(request)))
    given = {name: value for name, value in vars(request).items() if value is not None}
    url = base_url + endpoint.path
    for name in in_path:
        url = url.replace(f"{{{name}}}", quote(str(given.pop(name)), safe=""))
    if asked := [name for name in in_query if name in given]:
        query = [(n, _text(value)) for n in asked for value in _members(given.pop(n))]
        url = f"{url}?{urlencode(query)}"
    if endpoint.method == "GET":
        return HttpRequest("GET", url, headers)
    if endpoint.multipart:
        form = tuple(_parts(given, endpoint.envelope))
        return HttpRequest("POST", url, headers, form=form, places=request.places)
    body = _json(given)
    if endpoint.envelope:
        body = {endpoint.envelope: body}
    headers = {"Content-Type": JSON_TYPE, **headers}
    return HttpRequest("POST", url, headers, _dumps(body), places=request.places)


def decode(payload: Any, returns: type[T], body: bytes) -> T:
    """Make the answer of class *returns* of parsed JSON.

    Raises:
        DecodeError: The payload is not what was promised; names the field.
    """
    try:
        return cast("T", _structure_of(cast("Any", returns))(payload, returns))
    except Exception as error:  # noqa: BLE001  # whatever a hook raised
        misfit = _within("", error)
    where = misfit.where.removeprefix(".") or "$"
    raise DecodeError(
        f"the answer is no {returns.__name__}: {misfit} at {where}"
        " (the request ran and is likely billed; the body is kept)",
        field=where,
        body=body,
    )


def parse_json(body: bytes) -> Any:
    """Return the JSON value in *body*.

    Raises:
        DecodeError: It is not JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = str(error)
    raise DecodeError(
        f"the answer is not JSON: {reason}"
        " (the request ran and is likely billed; the body is kept)",
        body=body,
    )


def to_jsonable(value: Any) -> Any:
    """Return a request or a response as plain JSON values, unset fields left out."""
    return _converter.unstructure(value)


def _parts(given: Mapping[str, Any], envelope: str | None) -> list[Part]:
    parts: list[Part] = []
    if envelope:
        texts = {name: value for name, value in given.items() if not _is_file(value)}
        parts.append(Part(envelope, _dumps(_json(texts)), JSON_TYPE))
        given = {name: value for name, value in given.items() if _is_file(value)}
    for name, value in given.items():
        if isinstance(value, str):
            parts.append(Part(name, value.encode()))
        else:
            parts += [_part(name, member) for member in _members(value)]
    return parts


def _part(name: str, value: Any) -> Part:
    if isinstance(value, str):
        return Part(name, value.encode())
    if isinstance(value, Upload):
        return Part(name, value, value.media_type)
    if _is_model(type(value)):
        return Part(name, _dumps(_converter.unstructure(value)), JSON_TYPE)
    return Part(name, _text(value).encode())


def _is_file(value: Any) -> bool:
    return any(isinstance(member, Upload) for member in _members(value))


def _members(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, tuple):
        return (value,)
    return cast("tuple[Any, ...]", value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _converter.unstructure(value) for name, value in given.items()}


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _structure_of(returns: Any) -> Structure:
    return _converter.get_structure_hook(returns)


@cache
def _places(cls: Any) -> tuple[tuple[str, ...], ...]:
    """Return the fields of a request class that are for the path, and for the query."""
    names = _field_names(cls)
    endpoint = cls.endpoint
    in_path = tuple(name for name in names if f"{{{name}}}" in endpoint.path)
    if endpoint.method == "GET":
        return in_path, tuple(n for n in names if n not in in_path)
    return in_path, endpoint.query


def _field_names(cls: Any) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in attrs.fields(cls))


class _Misfit(Exception):  # noqa: N818  # what is wrong, told on by `decode`
    """What is wrong with a value, and where it stands in the answer."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(what)
        self.where = where


def _within(place: str, error: Exception) -> _Misfit:
    """Return *error* as seen from the value that has *place* in it."""
    return _Misfit(str(error), place + getattr(error, "where", ""))


def _structure_datetime(value: Any, _: object) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _exactly(kind: type[Any], name: str) -> Structure:
    """Return what takes a value of that kind as it is, and no other."""

    def structure(value: Any, _: object) -> Any:
        if type(value) is not kind:
            raise TypeError(f"not {name}: {value!r:.80}")
        return value

    return structure


def _structure_list(hint: Any) -> Structure:
    (inner_type, _) = get_args(hint)
    inner = _converter.get_structure_hook(inner_type)

    def structure(value: Any, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError(f"not a list: {value!r:.80}")
        made: list[Any] = []
        try:
            for member in cast("list[Any]", value):
                made.append(inner(member, inner_type))  # noqa: PERF401  # it counts
        except Exception as error:  # noqa: BLE001  # whatever a hook raised
            raise _within(f"[{len(made)}]", error) from None
        return tuple(made)

    return structure


def _structure_optional(hint: Any) -> Structure:
    inner_type = bare(hint)
    inner: Structure = _converter.get_structure_hook(inner_type)
    return lambda value, _: None if value is None else inner(value, inner_type)


def _structure_model(cls: Any) -> Structure:
    hints = {n: field_types(cls)[n] for n in _field_names(cls) if n != "extra"}
    hooks = {n: _converter.get_structure_hook(hint) for n, hint in hints.items()}
    kind_of = {name: bare(hint) for name, hint in hints.items()}.get
    required = frozenset(
        each.name for each in attrs.fields(cls) if each.default is attrs.NOTHING
    )

    def structure(value: Any, _: object) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"not an object: {value!r:.80}")
        given: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        name = ""
        try:
            for name, member in cast("dict[str, Any]", value).items():
                if type(member) is kind_of(name):  # as it is
                    given[name] = member
                elif member is None and name not in required:
                    continue
                elif name in hooks:
                    given[name] = hooks[name](member, hints[name])
                else:
                    extra[name] = member
        except Exception as error:  # noqa: BLE001  # whatever a hook raised
            raise _within(f".{name}", error) from None
        if missing := required.difference(given):
            raise _Misfit("required field missing", f".{min(missing)}")
        return cls(**given, extra=extra) if extra else cls(**given)

    return structure


def _unstructure_model(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    inner = make_dict_unstructure_fn(cls, _converter, extra=override(omit=True))

    def unstructure(value: Any) -> dict[str, Any]:
        given = {name: each for name, each in inner(value).items() if each is not None}
        return given | dict(getattr(value, "extra", ()))

    return unstructure


def _is_list(hint: Any) -> bool:
    return get_origin(hint) is tuple


def _is_model(cls: Any) -> bool:
    return attrs.has(cls) and cls is not Upload


_converter: Final = cattrs.Converter()
_converter.register_structure_hook(datetime, _structure_datetime)
_converter.register_structure_hook(bool, _exactly(bool, "a boolean"))
_converter.register_structure_hook(int, _exactly(int, "a whole number"))
_converter.register_structure_hook(str, _exactly(str, "a string"))
_converter.register_unstructure_hook(datetime, datetime.isoformat)
_converter.register_unstructure_hook(Upload, str)
_converter.register_structure_hook_factory(is_optional, _structure_optional)
_converter.register_structure_hook_factory(_is_model, _structure_model)
_converter.register_structure_hook_factory(_is_list, _structure_list)
_converter.register_unstructure_hook_factory(_is_model, _unstructure_model)
