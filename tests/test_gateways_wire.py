"""Every gateway over a socket: what its page documents, nothing else, the whole answer.

The expectations in `samples/<gateway>/<request class>/` were made from the gateways'
published pages, and not by this package: `answer*.json` are the answers printed there
(for Pixazo one per prefix and per heading of the page). A class without one gets the
official answer.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import IdeogramClient, UnsupportedRequestError
from ideogram_async._codec import to_jsonable
from ideogram_async.providers import PROVIDERS
from ideogram_async.requests import REQUESTS

from .wire_samples import (
    SAMPLES,
    assert_holds,
    assert_recorded,
    in_memory,
    made,
    normal,
    read,
    untyped,
)
from .wire_server import WireServer, wire_server


BASES = {"openai-hk": "/ideogram", "aihubmix": "/ideogram", "kkiai": "/ideogram"}
"""What belongs to the address of a gateway; Pixazo has a prefix for each model."""
GATEWAYS = (*BASES, "pixazo")
FOLDERS = [path for name in GATEWAYS for path in sorted((SAMPLES / name).iterdir())]
EXTRA = {
    "pixazo/Describe": {"created"},
    "pixazo/EditLegacy/answer-v2-response": {"original_image", "model_used"},
    "pixazo/RemixLegacy/answer-v2-response": {"image_weight", "model_used"},
}
"""What answers keep in `extra`, by the beginning of the sample's name."""
LINKS = {"edited_image": "url", "image_url": "url"}
COPIED = {
    "openai-hk/GenerateV3/answer",
    "pixazo/EditLegacy/answer-v2-output",
    "pixazo/EditLegacy/answer-v2-response",
    "pixazo/RemixLegacy/answer-v2-output",
    "pixazo/RemixLegacy/answer-v2-response",
}
"""Printed answers whose date is not that of their link."""
LEGACY_STYLES = ("AUTO", "GENERAL", "REALISTIC", "DESIGN", "RENDER_3D", "ANIME")
PRESETS = [
    *("EMBER", "FRESH", "JUNGLE", "MAGIC"),
    *("MELON", "MOSAIC", "PASTEL", "ULTRAMARINE"),
]
MEMBERS = {"members": [{"color_hex": "#b470b3"}]}
CAT = [{"file": "cat.png"}]


def label(path: Path) -> str:
    """Return gateway, request class and name of a sample."""
    return path.relative_to(SAMPLES).with_suffix("").as_posix()


def answers(folder: Path) -> list[Path]:
    """Return the answers printed for a request class, else the official one."""
    official = SAMPLES / "ideogram" / folder.name / "answer.json"
    return sorted(folder.glob("answer*.json")) or [official]


def official(sample: dict[str, Any]) -> dict[str, Any]:
    """Return a printed answer with every value where the official shape has it."""
    data = sample.get("data")
    if isinstance(data, dict):
        moved = {**sample, **data, "descriptions": [{"text": data["description"]}]}
        return {n: v for n, v in moved.items() if n not in {"data", "description"}}
    if data is None:
        return sample
    images = [{LINKS.get(n, n): value for n, value in each.items()} for each in data]
    return {**sample, "data": images}


def client(gateway: str, server: WireServer) -> IdeogramClient:
    """Return a client of *gateway*, as if it were *server*."""
    address = server.url + BASES.get(gateway, "")
    return IdeogramClient("test-key", provider=gateway, base_url=address)


def smallest(name: str, **given: Any) -> Any:
    """Return the official minimal request of the class *name*, with more fields."""
    sample = read(SAMPLES / "ideogram" / name / "minimal.json")
    return made(name, sample["request"] | given, in_memory)


CASES = [
    pytest.param(path, answer, id=f"{label(path)}-{label(answer)}")
    for folder in FOLDERS
    for path in sorted(folder.glob("*.json"))
    for answer in answers(folder)
    if not path.stem.startswith("answer")
]
LINKED = [
    path
    for folder in FOLDERS
    for path in sorted(folder.glob("answer*.json"))
    if "exp=" in path.read_text("utf-8")
]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_samples_are_those_of_the_routes(gateway: str) -> None:
    """A gateway takes exactly the request classes that its page documents."""
    folders = {path.name: path for path in FOLDERS if path.parent.name == gateway}

    assert {kind.__name__ for kind in PROVIDERS[gateway].routes} == set(folders)
    for folder in folders.values():
        assert {"minimal", "full"} <= {path.stem for path in folder.iterdir()}


