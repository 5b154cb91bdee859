"""Properties of every request class: no value is lost, and no bad value passes."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from urllib.parse import unquote

import attrs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ideogram_async import (
    ColorPalette,
    ColorPaletteMember,
    GenerateV3,
    JsonPrompt,
    UnsupportedRequestError,
    Upload,
)
from ideogram_async._http import HttpRequest
from ideogram_async._plain import build, field_types
from ideogram_async._rules import (
    Between,
    Count,
    MediaTypes,
    NotBlank,
    Pattern,
    TotalSize,
)
from ideogram_async._transport import Transport
from ideogram_async.providers import PROVIDERS, Provider
from ideogram_async.requests import (
    REQUESTS,
    Composition,
    PromptElement,
    Request,
    StyleDescription,
)

from . import strategies
from .wire_server import ESCAPES, PartRecord, Record, WireServer, wire_server


SOCKET = settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck)
)
PURE = settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
PNG = Upload.from_bytes(b"\x89PNG\r\n\x1a\n1", "cat.png")
GIF = Upload.from_bytes(b"GIF89a", "cat.gif")
VALUES = (
    ColorPalette,
    ColorPaletteMember,
    Composition,
    JsonPrompt,
    PromptElement,
    StyleDescription,
)
EXCLUSIVE = (
    ("resolution", "aspect_ratio"),
    ("style_codes", "style_type"),
    ("style_codes", "style_reference_images"),
    ("images", "image_urls"),
    ("text_prompt", "json_prompt"),
)

Send = Callable[[type[Provider], Request[Any]], Record]

ROUTES = [
    pytest.param(provider, kind, id=f"{name}-{kind.__name__}")
    for name, provider in sorted(PROVIDERS.items())
    for kind in sorted(provider.routes, key=lambda kind: kind.__name__)
]


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    """Return what sends a request over a socket, and returns what came out there."""
    with start_blocking_portal() as portal, _server_in(portal) as server:

        def deliver(provider: type[Provider], request: Request[Any]) -> Record:
            prepared = provider.prepared(request)
            step = provider("a key", server.url).step(prepared)
            portal.call(_deliver, server, step)
            record = server.records.pop()
            record.target = record.target.removeprefix(provider.prefix(prepared))
            return record

        yield deliver


def _server_in(portal: BlockingPortal) -> Any:
    return portal.wrap_async_context_manager(wire_server())


async def _deliver(server: WireServer, step: HttpRequest) -> None:
    server.faults.clear()
    transport = Transport()
    response = await transport.send(step, 10)
    await transport.aclose()
    assert (server.faults, response.status) == ([], 200)


def read_back(record: Record, kind: type[Request[Any]]) -> Request[Any]:
    """Return the request that *record* carries, as text and files tell it."""
    endpoint = kind.endpoint
    template = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(endpoint.path))
    match = re.fullmatch(template, record.path)
    assert match
    fields: dict[str, Any] = {n: unquote(text) for n, text in match.groupdict().items()}
    for name, text in record.query:
        fields.setdefault(name, []).append(text)
    for part in record.parts or ():
        fields.setdefault(part.name.removesuffix("[]"), []).append(_content(part))
    given_fields = {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in fields.items()
    }
    if record.method == "POST" and record.parts is None:
        given_fields |= record.json
    if endpoint.envelope:
        inner = given_fields.pop(endpoint.envelope)
        given_fields |= json.loads(inner) if isinstance(inner, str) else inner
    return build(kind, given_fields)


def _content(part: PartRecord) -> str | Upload:
    if part.filename is None:
        return part.content.decode()
    return Upload.from_bytes(part.content, part.filename, media_type=part.media_type)


def told(request: Request[Any]) -> Request[Any]:
    """Return *request* as a form can tell it: no empty lists, no escapes in names."""
    if request.endpoint.method == "POST" and not request.endpoint.multipart:
        return request
    changes = {
        name: _told(value) or None
        for name, value in attrs.asdict(request, recurse=False).items()
        if isinstance(value, tuple | Upload)
    }
    return attrs.evolve(request, **changes)


def _told(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_told, value))
    if not isinstance(value, Upload):
        return value
    filename = value.filename
    for escape, character in ESCAPES.items():
        filename = filename.replace(escape, character)
    return attrs.evolve(value, filename=filename)


def narrowed(provider: type[Provider], request: Request[Any]) -> Request[Any]:
    """Return *request* without the optional fields that *provider* doesn't take."""
    takes = provider.routes[type(request)].takes
    names = attrs.fields_dict(type(request))
    if takes is not None:
        request = attrs.evolve(request, **dict.fromkeys(names.keys() - takes))
    while wrong := provider.complaint(request):
        name = wrong.partition(" ")[0]
        if getattr(request, name) is None:
            break
        request = attrs.evolve(request, **{name: None})
    return request


