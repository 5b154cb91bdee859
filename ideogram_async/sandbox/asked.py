"""What a request asks for, whatever its family calls it: prompt, size, files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, cast, get_args

import attrs

from ..requests import Request
from ..uploads import Upload
from ..vocabulary import Resolution, ResolutionV3
from .palettes import Color, asked_colors, color_of, spread


Size = tuple[int, int]

PROMPTS: Final = ("prompt", "text_prompt")
REWRITES: Final = ("magic_prompt", "magic_prompt_option")
SOURCES: Final = ("image", "image_file", "flat_graphic_image")
SQUARE: Final = (1024, 1024)
LARGE_SQUARE: Final = (2048, 2048)


def prompt_of(request: Request[Any]) -> str:
    """Return the words of the prompt, or nothing."""
    for name in PROMPTS:
        if words := getattr(request, name, None):
            return str(words)
    structure = getattr(request, "json_prompt", None)
    return str(structure.high_level_description) if structure else ""


def prompt_used(request: Request[Any]) -> str:
    """Return the prompt after the magic prompt, where that is on."""
    prompt = prompt_of(request)
    is_on = any(getattr(request, name, None) == "ON" for name in REWRITES)
    if is_on or getattr(request, "text_prompt", None):
        return f"{prompt}, in rich detail, under dramatic light"
    return prompt


def size_of(request: Request[Any], default: Size = SQUARE) -> Size:
    """Return width and height in pixels: as asked, or nearest to the aspect ratio."""
    resolution = getattr(request, "resolution", None)
    if resolution is not None:
        return _size(resolution)
    ratio = getattr(request, "aspect_ratio", None)
    if ratio is None:
        return default
    width, height = _size(ratio)
    wanted = math.log(width / height)
    known = Resolution if ratio.startswith("ASPECT") else ResolutionV3
    sizes = map(_size, get_args(known))
    return min(sizes, key=lambda size: abs(math.log(size[0] / size[1]) - wanted))


def files_of(request: Request[Any]) -> Iterator[tuple[str, Upload]]:
    """Yield every file in *request* behind the name of its field."""
    for field in attrs.fields(cast("Any", type(request))):
        value = getattr(request, field.name)
        is_list = isinstance(value, tuple)
        for member in cast("tuple[Any, ...]", value if is_list else (value,)):
            if isinstance(member, Upload):
                yield field.name, member


def content_of(upload: Upload) -> bytes:
    """Return the bytes of *upload*, which came over HTTP."""
    return cast("bytes", upload.source)


def contents(request: Request[Any], name: str) -> tuple[bytes, ...]:
    """Return the bytes of every file in the field *name*; none if it isn't there."""
    return tuple(content_of(file) for field, file in files_of(request) if field == name)


def source_of(request: Request[Any]) -> bytes:
    """Return the image that is changed or looked at."""
    return next(content for name in SOURCES for content in contents(request, name))


def colors_of(request: Request[Any]) -> tuple[Color, ...]:
    """Return the five colors that are asked for, or none."""
    structure = getattr(request, "json_prompt", None)
    style = structure.style_description if structure else None
    if style is not None and style.color_palette:
        return spread([(color_of(text), 1.0) for text in style.color_palette])
    return asked_colors(getattr(request, "color_palette", None))


def mentions(text: str, words: tuple[str, ...]) -> bool:
    """Whether one of *words* is in *text*, in any case."""
    lowered = text.lower()
    return any(word.lower() in lowered for word in words)


def _size(text: str) -> Size:
    """Return the two numbers of `1024x768`, `16x9`, `RESOLUTION_1024_768`, or alike."""
    width, height = text.replace("x", "_").split("_")[-2:]
    return int(width), int(height)
