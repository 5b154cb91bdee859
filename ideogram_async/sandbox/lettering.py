"""Words on pictures: captions, labels, and the lines of a design."""

from __future__ import annotations

from typing import Final

import attrs
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .palettes import Color


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""

CAPTION_LINES: Final = 4
LEAST_SIDE: Final = 160
"""Pictures that are narrower have no caption."""
FONTS: Final = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf")
"""Fonts with many scripts, used where the system has one."""


@attrs.frozen(kw_only=True)
class Line:
    """A text at a place of a design.

    Attributes:
        text: The words.
        box: Where they are.
        size: Of the font, in pixels.
        color: Of the words.
        role: `"h1"`, `"h2"`, `"body"` or `"small"`.
    """

    text: str
    box: Box
    size: int
    color: Color = (255, 255, 255)
    role: str = "h1"


def caption_box(size: tuple[int, int], lines: int) -> Box:
    """Return where a caption of so many lines stands on a picture of *size*."""
    width, height = size
    margin = round(min(size) * 0.035)
    font = max(13, round(min(size) * 0.036))
    top = height - margin * 3 - round(font * 1.35) * lines - font
    return margin, top, width - margin, height - margin


def write_caption(image: Image.Image, text: str, facts: str) -> None:
    """Write *text*, and *facts* in small letters, at the foot of *image*."""
    if min(image.size) < LEAST_SIDE:
        return
    margin = round(min(image.size) * 0.035)
    size = max(13, round(min(image.size) * 0.036))
    large, small = _font(size), _font(max(11, round(size * 0.72)))
    lines = _wrapped(text, large, image.width - 4 * margin)
    box = caption_box(image.size, len(lines))
    _shade(image, box, size)
    draw = ImageDraw.Draw(image)
    y = box[1] + round(margin * 0.8)
    for line in lines:
        draw.text((margin * 2, y), line, font=large, fill=(255, 255, 255))
        y += round(size * 1.35)
    draw.text((margin * 2, y + margin * 0.25), facts, font=small, fill=(205, 212, 224))


def write_label(image: Image.Image, text: str) -> None:
    """Write *text* across the middle of *image*, with a dark edge."""
    size = max(13, round(min(image.size) * 0.045))
    font = _font(size)
    lines = _wrapped(text, font, image.width * 0.5)
    draw = ImageDraw.Draw(image)
    y = image.height / 2 - size * 0.7 * len(lines)
    for line in lines:
        x = (image.width - font.getlength(line)) / 2
        draw.text(
            (x, y),
            line,
            font=font,
            fill=(255, 255, 255),
            stroke_width=max(1, size // 12),
            stroke_fill=(12, 14, 22),
        )
        y += size * 1.35


def write_line(image: Image.Image, line: Line) -> None:
    """Write *line* where it belongs, and no further than its box."""
    font = _font(line.size)
    draw = ImageDraw.Draw(image)
    y = line.box[1]
    for part in _wrapped(line.text, font, line.box[2] - line.box[0]):
        draw.text((line.box[0], y), part, font=font, fill=line.color)
        y += round(line.size * 1.2)


def _shade(image: Image.Image, box: Box, size: int) -> None:
    backdrop = image.crop(box).convert("RGB").filter(ImageFilter.GaussianBlur(size / 2))
    shade = Image.new("RGB", backdrop.size, (12, 14, 22))
    mask = Image.new("L", backdrop.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *backdrop.size), size * 0.7, fill=255)
    image.paste(Image.blend(backdrop, shade, 0.62), box[:2], mask)


def _font(size: int) -> Font:
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _wrapped(text: str, font: Font, room: float) -> list[str]:
    """Break *text* into lines that fit; the last one says if there is more."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > room:
            lines.append(line)
            longer = word
        line = longer
        while font.getlength(line) > room:
            line = line[:-1]
    lines.append(line)
    if len(lines) > CAPTION_LINES:
        lines = [*lines[: CAPTION_LINES - 1], lines[CAPTION_LINES - 1][:-2] + " …"]
    return lines
