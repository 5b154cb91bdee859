"""Answers in words: what an image shows, and better prompts, as far as can be seen."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from .. import requests as r
from ..requests import Request
from .answers import MOST_SEED, Answer
from .asked import source_of
from .lettering import Box, caption_box
from .looks import Look, look_at
from .montages import Cleared
from .palettes import hex_of, name_of
from .studio import Studio


QUOTED: Final = re.compile(r"[\"“']([^\"“”']{1,80})[\"”']")
"""Words that a prompt wants to be written."""
SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "16x9": ("wide", "landscape", "panorama", "banner"),
    "3x4": ("tall", "portrait", "poster"),
    "9x16": ("phone", "story", "vertical"),
}
"""Words of a prompt that stand for an aspect ratio."""
CAPTION_ROWS: Final = 2


def describe(_: Studio, request: r.Describe) -> dict[str, Any]:
    """Answer with size, shape and colors of the image, in sentences."""
    return {"descriptions": [{"text": sentences(look_at(source_of(request)))}]}


def sentences(look: Look) -> str:
    """Say in sentences what is seen."""
    first, *others = look.color_names
    text = f"A {look.shape}, {look.light} picture of {look.width} x {look.height}"
    text += f" pixels, mostly {first} ({hex_of(look.colors[0])})"
    text += f", with {' and '.join(others)}." if others else "."
    if look.spots:
        spot = look.spots[0]
        text += f" Its {spot.place} stands out in {name_of(spot.color)}."
    if look.words:
        text += f" It is said to show: {look.words}"
    return text


def describe_v4(_: Studio, request: r.DescribeV4) -> dict[str, Any]:
    """Answer with a structured prompt, made of what is seen."""
    look = look_at(source_of(request))
    has_boxes = request.include_bbox is not False
    prompt: dict[str, Any] = {
        "high_level_description": sentences(look),
        "compositional_deconstruction": {
            "background": f"A {look.light} ground in {look.color_names[0]}",
            "elements": [
                {
                    "type": "obj",
                    "desc": f"A part in {name_of(spot.color)}, {spot.place}",
                    **({"bbox": list(spot.box)} if has_boxes else {}),
                    "color_palette": [hex_of(spot.color)],
                }
                for spot in look.spots
            ],
        },
    }
    if request.include_style_descriptions:
        prompt["style_description"] = {
            "aesthetics": f"{look.light} and {look.color_names[-1]}",
            "lighting": f"{look.light} light",
            "medium": "picture",
            "color_palette": list(map(hex_of, look.colors)),
        }
    if request.include_tags:
        prompt["tags"] = [look.shape, look.light, *look.color_names]
    return {"json_prompt": prompt}


def magic_prompt(_: Studio, request: r.MagicPromptV4) -> dict[str, Any]:
    """Answer with a structured prompt, made of the parts of a short one."""
    text = request.text_prompt.strip()
    things = [part.strip() for part in QUOTED.sub("", text).split(",") if part.strip()]
    elements: list[dict[str, Any]] = [
        {"type": "obj", "desc": f"{thing}, in rich detail"} for thing in things
    ]
    elements += [
        {"type": "text", "text": words, "desc": "Large letters that are easy to read"}
        for words in QUOTED.findall(text)
    ]
    prompt = {
        "high_level_description": f"{text}, in rich detail, under dramatic light",
        "style_description": {
            "aesthetics": "calm and rich",
            "lighting": "dramatic light from one side",
            "medium": "illustration",
            "color_palette": ["#1B2A41", "#E07A5F", "#F4F1DE"],
        },
        "compositional_deconstruction": {
            "background": "A soft, deep background",
            "elements": elements,
        },
    }
    return {"json_prompt": prompt, "aspect_ratio": _ratio(request, text.lower())}


def _ratio(request: r.MagicPromptV4, text: str) -> str:
    if request.aspect_ratio not in {None, "AUTO"}:
        return str(request.aspect_ratio)
    for ratio, words in SHAPES.items():
        if any(word in text for word in words):
            return ratio
    return "1x1"


def text_of(request: Any, look: Look) -> tuple[str, Box]:
    """Return the text on an image, and where it is.

    It is the prompt in a picture of the sandbox, else the one in the request; and it
    is where captions are.
    """
    text = look.words or request.prompt or f"{look.width} x {look.height}"
    left, top, right, bottom = caption_box((look.width, look.height), CAPTION_ROWS)
    left, top = max(0, left), max(0, top)
    return text, (left, top, max(right, left + 1), max(bottom, top + 1))


def layerize_text(studio: Studio, request: r.LayerizeTextV3) -> dict[str, Any]:
    """Answer with the image without its caption, and the caption as a block."""
    source = source_of(request)
    look = look_at(source)
    text, (left, top, right, bottom) = text_of(request, look)
    block = {
        "x": left,
        "y": top,
        "width": right - left,
        "height": bottom - top,
        "text": text,
        "alignment": "left",
        "formatting": ["bold"] if look.words else [],
        "angle": 0,
        "font_name": "DejaVu Sans",
        "font_alternatives": ["Noto Sans", "Arial"],
        "font_size": max(13, round(min(look.width, look.height) * 0.036)),
        "line_height": 1.35,
        "color": "#FFFFFF",
        "role": "caption",
    }
    base = Cleared(source=source, boxes=((left, top, right, bottom),))
    return {
        "base_image_url": studio.show(base),
        "original_image_url": studio.show(Cleared(source=source)),
        "seed": _seed(request.seed),
        "text_blocks": [block],
    }


def _seed(seed: int | None) -> int:
    return secrets.randbelow(MOST_SEED + 1) if seed is None else seed


TOLD: Final[dict[type[Request[Any]], Answer]] = {
    r.Describe: describe,
    r.DescribeV4: describe_v4,
    r.MagicPromptV4: magic_prompt,
    r.LayerizeTextV3: layerize_text,
}
"""The answers to requests that ask for words."""
