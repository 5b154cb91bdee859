"""What the tests of the wire share: samples, the requests they tell of, the checks.

A sample has what is given to the constructor of a request class, and the HTTP request
that must come of it. A part of a form is its name, its filename, its media type, and
its text, its JSON, or the digest of its file; members of JSON are in any order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from ideogram_async import ColorPalette, ColorPaletteMember, JsonPrompt, Upload
from ideogram_async.requests import REQUESTS

from .wire_server import PartRecord, Record


SAMPLES = Path(__file__).parent / "samples"
HEADS = {
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff\xe0",
    ".webp": b"RIFF\x24\x00\x00\x00WEBP",
    ".zip": b"PK\x03\x04",
    ".txt": "eine Katze, größer\r\n".encode(),
    ".ttf": b"\x00\x01\x00\x00",
    ".otf": b"OTTO",
    ".woff": b"wOFF",
    ".woff2": b"wOF2",
}
KEY_HEADERS = {"api-key", "authorization", "ocp-apim-subscription-key"}
"""Where any of the services looks for its key."""
DATES = {"created", "creation_time", "last_update_time"}


def read(path: Path) -> Any:
    """Return the JSON in a sample."""
    return json.loads(path.read_text("utf-8"))


def content(name: str) -> bytes:
    """Return what the file *name* holds: its head, and what forms stumble over."""
    tail = b"" if name.endswith(".txt") else b"\x00\xff"
    return HEADS[Path(name).suffix] + f"\r\n--{name}--\r\n".encode() + tail + b"\r\n"


def in_folder(folder: Path) -> Callable[[str], Upload]:
    """Return what makes uploads of files that it writes to *folder*."""

    def opened(name: str) -> Upload:
        (folder / name).write_bytes(content(name))
        return Upload.from_path(folder / name)

    return opened


def in_memory(name: str) -> Upload:
    """Make an upload of the same content without a file."""
    return Upload.from_bytes(content(name), name)


def made(name: str, given: dict[str, Any], opened: Callable[[str], Upload]) -> Any:
    """Make the request of the class *name* as a user does, by its constructor."""

    def value(field: str, plain: Any) -> Any:
        if isinstance(plain, list):
            return tuple(value(field, member) for member in plain)
        if not isinstance(plain, dict):
            return plain
        if "file" in plain:
            return opened(plain["file"])
        if field == "json_prompt":
            return JsonPrompt.from_mapping(plain)
        members = tuple(ColorPaletteMember(**each) for each in plain.get("members", ()))
        return ColorPalette(name=plain.get("name"), members=members or None)

    return REQUESTS[name](**{field: value(field, given[field]) for field in given})


def shown(part: PartRecord, objects: Collection[str] = ()) -> list[Any]:
    """Return a recorded part as the samples have it; those named *objects* are JSON."""
    if part.filename is not None:
        return [part.name, part.filename, part.media_type, part.sha256]
    text = part.content.decode()
    value = json.loads(text) if part.name in objects else text
    return [part.name, None, part.media_type, value]


def by_name(parts: list[list[Any]]) -> list[list[Any]]:
    """Return *parts* sorted by name; those of one name stay in their order."""
    return sorted(parts, key=lambda part: part[0])


def assert_recorded(record: Record, expected: dict[str, Any]) -> None:
    """Check that the request came exactly as the sample says, with no other key."""
    assert record.method == expected["method"]
    assert record.path == expected["path"]
    assert record.query == expected["query"]
    headers = {name.lower(): value for name, value in expected["headers"].items()}
    assert record.content_type == headers.pop("content-type", None)
    assert {name: record.headers.get(name) for name in headers} == headers
    assert KEY_HEADERS & set(record.headers) == KEY_HEADERS & set(headers)
    if "parts" in expected:
        objects = {part[0] for part in expected["parts"] if isinstance(part[3], dict)}
        parts = [shown(part, objects) for part in record.parts or []]
        assert by_name(parts) == by_name(expected["parts"])
    elif "json" in expected:
        assert record.json == expected["json"]
    else:
        assert record.body == b""


def assert_holds(answer: Any, sample: Any) -> None:
    """Check that every value of *sample* is in the same place of *answer*."""
    if isinstance(answer, datetime):
        assert answer == datetime.fromisoformat(sample)
    elif isinstance(answer, tuple):
        assert len(answer) == len(sample)
        for each, plain in zip(answer, sample, strict=True):
            assert_holds(each, plain)
    elif hasattr(answer, "extra"):
        for name, plain in sample.items():
            known = name not in answer.extra
            value = getattr(answer, name) if known else answer.extra[name]
            assert_holds(value, plain)
    else:
        assert (type(answer), answer) == (type(sample), sample)


def untyped(answer: Any) -> set[str]:
    """Return the names of all that *answer*, and what is in it, keeps in `extra`."""
    if isinstance(answer, tuple):
        return {name for each in answer for name in untyped(each)}
    if not hasattr(answer, "extra"):
        return set()
    values = attrs.asdict(answer, recurse=False).values()
    return {name for each in values for name in untyped(each)} | set(answer.extra)


def normal(value: Any, name: str = "") -> Any:
    """Return JSON without nulls, dates in one spelling."""
    if isinstance(value, list):
        return [normal(each) for each in value]
    if isinstance(value, dict):
        given = {key: normal(each, key) for key, each in value.items()}
        return {key: each for key, each in given.items() if each is not None}
    return datetime.fromisoformat(value) if value and name in DATES else value
