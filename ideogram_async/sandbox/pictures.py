"""Pictures that the sandbox draws instead of the service: real PNGs, from the seed.

The same prompt and seed give the same picture, a scene in the colors of the seed; the
prompt and the seed can be read on it.
"""

from __future__ import annotations

import hashlib
import io
import random
from typing import Final

import attrs
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from .scenes import scene


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

CAPTION_LINES: Final = 4
FONTS: Final = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf")
"""Fonts with many scripts, used where the system has one."""


@attrs.frozen(kw_only=True)
class Picture:
    """What is needed to draw one image.

    Attributes:
        prompt: Written on it, and mixed into its colors.
        seed: Written on it, and decides the scene.
        width: In pixels.
        height: In pixels.
        source: An image to start from, as a file's bytes; or None.
        weight: How much of the source stays, in percent.
    """

    prompt: str
    seed: int
    width: int
    height: int
    source: bytes | None = attrs.field(default=None, repr=False)
    weight: int = 50

    def png(self) -> bytes:
        """Draw the image and return it as a PNG file."""
        digest = hashlib.sha256(f"{self.seed}\n{self.prompt}".encode()).digest()
        chance = random.Random(digest)  # noqa: S311  # a picture, no secret
        image = scene((self.width, self.height), chance)
        if self.source is not None:
            image = self._mixed(image, self.source)
        _write_caption(image, self)
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=4)
        return file.getvalue()

    def _mixed(self, image: Image.Image, source: bytes) -> Image.Image:
        with Image.open(io.BytesIO(source)) as opened:
            fitted = ImageOps.fit(opened.convert("RGB"), image.size)
        return Image.blend(image, fitted, self.weight / 100)


def is_readable(content: bytes) -> bool:
    """Whether *content* is an image that can be opened."""
    try:
        with Image.open(io.BytesIO(content)) as opened:
            opened.verify()
    except Exception:  # noqa: BLE001  # Pillow raises whatever a broken file causes
        return False
    return True


def _write_caption(image: Image.Image, picture: Picture) -> None:
    margin = round(min(image.size) * 0.035)
    size = max(13, round(min(image.size) * 0.036))
    large, small = _font(size), _font(max(11, round(size * 0.72)))
    room = image.width - 4 * margin
    lines = _wrapped(picture.prompt, large, room)
    facts = f"seed {picture.seed}  ·  {image.width} x {image.height}  ·  sandbox"
    line_height = round(size * 1.35)
    top = image.height - margin * 3 - line_height * len(lines) - size
    box = (margin, top, image.width - margin, image.height - margin)
    backdrop = image.crop(box).filter(ImageFilter.GaussianBlur(size * 0.6))
    shade = Image.new("RGB", backdrop.size, (12, 14, 22))
    mask = Image.new("L", backdrop.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *backdrop.size), size * 0.7, fill=255)
    image.paste(Image.blend(backdrop, shade, 0.62), box[:2], mask)
    draw = ImageDraw.Draw(image)
    y = top + round(margin * 0.8)
    for line in lines:
        draw.text((margin * 2, y), line, font=large, fill=(255, 255, 255))
        y += line_height
    draw.text((margin * 2, y + margin * 0.25), facts, font=small, fill=(205, 212, 224))


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
