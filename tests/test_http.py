"""HTTP requests and responses as values."""

from __future__ import annotations

import pytest

from ideogram_async import Upload
from ideogram_async._http import HttpRequest, HttpResponse, Part, multipart
from ideogram_async.uploads import StreamSource


PNG = Upload.from_bytes(b"\x89PNG\r\n\x1a\n1", "cat.png")
USED = Upload(
    source=StreamSource(None), filename="pipe.png", media_type="image/png", size=None
)


def test_multipart_bytes() -> None:
    """A form is exactly the bytes that RFC 7578 asks for."""
    form = (
        Part("prompt", "eine Größe\r\n猫".encode()),
        Part("image", PNG, "image/png"),
        Part("color_palette", b'{"name":"PASTEL"}', "application/json"),
    )

    pieces = list(multipart(form, b"xyz"))

    assert PNG in pieces
    body = b"".join(PNG.source if piece is PNG else piece for piece in pieces)
    assert body == (
        b"--xyz\r\n"
        b'Content-Disposition: form-data; name="prompt"\r\n'
        b"\r\n"
        b"eine Gr\xc3\xb6\xc3\x9fe\r\n\xe7\x8c\xab\r\n"
        b"--xyz\r\n"
        b'Content-Disposition: form-data; name="image"; filename="cat.png"\r\n'
        b"Content-Type: image/png\r\n"
        b"\r\n"
        b"\x89PNG\r\n\x1a\n1\r\n"
        b"--xyz\r\n"
        b'Content-Disposition: form-data; name="color_palette"\r\n'
        b"Content-Type: application/json\r\n"
        b"\r\n"
        b'{"name":"PASTEL"}\r\n'
        b"--xyz--\r\n"
    )


def test_empty_form_is_its_end() -> None:
    """A form without parts has only its closing boundary."""
    assert list(multipart((), b"xyz")) == [b"--xyz--\r\n"]


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("cat.png", b"cat.png"),
        ('a"b.png', b"a%22b.png"),
        ("a\r\nX-Evil: 1.png", b"a%0D%0AX-Evil: 1.png"),
        ("größe.png", "größe.png".encode()),
        ("a\\b.png", b"a\\b.png"),
    ],
)
def test_filename_cannot_break_out_of_its_header(filename: str, shown: bytes) -> None:
    """Quotes and line ends in a name are escaped as browsers do."""
    upload = Upload.from_bytes(b"1", filename, media_type="image/png")

    pieces = multipart((Part('im"age', upload, "image/png"),), b"b")

    assert pieces[0] == (
        b'--b\r\nContent-Disposition: form-data; name="im%22age"; filename="'
        + shown
        + b'"\r\nContent-Type: image/png\r\n\r\n'
    )


@pytest.mark.parametrize(
    ("step", "is_harmless"),
    [
        (HttpRequest("GET", "https://x"), True),
        (HttpRequest("POST", "https://x"), False),
    ],
)
def test_only_asking_is_harmless(step: HttpRequest, *, is_harmless: bool) -> None:
    """A POST may be paid, so it is never harmless."""
    assert step.is_harmless is is_harmless


@pytest.mark.parametrize(
    ("form", "is_repeatable"),
    [
        ((), True),
        ((Part("prompt", b"a cat"), Part("image", PNG)), True),
        ((Part("image", PNG), Part("mask", USED)), False),
    ],
)
def test_used_up_stream_cannot_be_repeated(
    form: tuple[Part, ...], *, is_repeatable: bool
) -> None:
    """A step can be sent again unless a stream in it is used up."""
    step = HttpRequest("POST", "https://x", form=form)

    assert step.is_repeatable is is_repeatable
    assert step.uploads == tuple(
        part.content for part in form if isinstance(part.content, Upload)
    )


def test_repr_shows_no_headers() -> None:
    """The key stands in a header, and headers are not shown."""
    step = HttpRequest("GET", "https://x", headers={"Api-Key": "secret"})

    assert "secret" not in repr(step)


def test_response_defaults_to_nothing() -> None:
    """A response made of a status alone is whole and empty."""
    response = HttpResponse(204)

    assert (response.headers, response.body, response.complete) == ({}, b"", True)
