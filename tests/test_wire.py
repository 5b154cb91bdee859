"""Every operation over a socket: exactly the documented request, the whole answer.

The expectations in `samples/ideogram/<request class>/` were made from the published
description of the service, and not by this package. `minimal.json` has the required
fields only; `full.json` has all that go together, `alternative.json` the others.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from ideogram_async import (
    ColorPalette,
    ColorPaletteMember,
    IdeogramClient,
    JsonPrompt,
    RemixV3,
    Upload,
)
from ideogram_async._codec import to_jsonable
from ideogram_async.requests import REQUESTS

from .wire_server import (
    MalformedError,
    PartRecord,
    Record,
    WireServer,
    read_record,
    wire_server,
)


SAMPLES = Path(__file__).parent / "samples" / "ideogram"
CASES = [
    pytest.param(path, id=f"{path.parent.name}-{path.stem}")
    for path in sorted(SAMPLES.glob("*/*.json"))
    if path.stem != "answer"
]
CLASSES = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())
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
EITHER_PROMPT = {"GenerateV4", "SubmitGenerateV4"}
"""Classes that demand one of two optional fields."""
LAYOUT = {
    "font_candidates",
    "glyph_type",
    "letter_spacing",
    "line_height",
    "text_shadows",
    "text_transform",
    "vertical_alignment",
}
UNTYPED = {
    "GenerateV4": {"response_type"},
    "RemixV4": {"response_type"},
    "GenerateDesignV3": LAYOUT,
    "LayerizeDesignV3": LAYOUT,
}
"""Documented fields of answers that are kept in `extra`; all others have a name."""
DATES = {"created", "creation_time", "last_update_time"}


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    """Return a strict server."""
    async with wire_server() as running:
        yield running


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


def shown(part: PartRecord) -> list[Any]:
    """Return a recorded part as the samples have it."""
    if part.filename is not None:
        return [part.name, part.filename, part.media_type, part.sha256]
    text = part.content.decode()
    is_json = part.media_type == "application/json"
    return [part.name, None, part.media_type, json.loads(text) if is_json else text]


def by_name(parts: list[list[Any]]) -> list[list[Any]]:
    """Return *parts* sorted by name; those of one name stay in their order."""
    return sorted(parts, key=lambda part: part[0])


def assert_recorded(record: Record, expected: dict[str, Any]) -> None:
    """Check that the request came exactly as the sample says."""
    assert record.method == expected["method"]
    assert record.path == expected["path"]
    assert record.query == expected["query"]
    assert record.headers["api-key"] == expected["headers"]["Api-Key"]
    assert "authorization" not in record.headers
    assert record.content_type == expected["headers"].get("Content-Type")
    if "parts" in expected:
        parts = [shown(part) for part in record.parts or []]
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


def test_every_class_has_samples() -> None:
    """There is an expectation for every request class, and an answer."""
    assert sorted(REQUESTS) == CLASSES
    for name in REQUESTS:
        assert {"minimal", "full", "answer"} <= {
            path.stem for path in (SAMPLES / name).iterdir()
        }


@pytest.mark.parametrize("name", CLASSES)
def test_samples_use_every_field(name: str) -> None:
    """The samples of a class have all of its fields, the minimal one no optional."""
    fields = attrs.fields(cast("Any", REQUESTS[name]))
    required = {each.name for each in fields if each.default is attrs.NOTHING}
    if name in EITHER_PROMPT:
        required.add("text_prompt")
    given = {
        path.stem: set(read(path)["request"])
        for path in (SAMPLES / name).iterdir()
        if path.stem != "answer"
    }

    assert given["minimal"] == required
    assert set().union(*given.values()) == {each.name for each in fields}


@pytest.mark.parametrize("source", ["path", "bytes"])
@pytest.mark.parametrize("path", CASES)
async def test_request_and_answer(
    server: WireServer, tmp_path: Path, path: Path, source: str
) -> None:
    """A request is on the wire just as documented, and no value of its answer lost."""
    name, expected = path.parent.name, read(path)
    server.answer = sample = read(path.with_name("answer.json"))
    opened = in_folder(tmp_path) if source == "path" else in_memory
    request = made(name, expected["request"], opened)

    async with IdeogramClient("test-key", base_url=server.url) as client:
        answer = await client.send(request)

    assert server.faults == []
    (record,) = server.records
    assert_recorded(record, expected)
    assert type(answer) is REQUESTS[name].returns
    assert untyped(answer) == UNTYPED.get(name, set())
    assert_holds(answer, sample)
    assert normal(to_jsonable(answer)) == normal(sample)


@pytest.mark.parametrize(
    "filename",
    ['a "cat".png', "line\r\nX-Evil: 1.png", "größe 猫.png", "a;b=c\\d.png", "%41.png"],
)
async def test_any_filename_arrives(server: WireServer, filename: str) -> None:
    """A name with quotes, line ends or letters of any script arrives as it is."""
    server.answer = read(SAMPLES / "RemixV3" / "answer.json")
    image = Upload.from_bytes(content("cat.png"), filename)

    async with IdeogramClient("test-key", base_url=server.url) as client:
        await client.send(RemixV3("a cat", image=image))

    assert server.faults == []
    parts = [shown(part) for part in server.records[0].parts or []]
    assert ["prompt", None, None, "a cat"] in parts
    assert [filename] == [name for _, name, _, _ in parts if name is not None]


FORM = b"Content-Type: multipart/form-data; boundary=xyz\r\n"
FIELD = b'Content-Disposition: form-data; name="a"\r\n'


@pytest.mark.parametrize(
    ("headers", "body", "complaint"),
    [
        (b"Transfer-Encoding: chunked\r\n", b"", "length is not told"),
        (b"Api-Key: 1\r\napi-key: 2\r\n", b"", "header given twice"),
        (b"Api-Key : 1\r\n", b"", "header:"),
        (FORM, b"--xyz\r\n" + FIELD + b"\r\n1\r\n--xyz--", "end of the form"),
        (FORM, b"\r\n--xyz\r\n" + FIELD + b"\r\n1\r\n--xyz--\r\n", "start of the form"),
        (FORM, b"--xyz\r\n" + FIELD + b"1\r\n--xyz--\r\n", "without a blank line"),
        (FORM, b"--xyz\r\nContent-Type: a/b\r\n\r\n1\r\n--xyz--\r\n", "disposition"),
        (
            FORM,
            b"--xyz\r\nX: 1\r\n" + FIELD + b"\r\n1\r\n--xyz--\r\n",
            "header of a part",
        ),
        (FORM.replace(b"xyz", b'"x"'), b"", "content type"),
    ],
)
async def test_strict_server_is_strict(
    headers: bytes, body: bytes, complaint: str
) -> None:
    """The server of these tests refuses what is not well-formed."""
    reader = asyncio.StreamReader()
    length = b"" if b"chunked" in headers else b"Content-Length: %d\r\n" % len(body)
    reader.feed_data(b"POST /x HTTP/1.1\r\n" + headers + length + b"\r\n" + body)
    reader.feed_eof()

    with pytest.raises(MalformedError, match=complaint):
        await read_record(reader)
