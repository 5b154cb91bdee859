"""Between values and wire forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from ideogram_async import (
    ColorPalette,
    ColorPaletteMember,
    DecodeError,
    GenerateV3,
    ImageObject,
    ImageResponse,
    RemixV3,
    Upload,
)
from ideogram_async._codec import decode, encode, parse_json, to_jsonable
from ideogram_async._http import HttpRequest, Part, multipart
from ideogram_async.requests import Endpoint, Request
from ideogram_async.requests._base import fields

from . import strategies


BASE = "https://api.ideogram.ai"
PNG = Upload.from_bytes(b"\x89PNG\r\n\x1a\n1", "cat.png")
JPEG = Upload.from_bytes(b"\xff\xd8\xff2", "dog.jpg")
MOMENT = datetime(2000, 1, 23, 4, 56, 7, tzinfo=UTC)


@fields
class Thing(Request[ImageResponse]):
    """A request of every kind of field, sent to whatever endpoint a test gives it."""

    thing_id: str
    text: str | None = None
    flag: bool | None = None
    names: tuple[str, ...] | None = None
    palette: ColorPalette | None = None
    image: Upload | None = None


def sent(endpoint: Endpoint, **given_fields: Any) -> HttpRequest:
    """Return the HTTP request for a thing at *endpoint*."""
    kind = type("Sent", (Thing,), {"endpoint": endpoint})
    return encode(kind(**given_fields), BASE)


def test_generate_is_a_form() -> None:
    """A V3 request is a form: texts, repeated parts, JSON parts and files."""
    request = GenerateV3(
        "a cat",
        seed=7,
        num_images=2,
        aspect_ratio="16x9",
        style_codes=None,
        enable_copyright_detection=True,
        color_palette=ColorPalette(
            members=(
                ColorPaletteMember(color_hex="#b470b3", color_weight=0.49),
                ColorPaletteMember(color_hex="#7a79e3"),
            )
        ),
        style_reference_images=(PNG, JPEG),
    )

    step = encode(request, BASE)

    assert step.method == "POST"
    assert step.url == "https://api.ideogram.ai/v1/ideogram-v3/generate"
    assert step.places == 2
    assert step.content is None
    assert set(step.form) == {
        Part("seed", b"7"),
        Part("num_images", b"2"),
        Part("aspect_ratio", b"16x9"),
        Part(
            "color_palette",
            b'{"members":[{"color_hex":"#b470b3","color_weight":0.49},'
            b'{"color_hex":"#7a79e3"}]}',
            "application/json",
        ),
        Part("style_reference_images", PNG, "image/png"),
        Part("style_reference_images", JPEG, "image/jpeg"),
        Part("prompt", b"a cat"),
        Part("enable_copyright_detection", b"true"),
    }


def test_remix_on_the_wire() -> None:
    """The bytes of a remix are exactly what the service documents."""
    request = RemixV3(
        "Größe", image=PNG, image_weight=60, style_codes=("00ff00ff",) * 2
    )
    step = encode(request, BASE)

    pieces = multipart(step.form, b"b")

    body = b"".join(
        piece.source if isinstance(piece, Upload) else piece  # type: ignore[misc]
        for piece in pieces
    )
    assert step.url == "https://api.ideogram.ai/v1/ideogram-v3/remix"
    assert body == (
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
        b"Gr\xc3\xb6\xc3\x9fe\r\n"
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="cat.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n1\r\n"
        b'--b\r\nContent-Disposition: form-data; name="image_weight"\r\n\r\n'
        b"60\r\n"
        b'--b\r\nContent-Disposition: form-data; name="style_codes"\r\n\r\n'
        b"00ff00ff\r\n"
        b'--b\r\nContent-Disposition: form-data; name="style_codes"\r\n\r\n'
        b"00ff00ff\r\n"
        b"--b--\r\n"
    )


def test_preset_palette_is_its_name() -> None:
    """A palette given by name is a JSON part with that name alone."""
    step = encode(GenerateV3("a cat", color_palette=ColorPalette(name="PASTEL")), BASE)

    (part,) = (part for part in step.form if part.name == "color_palette")
    assert part.content == b'{"name":"PASTEL"}'


def test_fields_of_a_get_are_its_path_and_query() -> None:
    """A field in the path template is quoted into it; the rest is the query."""
    endpoint = Endpoint("GET", "/things/{thing_id}")

    step = sent(endpoint, thing_id="a/b ?", text="x&y", flag=False, names=("1", "2"))

    assert step == HttpRequest(
        "GET",
        "https://api.ideogram.ai/things/a%2Fb%20%3F?text=x%26y&flag=false&names=1&names=2",
    )
    assert sent(endpoint, thing_id="1").url == "https://api.ideogram.ai/things/1"


def test_other_posts_are_json() -> None:
    """Without a form the body is compact JSON, unset fields left out."""
    step = sent(
        Endpoint("POST", "/things/{thing_id}"),
        thing_id="1",
        text="猫",
        flag=True,
        names=("a", "b"),
        palette=ColorPalette(name="EMBER"),
    )

    assert step == HttpRequest(
        "POST",
        "https://api.ideogram.ai/things/1",
        headers={"Content-Type": "application/json"},
        content=(
            '{"text":"猫","flag":true,"names":["a","b"],"palette":{"name":"EMBER"}}'
        ).encode(),
        places=1,
    )


def test_envelope_nests_a_json_body() -> None:
    """Legacy JSON requests wrap their fields in one object."""
    step = sent(Endpoint("POST", "/generate", envelope="image_request"), thing_id="1")

    assert step.content == b'{"image_request":{"thing_id":"1"}}'


def test_envelope_of_a_form_holds_all_but_files() -> None:
    """Legacy forms have one JSON part beside their files."""
    endpoint = Endpoint("POST", "/remix", multipart=True, envelope="image_request")

    step = sent(endpoint, thing_id="1", names=("a",), image=PNG)

    assert step.form == (
        Part("image_request", b'{"thing_id":"1","names":["a"]}', "application/json"),
        Part("image", PNG, "image/png"),
    )


@given(strategies.requests())
def test_any_request_has_a_wire_form(request: Request[Any]) -> None:
    """Each field that is set is sent under its name, and no other."""
    step = encode(request, BASE)

    names = {n for n, v in _set_fields(request) if v not in (None, ())}
    in_path = {name for name in names if f"{{{name}}}" in request.endpoint.path}
    if request.endpoint.multipart and request.endpoint.envelope is None:
        asked = set(request.endpoint.query)
        assert {part.name for part in step.form} == names - in_path - asked
    assert step.url.startswith(BASE + request.endpoint.path.partition("{")[0])
    assert step.places == request.places


@given(strategies.requests())
def test_any_request_can_be_shown_as_json(request: Request[Any]) -> None:
    """A request as JSON has its set fields; files are shown by name."""
    shown = json.loads(json.dumps(to_jsonable(request)))

    assert set(shown) == {
        name for name, value in _set_fields(request) if value is not None
    }
    assert all(
        shown[name] == value.filename
        for name, value in _set_fields(request)
        if isinstance(value, Upload)
    )


def _set_fields(request: Request[Any]) -> list[tuple[str, Any]]:
    return [(n, v) for n, v in vars(request).items() if v is not None]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2000-01-23 04:56:07+00:00", MOMENT),
        ("2000-01-23T04:56:07Z", MOMENT),
        ("2000-01-23T04:56:07", MOMENT),
        ("2000-01-23T06:56:07+02:00", MOMENT),
        ("2000-01-23T04:56:07.540681+00:00", MOMENT + timedelta(microseconds=540681)),
    ],
)
def test_every_form_of_a_date_is_read(text: str, moment: datetime) -> None:
    """All date forms that services use are the same moment, in UTC."""
    created = decode({"created": text, "data": []}, ImageResponse, b"").created

    assert created == moment
    assert created.tzinfo is UTC


def test_unknown_fields_are_kept() -> None:
    """What this version doesn't know is kept, at every level."""
    payload = {
        "created": "2000-01-23T04:56:07Z",
        "data": [{"seed": 1, "new": {"a": 1}, "extra": 5}],
        "later": [2],
    }

    response = decode(payload, ImageResponse, b"")

    assert response == ImageResponse(
        created=MOMENT,
        data=(ImageObject(seed=1, extra={"new": {"a": 1}, "extra": 5}),),
        extra={"later": [2]},
    )
    assert to_jsonable(response) == {
        "created": "2000-01-23T04:56:07+00:00",
        "data": [{"seed": 1, "is_image_safe": True, "new": {"a": 1}, "extra": 5}],
        "later": [2],
    }


