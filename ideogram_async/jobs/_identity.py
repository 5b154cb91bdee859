"""Which items are the same: a request is known by its content, wherever it stands.

A file counts by its bytes, not by its name and date: a copied or touched file must not
be paid for a second time. It is read once per version (path, size, time of change), so
a thousand rows with one picture read it once.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from .._codec import to_jsonable
from .._plain import field_types
from ..requests import Request
from ..uploads import StreamSource, Upload, UrlSource


PIECE = 1 << 20


def described(request: Request[Any]) -> dict[str, Any]:
    """Return *request* as the manifest has it: its class, and the fields that are set.

    An upload is only its name.
    """
    return {"type": type(request).__name__, **to_jsonable(request)}


def digest_of(request: Request[Any], asked: dict[str, Any]) -> bytes:
    """Return the SHA-256 of all that *request* asks for.

    Args:
        request: A request.
        asked: The same as `described` gives it.

    Raises:
        ValueError: It holds a stream that can't be read twice, or a file that can't be
            read.
    """
    files = [_content(upload) for upload in uploads_of(request)]
    canonical = json.dumps([asked, files], sort_keys=True)
    return hashlib.sha256(canonical.encode()).digest()


def uploads_of(request: Request[Any]) -> list[Upload]:
    """Return the files in *request*, in the order of its fields."""
    kind: Any = type(request)
    found = list[Upload]()
    for name in _upload_fields(kind):
        value = getattr(request, name)
        members: Any = value if isinstance(value, tuple) else (value,)  # pyright: ignore[reportUnknownVariableType]  # filtered below
        found += [member for member in members if isinstance(member, Upload)]
    return found


@lru_cache
def _upload_fields(kind: Any) -> tuple[str, ...]:
    """Return the names of the fields of the class *kind* that may hold files."""
    hints = field_types(kind)
    return tuple(name for name in hints if Upload.__name__ in repr(hints[name]))


def _content(upload: Upload) -> str:
    source = upload.source
    if isinstance(source, UrlSource):
        return source.url
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    if isinstance(source, StreamSource):
        return _of_stream(upload, source)
    try:
        stat = source.stat()
        return _of_file(source, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise ValueError(f"can't read {source}: {error.strerror}") from None


def _of_stream(upload: Upload, source: StreamSource) -> str:
    if source.start is None:
        raise ValueError(
            f"{upload.filename} is a stream that can be read only once, so a job can't"
            " know it again: give its path or its bytes"
        )
    found, offset = hashlib.sha256(), 0
    while piece := source.read_at(offset, PIECE):
        found.update(piece)
        offset += len(piece)
    return found.hexdigest()


@lru_cache(4096)
def _of_file(path: Path, size: int, changed: int) -> str:  # noqa: ARG001  # the version
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