@pytest.mark.parametrize(("path", "answered"), CASES)
async def test_request_and_answer(path: Path, answered: Path) -> None:
    """A request is on the wire just as documented, and no value of its answer lost."""
    gateway, name = path.parts[-3:-1]
    expected, sample = read(path), read(answered)
    async with wire_server() as server, client(gateway, server) as gate:
        server.answer = sample
        answer = await gate.send(made(name, expected["request"], in_memory))

    assert server.faults == []
    (record,) = server.records
    assert_recorded(record, expected)
    assert type(answer) is REQUESTS[name].returns
    kept = [EXTRA[each] for each in EXTRA if label(answered).startswith(each)]
    assert untyped(answer) == set().union(*kept)
    assert_holds(answer, official(sample))
    assert normal(to_jsonable(answer)) == normal(official(sample))


@pytest.mark.parametrize("path", LINKED, ids=label)
async def test_links_live_a_day(path: Path) -> None:
    """The end of a printed link is known: a day after its image was asked for."""
    gateway, name = path.parts[-3:-1]
    asked = read(path.with_name("minimal.json"))["request"]
    async with wire_server() as server, client(gateway, server) as gate:
        server.answer = read(path)
        answer = await gate.send(made(name, asked, in_memory))

    (image,) = answer.images
    assert image.expires_at is not None
    life = image.expires_at - answer.created
    assert life >= timedelta(days=1)
    assert (life > timedelta(days=1, minutes=1)) == (label(path) in COPIED)


@pytest.mark.parametrize(
    ("gateway", "name", "field", "values"),
    [
        ("openai-hk", "GenerateLegacy", "style_type", [*LEGACY_STYLES, "FICTION"]),
        ("openai-hk", "GenerateLegacy", "seed", [0, 2_147_483_647]),
        ("openai-hk", "GenerateV3", "rendering_speed", ["TURBO", "DEFAULT", "QUALITY"]),
        ("aihubmix", "GenerateLegacy", "model", ["V_1", "V_1_TURBO", "V_2"]),
        ("aihubmix", "GenerateLegacy", "model", ["V_2_TURBO", "V_2A", "V_2A_TURBO"]),
        ("aihubmix", "GenerateLegacy", "style_type", LEGACY_STYLES),
        ("aihubmix", "GenerateV3", "rendering_speed", ["TURBO", "DEFAULT", "QUALITY"]),
        ("aihubmix", "GenerateV3", "style_type", LEGACY_STYLES[:4]),
        ("aihubmix", "GenerateV3", "seed", [0, 2_147_483_647]),
        ("kkiai", "GenerateLegacy", "model", ["V_1", "V_1_TURBO", "V_2", "V_2_TURBO"]),
        ("kkiai", "GenerateLegacy", "style_type", LEGACY_STYLES),
        ("kkiai", "GenerateLegacy", "seed", [0, 2_147_483_647]),
        ("pixazo", "GenerateLegacy", "model", ["V_2", "V_2_TURBO"]),
        ("pixazo", "GenerateLegacy", "style_type", LEGACY_STYLES),
        ("pixazo", "GenerateLegacy", "seed", [1, 9_999_999_999]),
        ("pixazo", "GenerateLegacy", "color_palette", [{"name": n} for n in PRESETS]),
    ],
)
async def test_documented_values_are_sent(
    gateway: str, name: str, field: str, values: list[Any]
) -> None:
    """Every value that a page documents is taken."""
    async with wire_server() as server, client(gateway, server) as gate:
        server.answer = read(SAMPLES / "ideogram" / name / "answer.json")
        for value in values:
            await gate.send(smallest(name, **{field: value}))

    if name == "GenerateLegacy":
        sent = [record.json["image_request"][field] for record in server.records]
    else:
        parts = [part for record in server.records for part in record.parts or []]
        sent = [part.content.decode() for part in parts if part.name == field]
        values = [str(value) for value in values]
    assert sent == list(values)


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_classes_without_a_route_are_refused(gateway: str) -> None:
    """What a gateway doesn't have is refused before any I/O, and who has it named."""
    async with wire_server() as server, client(gateway, server) as gate:
        for name in REQUESTS:
            owners = [path.parent.name for path in FOLDERS if path.name == name]
            if gateway in owners:
                continue
            words = "|".join(["ideogram", *owners])
            with pytest.raises(UnsupportedRequestError, match=words):
                await gate.send(smallest(name))

    assert server.connections == 0


