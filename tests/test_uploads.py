"""File content to send."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ideogram_async import Upload
from ideogram_async.uploads import StreamSource, media_type_of


PNG = b"\x89PNG\r\n\x1a\n" + b"0123456789"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "


async def pieces() -> AsyncIterator[bytes]:
    """Yield content in two pieces."""
    yield PNG[:9]
    yield PNG[9:]


@pytest.mark.parametrize(
    ("head", "filename", "media_type"),
    [
        (PNG, "", "image/png"),
        (PNG, "cat.txt", "image/png"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
        (WEBP, "", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVE", "", "application/octet-stream"),
        (b"GIF89a", "", "image/gif"),
        (b"PK\x03\x04", "", "application/zip"),
        (b"<html>", "cat.png", "application/octet-stream"),
        (b"hello", "note.txt", "text/plain"),
        (b"", "cat.png", "application/octet-stream"),
        (None, "cat.png", "image/png"),
        (None, "", "application/octet-stream"),
    ],
)
def test_media_type_is_told_from_the_content(
    head: bytes | None, filename: str, media_type: str
) -> None:
    """The signature wins; a name alone makes an image only of unseen content."""
    assert media_type_of(head, filename) == media_type


def test_from_path_reads_only_the_head(tmp_path: Path) -> None:
    """A path stays a path; its name, type and size are known at once."""
    path = tmp_path / "cat.jpg"
    path.write_bytes(PNG)

    upload = Upload.from_path(str(path))

    assert upload == Upload(
        source=path, filename="cat.jpg", media_type="image/png", size=len(PNG)
    )
    assert upload.repeatable


def test_missing_path_is_an_error_at_once(tmp_path: Path) -> None:
    """A path that can't be read fails where it is written, not when it is sent."""
    with pytest.raises(FileNotFoundError):
        Upload.from_path(tmp_path / "missing.png")


def test_from_bytes_keeps_a_copy() -> None:
    """Content given as a mutable buffer can't change afterwards."""
    content = bytearray(PNG)
    upload = Upload.from_bytes(content, "cat.png")
    content.clear()

    assert upload.source == PNG
    assert (upload.filename, upload.media_type, upload.size) == (
        "cat.png",
        "image/png",
        len(PNG),
    )
    assert upload.repeatable


def test_media_type_may_be_given() -> None:
    """A given media type is believed."""
    upload = Upload.from_bytes(b"wOFF", "font", media_type="font/woff")
    stream = Upload.from_stream(io.BytesIO(b"wOFF"), media_type="font/woff")

    assert upload.media_type == stream.media_type == "font/woff"


def test_str_and_repr_show_no_content() -> None:
    """An upload shows its name, type and size, and none of its bytes."""
    upload = Upload.from_bytes(PNG, "cat.png")

    assert str(upload) == "cat.png"
    assert repr(upload) == (
        "Upload(filename='cat.png', media_type='image/png', size=18)"
    )


def test_rewindable_file_is_sent_from_its_position() -> None:
    """A file counts from where it stands, and can be read again and again."""
    file = io.BytesIO(b"skipped" + PNG)
    file.seek(7)

    upload = Upload.from_stream(file, "cat.png")

    assert isinstance(upload.source, StreamSource)
    assert (upload.media_type, upload.size) == ("image/png", len(PNG))
    assert upload.source.read_at(0, 100) == PNG
    assert upload.source.read_at(8, 4) == b"0123"
    assert upload.source.read_at(0, 8) == PNG[:8]
    assert upload.repeatable


def test_pipe_is_sent_once() -> None:
    """A pipe has no size, is never rewound, and can't be sent again once begun."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as reader, os.fdopen(write, "wb") as writer:
        upload = Upload.from_stream(reader, "cat.png")
        writer.write(PNG)
        writer.close()
        source = upload.source
        assert isinstance(source, StreamSource)
        assert (upload.media_type, upload.size) == ("image/png", None)
        assert upload.repeatable

        first = source.read_at(0, 8)
        rest = source.read_at(8, 100)

    assert first + rest == PNG
    assert not upload.repeatable


async def test_async_iterable_is_sent_once() -> None:
    """An async iterable has no size, and can be sent as long as nobody began."""
    upload = Upload.from_stream(pieces(), "cat.png")

    assert isinstance(upload.source, StreamSource)
    assert (upload.media_type, upload.size) == ("image/png", None)
    assert upload.repeatable
    upload.source.started = True
    assert not upload.repeatable


def test_stream_does_not_go_with_a_pickle() -> None:
    """A pickled upload of a stream keeps its name, and can't be sent any more."""
    copy = pickle.loads(pickle.dumps(Upload.from_stream(io.BytesIO(PNG), "cat.png")))

    assert copy.filename == "cat.png"
    assert copy.source.stream is None
    assert not copy.repeatable


def test_uploads_of_equal_content_are_equal() -> None:
    """Uploads of bytes are values: comparable, hashable and picklable."""
    first, second = (Upload.from_bytes(PNG, "cat.png") for _ in range(2))

    assert {first} == {second, pickle.loads(pickle.dumps(first))}