@pytest.mark.parametrize(("provider", "kind"), ROUTES)
@SOCKET
@given(data=st.data())
def test_any_request_comes_through_or_is_refused(
    send: Send, provider: type[Provider], kind: type[Request[Any]], data: st.DataObject
) -> None:
    """What a provider takes is the same request at its server; all else is refused."""
    request = data.draw(strategies.models(kind))
    if data.draw(st.booleans()):
        request = narrowed(provider, request)

    if provider.complaint(request):
        with pytest.raises(UnsupportedRequestError):
            next(provider("a key").exchange(request))
    else:
        came = read_back(send(provider, request), kind)
        assert came == told(provider.prepared(request))


def bad_values(hint: Any, good: Any) -> Iterator[Any]:
    """Yield values just outside of what the type *hint* allows; *good* is inside."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        for rule in arguments[1:]:
            yield from _breaking(rule, good)
        yield from bad_values(arguments[0], good)
    elif origin in (Union, types.UnionType):
        arm = next(arm for arm in arguments if arm is not types.NoneType)
        yield from bad_values(arm, good)
    elif origin is Literal:
        yield from ("", "NO SUCH VALUE", arguments[0] + " ", 0)
    elif origin is tuple:
        members = tuple(good)
        for wrong in bad_values(arguments[0], members[0] if members else None):
            yield (*members[:-1], wrong)
        yield from ("text", 5, {})
    else:
        yield from WRONG_TYPES.get(hint, ({}, "text", 5))


WRONG_TYPES: dict[Any, tuple[Any, ...]] = {
    str: (5, b"bytes", True, "\ud800"),
    int: (1.5, "1", True),
    float: ("1", False, float("nan")),
    bool: (0, 1, "true"),
    Upload: ("cat.png", b"\x89PNG\r\n\x1a\n"),
}


def _breaking(rule: Any, good: Any) -> Iterator[Any]:
    match rule:
        case Between(low, high):
            step = 1 if isinstance(low, int) else 0.001
            yield from (low - step, high + step)
        case NotBlank():
            yield from ("", " \t\r\n")
        case Pattern(_, example):
            yield from ("", example + "\n", f"\n{example}")
        case Count(low, high):
            yield from ((good[0],) * (high + 1), (good[0],) * (low - 1))
        case MediaTypes():
            yield GIF
        case TotalSize(limit):
            one = good[0] if isinstance(good, tuple) else good
            for size in (0, limit + 1):
                wrong = attrs.evolve(one, size=size)
                yield (wrong,) if isinstance(good, tuple) else wrong
        case _:
            raise AssertionError(rule)


@pytest.mark.parametrize(
    "cls", [*REQUESTS.values(), *VALUES], ids=lambda cls: cls.__name__
)
@PURE
@given(data=st.data())
def test_no_bad_field_passes(cls: type[Any], data: st.DataObject) -> None:
    """One field out of its range is refused, by its name, in any request."""
    request = data.draw(strategies.models(cls))

    for field in attrs.fields(cls):
        hint = field_types(cls)[field.name]
        good = data.draw(given_values(hint))
        needed = (None,) if field.default is attrs.NOTHING else ()
        for wrong in (*needed, *bad_values(hint, good)):
            with pytest.raises(ValueError, match=rf"\A{field.name}( must |\[\d)"):
                attrs.evolve(request, **{field.name: wrong})


def given_values(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of *hint* that are neither None nor empty lists."""
    arms = [arm for arm in get_args(hint) if arm is not types.NoneType]
    optional = get_origin(hint) in (Union, types.UnionType)
    return strategies.values(arms[0] if optional else hint).filter(lambda v: v != ())


PAIRS = [
    pytest.param(cls, first, second, id=f"{name}-{first}-{second}")
    for name, cls in REQUESTS.items()
    for first, second in EXCLUSIVE
    if {first, second} <= set(field_types(cls))
]


def test_pairs_are_there() -> None:
    """Every pair that excludes itself occurs in some class."""
    assert {pair.values[1:] for pair in PAIRS} == set(EXCLUSIVE)


@pytest.mark.parametrize(("cls", "first", "second"), PAIRS)
@PURE
@given(data=st.data())
def test_exclusive_fields_do_not_pass(
    cls: type[Any], first: str, second: str, data: st.DataObject
) -> None:
    """Two fields that exclude each other are refused, by their names."""
    hints = field_types(cls)
    required = {
        each.name: data.draw(strategies.values(hints[each.name]))
        for each in attrs.fields(cls)
        if each.default is attrs.NOTHING
    }
    both = {name: data.draw(given_values(hints[name])) for name in (first, second)}

    with pytest.raises(ValueError, match=rf"{first} and {second}"):
        cls(**required, **both)


def test_masks_are_as_many_as_references() -> None:
    """Character masks without their references are refused, by their name."""
    with pytest.raises(ValueError, match="character_reference_images_mask must have 0"):
        GenerateV3("a cat", character_reference_images_mask=(PNG,))