@pytest.mark.parametrize(
    ("gateway", "name", "given", "word"),
    [
        ("ideogram", "GenerateLegacy", {"seed": 3_000_000_000}, "seed"),
        ("ideogram", "RemixLegacy", {"seed": 3_000_000_000}, "seed"),
        ("ideogram", "EditLegacy", {"seed": 3_000_000_000}, "seed"),
        ("ideogram", "EditLegacy", {"mask": None}, "mask"),
        ("openai-hk", "EditLegacy", {}, "ideogram|aihubmix|pixazo"),
        ("openai-hk", "GenerateLegacy", {"seed": 3_000_000_000}, "seed"),
        ("aihubmix", "GenerateV3", {"style_codes": ["0a1B2c3D"]}, "style_codes"),
        ("aihubmix", "GenerateV3", {"rendering_speed": "FLASH"}, "rendering_speed"),
        ("aihubmix", "GenerateV3", {"style_type": "FICTION"}, "style_type"),
        ("aihubmix", "GenerateV3", {"style_preset": "AURA"}, "style_preset"),
        ("aihubmix", "GenerateV3", {"resolution": "1024x1024"}, "resolution"),
        ("aihubmix", "RemixV3", {"color_palette": MEMBERS}, "color_palette"),
        (
            "aihubmix",
            "EditV3",
            {"character_reference_images": CAT},
            "character_reference_images",
        ),
        ("aihubmix", "GenerateLegacy", {"model": "AUTO"}, "model"),
        ("aihubmix", "RemixLegacy", {"style_type": "FICTION"}, "style_type"),
        ("aihubmix", "Upscale", {"magic_prompt_version": "V_0"}, "magic_prompt_ver"),
        ("aihubmix", "EditLegacy", {"mask": None}, "mask"),
        ("kkiai", "RemixV3", {}, "ideogram|aihubmix"),
        ("kkiai", "GenerateLegacy", {"style_type": "FICTION"}, "style_type"),
        ("kkiai", "GenerateLegacy", {"model": "V_2A"}, "model"),
        ("kkiai", "GenerateLegacy", {"model": "AUTO"}, "model"),
        ("kkiai", "GenerateLegacy", {"seed": 3_000_000_000}, "seed"),
        ("pixazo", "GenerateLegacy", {"num_images": 2}, "num_images"),
        ("pixazo", "EditLegacy", {"num_images": 2}, "num_images"),
        (
            "pixazo",
            "GenerateLegacy",
            {"resolution": "RESOLUTION_1024_1024"},
            "resolution",
        ),
        ("pixazo", "GenerateLegacy", {"color_palette": MEMBERS}, "color_palette"),
        ("pixazo", "RemixLegacy", {"color_palette": MEMBERS}, "color_palette"),
        ("pixazo", "GenerateLegacy", {"seed": 0}, "seed"),
        ("pixazo", "EditLegacy", {"seed": 0}, "seed"),
        ("pixazo", "GenerateLegacy", {"style_type": "FICTION"}, "style_type"),
        ("pixazo", "GenerateLegacy", {"model": "V_1"}, "model"),
        ("pixazo", "RemixLegacy", {"magic_prompt_version": "V_0"}, "magic_prompt_ver"),
        ("pixazo", "Describe", {"describe_model_version": "V_3"}, "describe_model_ver"),
    ],
)
async def test_refusals(
    gateway: str, name: str, given: dict[str, Any], word: str
) -> None:
    """What a service doesn't take is named, and refused before any I/O."""
    request = smallest(name, **given)
    async with wire_server() as server, client(gateway, server) as gate:
        with pytest.raises(UnsupportedRequestError, match=word) as caught:
            await gate.send(request)

    assert (caught.value.provider, caught.value.request) == (gateway, request)
    assert server.connections == 0
