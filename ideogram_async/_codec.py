"""Between values and wire forms.

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
from functools import cache
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote, urlencode

from ._http import NO_HEADERS, HttpRequest, Part, new_tuple
from ._plain import field_names, is_model
from .errors import DecodeError
from .requests import Request
from .uploads import Upload


T = TypeVar("T")

JSON_TYPE: Final = "application/json"

_json_value: Final = json.JSONDecoder().raw_decode


def encode(
    request: Request[Any], base_url: str, headers: Mapping[str, str] = NO_HEADERS
) -> HttpRequest:
    """Return the HTTP request that carries *request*, with further *headers*."""
    endpoint = request.endpoint
    kind: Any = type(request)
    given: Mapping[str, Any] = vars(request)
    url = base_url + endpoint.path
    in_path, in_query = _places(kind)
    if in_path or in_query:
        url, given = _addressed(url, given, in_path, in_query)
    if endpoint.method == "GET":
        return HttpRequest("GET", url, headers)
    if endpoint.multipart:
        form = tuple(_parts(given, endpoint.envelope))
        return HttpRequest("POST", url, headers, None, form, request.places)
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
    kind: Any = returns
    try:
        answer: T = _structure_of(kind)(payload, returns)
        return answer  # noqa: TRY300  # in a line of its own for its type
    except Exception as error:  # noqa: BLE001  # whatever a hook raised
        misfit, where = str(error), getattr(error, "where", "")
    where = where.removeprefix(".") or "$"
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
        text = body.decode()  # nothing to guess: JSON is UTF-8
        value, end = _json_value(text)
        if end == len(text):
            return value
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(body)  # some write UTF-16, or space around it, or a mark
    except (ValueError, RecursionError) as error:
        reason = str(error)
    raise DecodeError(
        f"the answer is not JSON: {reason}"
        " (the request ran and is likely billed; the body is kept)",
        body=body,
    )


def to_jsonable(value: Any) -> Any:
    """Return a request or a response as plain JSON values, unset fields left out."""
    return _converter().unstructure(value)


def _addressed(
    url: str,
    given: Mapping[str, Any],
    in_path: tuple[str, ...],
    in_query: tuple[str, ...],
) -> tuple[str, Mapping[str, Any]]:
    """Return *url* with the fields that belong there, and the others."""
    for name in in_path:
        url = url.replace(f"{{{name}}}", quote(str(given[name]), safe=""))
    asked = [(n, given[n]) for n in in_query if given.get(n) is not None]
    if query := [(n, _text(each)) for n, value in asked for each in _members(value)]:
        url = f"{url}?{urlencode(query)}"
    rest = given.keys() - {*in_path, *in_query}
    return url, {name: value for name, value in given.items() if name in rest}


def _parts(given: Mapping[str, Any], envelope: str | None) -> list[Part]:
    parts: list[Part] = []
    if envelope:
        texts = {name: value for name, value in given.items() if not _is_file(value)}
        parts.append(Part(envelope, _dumps(_json(texts)), JSON_TYPE))
        given = {name: value for name, value in given.items() if _is_file(value)}
    for name, value in given.items():
        if value is None:
            continue
        if isinstance(value, str):  # as nearly all are
            parts.append(new_tuple(Part, (name, value.encode(), None)))
        else:
            parts += [_part(name, member) for member in _members(value)]
    return parts


def _part(name: str, value: Any) -> Part:
    if isinstance(value, str):
        return Part(name, value.encode())
    if isinstance(value, Upload):
        return Part(name, value, value.media_type)
    if is_model(type(value)):
        return Part(name, _dumps(to_jsonable(value)), JSON_TYPE)
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
    return {
        name: to_jsonable(value) for name, value in given.items() if value is not None
    }


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _converter() -> Any:
    """Return what knows cattrs, which takes 20 ms to import."""
    from ._converter import CONVERTER  # noqa: PLC0415

    return CONVERTER


@cache
def _structure_of(returns: Any) -> Callable[[Any, Any], Any]:
    found: Callable[[Any, Any], Any] = _converter().get_structure_hook(returns)
    return found


@cache
def _places(cls: Any) -> tuple[tuple[str, ...], ...]:
    """Return the fields of a request class that are for the path, and for the query."""
    names = field_names(cls)
    endpoint = cls.endpoint
    in_path = tuple(name for name in names if f"{{{name}}}" in endpoint.path)
    if endpoint.method == "GET":
        return in_path, tuple(n for n in names if n not in in_path)
    return in_path, endpoint.query
