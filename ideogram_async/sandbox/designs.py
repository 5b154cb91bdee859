"""Answers with designs: a picture, its texts apart, and where its pictures are."""

from __future__ import annotations

import html
from typing import Any, Final

from .. import requests as r
from ..requests import Request
from .answers import Answer, Work, images, painting_for, work_of
from .asked import Size, contents, prompt_used, size_of, source_of
from .lettering import Box, Line
from .looks import look_at
from .montages import Cleared
from .palettes import hex_of
from .pictures import Design
from .words import QUOTED, text_of


ROLES: Final = (("h1", 0.09, 0.42), ("h2", 0.05, 0.66), ("small", 0.03, 0.84))
"""Role, size of the font and distance from the top, in shares of the image."""
PER_ROW: Final = 5


def designed(request: r.GenerateDesignV3, seed: int) -> Work:
    """Make a design of the prompt: a title, a line below it, and small print."""
    size = size_of(request)
    painting = painting_for(request, seed, size)
    lines = _lines(painting.prompt, size)
    assets = contents(request, "reference_asset_images")
    boxes = [_asset_box(place, size) for place in range(len(assets))]
    picture = Design(
        painting=painting, lines=lines, layers=tuple(zip(assets, boxes, strict=True))
    )
    layers = [_layer((0, 0, *size)), *map(_layer, boxes)]
    for place, layer in enumerate(layers[1:]):
        layer["ref_id"] = f"reference_asset_images[{place}]"
    more = {**_texts(request, lines), "image_layers": layers}
    return work_of(painting, picture, more=more)


def layerized(request: r.LayerizeDesignV3, seed: int) -> Work:
    """Take a flat design apart: what is behind, and the text that it carries."""
    source = source_of(request)
    look = look_at(source)
    text, box = text_of(request, look)
    size = (look.width, look.height)
    lines = _lines(text, size) if "\n" in text else (_caption(text, box),)
    prompt = prompt_used(request) or text
    painting = painting_for(request, seed, size, prompt=prompt)
    picture = Cleared(source=source, boxes=tuple(line.box for line in lines))
    more = {**_texts(request, lines), "image_layers": [_layer((0, 0, *size))]}
    return work_of(painting, picture, more=more)


def _lines(prompt: str, size: Size) -> tuple[Line, ...]:
    """Return the lines of a design: what is quoted, else the prompt itself."""
    said = prompt.splitlines() if "\n" in prompt else QUOTED.findall(prompt)
    texts = [*(said or [prompt]), "made in the sandbox"][: len(ROLES)]
    width, height = size
    left, right = round(width * 0.08), round(width * 0.92)
    lines: list[Line] = []
    for text, (role, share, down) in zip(texts, ROLES, strict=False):
        top, font = round(height * down), max(11, round(min(size) * share))
        box = (left, top, right, min(height, top + round(height * 0.16)))
        lines.append(Line(text=text, box=box, size=font, role=role))
    return tuple(lines)


def _caption(text: str, box: Box) -> Line:
    return Line(text=text, box=box, size=max(11, (box[3] - box[1]) // 4), role="body")


def _asset_box(place: int, size: Size) -> Box:
    side = min(size) // 7
    left = round(size[0] * 0.08) + place % PER_ROW * round(side * 1.2)
    top = round(size[1] * 0.06) + place // PER_ROW * round(side * 1.2)
    return left, top, left + side, top + side


def _layer(box: Box) -> dict[str, Any]:
    left, top, right, bottom = box
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def _texts(request: Any, lines: tuple[Line, ...]) -> dict[str, Any]:
    containers = [
        {"id": f"text-{place}", "items": [_item(request, line)]}
        for place, line in enumerate(lines, 1)
    ]
    return {"text_containers": containers, "text_html": _html(lines)}


def _item(request: Any, line: Line) -> dict[str, Any]:
    font = getattr(request, f"font_file_{line.role}")
    name = getattr(request, f"font_name_{line.role}")
    return {
        **_layer(line.box),
        "alignment": "left",
        "angle": 0.0,
        "style_class": line.role,
        "spans": [{"text": line.text, "color": hex_of(line.color), "font_fx": []}],
        "font_file": font.filename if font else name,
        "font_size": line.size,
    }


def _html(lines: tuple[Line, ...]) -> str:
    tags = {"h1": "h1", "h2": "h2", "body": "p", "small": "small"}
    return "".join(
        f"<{tags[line.role]}>{html.escape(line.text)}</{tags[line.role]}>"
        for line in lines
    )


DESIGNED: Final[dict[type[Request[Any]], Answer]] = {
    r.GenerateDesignV3: images(designed, response_type="layered"),
    r.LayerizeDesignV3: images(layerized, response_type="layered"),
}
"""The answers to requests on designs."""
