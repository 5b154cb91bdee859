"""Every operation over a socket: exactly the documented request, the whole answer.

The expectations in `samples/ideogram/<request class>/` were made from the published
description of the service, and not by this package. `minimal.json` has the required
fields only; `full.json` has all that go together, `alternative.json` the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from ideogram_async import IdeogramClient, RemixV3, Upload
from ideogram_async._codec import to_jsonable
from ideogram_async.requests import REQUESTS

from .wire_samples import (
    SAMPLES,
    assert_holds,
    assert_recorded,
    content,
    in_folder,
    in_memory,
    made,
    normal,
    read,
    shown,
    untyped,
)
from .wire_server import MalformedError, WireServer, read_record, wire_server


OFFICIAL = SAMPLES / "ideogram"
CASES = [
    pytest.param(path, id=f"{path.parent.name}-{path.stem}")
    for path in sorted(OFFICIAL.glob("*/*.json"))
    if path.stem != "answer"
]
CLASSES = sorted(path.name for path in OFFICIAL.iterdir() if path.is_dir())
DEMANDED = {
    "GenerateV4": {"text_prompt"},
    "SubmitGenerateV4": {"text_prompt"},
    "EditLegacy": {"mask"},
}
"""What the service demands though the class doesn't: one of two, or not elsewhere."""
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


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    """Return a strict server."""
    async with wire_server() as running:
        yield running


def test_every_class_has_samples() -> None:
    """There is an expectation for every request class, and an answer."""
    assert sorted(REQUESTS) == CLASSES
    for name in REQUESTS:
        assert {"minimal", "full", "answer"} <= {
            path.stem for path in (OFFICIAL / name).iterdir()
        }


@pytest.mark.parametrize("name", CLASSES)
def test_samples_use_every_field(name: str) -> None:
    """The samples of a class have all of its fields, the minimal one no optional."""
    fields = attrs.fields(cast("Any", REQUESTS[name]))
    required = {each.name for each in fields if each.default is attrs.NOTHING}
    required |= DEMANDED.get(name, set())
    given = {
        path.stem: set(read(path)["request"])
        for path in (OFFICIAL / name).iterdir()
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
    server.answer = read(OFFICIAL / "RemixV3" / "answer.json")
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
