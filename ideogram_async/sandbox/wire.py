"""From the bytes of an HTTP request back to a request value, checked field by field.

Part names of lists are taken with and without brackets, as callers send both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import attrs
from aiohttp import BodyPartReader, web

from .._plain import build, json_object
from ..requests import Request, UploadDatasetAssets
from ..uploads import UNKNOWN_TYPE, Upload


async def read_request(incoming: web.Request, kind: type[Request[Any]]) -> Request[Any]:
    """Return the request of class *kind* that *incoming* carries.

    Raises:
        ValueError: A field is missing, unknown, or invalid; says which.
    """
    given = await _given_fields(incoming, kind)
    given.update(incoming.match_info)
    return build(kind, given)


async def _given_fields(
    incoming: web.Request, kind: type[Request[Any]]
) -> dict[str, Any]:
    envelope, in_query = kind.endpoint.envelope, kind.endpoint.query
    if incoming.method == "GET":
        return _grouped(incoming.query.items())
    if incoming.content_type == "multipart/form-data":
        read = _read_asset if kind is UploadDatasetAssets else _read
        given = _grouped([await read(part) async for part in _parts(incoming)])
    elif incoming.content_type == "application/json":
        given = json_object(await incoming.read(), "the body")
    else:
        raise ValueError(f"unsupported content type {incoming.content_type}")
    asked = ((n, text) for n, text in incoming.query.items() if n in in_query)
    given.update(_grouped(asked))
    if envelope is None:
        return given
    if envelope not in given:
        raise ValueError(f"{envelope} is required")
    return given | json_object(given.pop(envelope), envelope)


async def _parts(incoming: web.Request) -> AsyncIterator[BodyPartReader]:
    reader = await incoming.multipart()
    while isinstance(part := await reader.next(), BodyPartReader):
        yield part


async def _read(part: BodyPartReader) -> tuple[str, str | Upload]:
    name = (part.name or "").removesuffix("[]")
    content = bytes(await part.read(decode=True))
    if part.filename is None:
        return name, content.decode()
    return name, Upload.from_bytes(content, part.filename)


async def _read_asset(part: BodyPartReader) -> tuple[str, str | Upload]:
    """Read a file of a dataset: what it really is, is judged when it is stored."""
    name, value = await _read(part)
    if isinstance(value, Upload) and value.media_type in {UNKNOWN_TYPE, "image/gif"}:
        value = attrs.evolve(value, media_type="image/png")
    return name, value


def _grouped(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a value for each name, or the list of all its values."""
    given: dict[str, list[Any]] = {}
    for name, value in items:
        given.setdefault(name, []).append(value)
    return {n: values if values[1:] else values[0] for n, values in given.items()}