def test_missing_fields_of_an_image_are_none() -> None:
    """An image is not lost because the service left a detail out."""
    payload = {"created": "2000-01-23T04:56:07Z", "data": [{"url": ""}]}

    (image,) = decode(payload, ImageResponse, b"").data

    assert image == ImageObject()
    assert image.url is None


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"data": []}, "created"),
        ({"created": "soon", "data": []}, "created"),
        ({"created": 5, "data": []}, "created"),
        ({"created": "2000-01-23T04:56:07Z"}, "data"),
        ({"created": "2000-01-23T04:56:07Z", "data": 5}, "data"),
        ({"created": "2000-01-23T04:56:07Z", "data": ["x"]}, "data[0]"),
        (
            {"created": "2000-01-23T04:56:07Z", "data": [{}, {"seed": "x"}]},
            "data[1].seed",
        ),
        (
            {"created": "2000-01-23T04:56:07Z", "data": [{"is_image_safe": "no"}]},
            "data[0].is_image_safe",
        ),
        ({"created": "2000-01-23T04:56:07Z", "data": [{"url": 5}]}, "data[0].url"),
        ([], "$"),
        (None, "$"),
    ],
)
def test_unreadable_answers_name_the_field(payload: object, field: str) -> None:
    """A body that is not what was promised is kept, and the bad field named."""
    with pytest.raises(
        DecodeError, match=r"no ImageResponse: .* likely billed"
    ) as caught:
        decode(payload, ImageResponse, b"body")

    assert caught.value.field == field
    assert caught.value.body == b"body"
    assert caught.value.__context__ is None


def test_json_is_parsed() -> None:
    """A body is read as UTF-8 JSON, which JSON is."""
    assert parse_json('{"a": "猫"}'.encode()) == {"a": "猫"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_in_another_encoding_is_parsed(encoding: str) -> None:
    """A paid answer is not lost to the encoding that a gateway writes."""
    assert parse_json('{"a": "猫"}'.encode(encoding)) == {"a": "猫"}


@pytest.mark.parametrize("space", ["{}\n", "\r\n{}", "\t{} "])
def test_json_within_space_is_parsed(space: str) -> None:
    """Space around an answer is none of it."""
    assert parse_json(space.format('{"a": 1}').encode()) == {"a": 1}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe\xff", b"[" * 100_000, b"{} {}"]
)
def test_what_is_no_json_is_a_decode_error(body: bytes) -> None:
    """A success that isn't JSON, however wild, is our error with the body."""
    with pytest.raises(DecodeError, match="not JSON") as caught:
        parse_json(body)

    assert caught.value.body == body
    assert caught.value.complete
