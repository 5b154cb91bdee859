"""What can be seen on an image: its size, its colors, where it is bright; and checks.

This is all that the sandbox knows of an image; what it says about one is derived from
it, and from the prompt that its own pictures carry inside.
"""

from __future__ import annotations

import io
from typing import Final, cast

import attrs
from PIL import Image, ImageChops

from .palettes import Color, brightness, name_of
from .pictures import WORDS, opened


LEAST_BLACK: Final = 0.1
"""Least share of a mask that is black."""
THUMBNAIL: Final = 64
GRID: Final = 3
"""An image is looked at in so many rows and columns."""
LEAST_DIFFERENCE: Final = 24
"""How much a part must differ from the whole, of 255, to be seen."""
SQUARE: Final = 1.05
"""Greatest ratio of the sides of what is called square."""
DARK, BRIGHT = 85, 170


@attrs.frozen(kw_only=True)
class Spot:
    """A part of an image that differs from the rest.

    Attributes:
        box: Top, left, bottom and right, in thousandths of the image.
        color: Its mean color.
    """

    box: tuple[int, int, int, int]
    color: Color

    @property
    def place(self) -> str:
        """Where it is, in words."""
        down = ("top", "middle", "bottom")[round(self.box[0] * GRID / 1000)]
        across = ("left", "center", "right")[round(self.box[1] * GRID / 1000)]
        return f"{down} {across}"


@attrs.frozen(kw_only=True)
class Look:
    """What is seen on an image.

    Attributes:
        width: In pixels.
        height: In pixels.
        colors: The colors that dominate, the most frequent first.
        spots: Parts that differ from the rest, the most different first.
        words: The prompt inside the file, or nothing.
    """

    width: int
    height: int
    colors: tuple[Color, ...]
    spots: tuple[Spot, ...]
    words: str

    @property
    def shape(self) -> str:
        """`"square"`, `"wide"` or `"tall"`."""
        if max(self.width, self.height) <= SQUARE * min(self.width, self.height):
            return "square"
        return "wide" if self.width > self.height else "tall"

    @property
    def light(self) -> str:
        """`"dark"`, `"bright"` or `"even"`, by the first color."""
        level = brightness(self.colors[0])
        return "dark" if level < DARK else "bright" if level > BRIGHT else "even"

    @property
    def color_names(self) -> list[str]:
        """The words for the colors, each once."""
        return list(dict.fromkeys(map(name_of, self.colors)))


def is_readable(content: bytes) -> bool:
    """Whether *content* is an image that can be opened."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except Exception:  # noqa: BLE001  # Pillow raises whatever a broken file causes
        return False
    return True


def size_inside(content: bytes) -> tuple[int, int]:
    """Return width and height of the image in *content*."""
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def mask_complaint(mask: bytes, image: bytes) -> str | None:
    """Return why the service refuses *mask* for *image*, or None."""
    wanted, given = size_inside(image), size_inside(mask)
    if wanted != given:
        return (
            f"mask must have the size of the image, {wanted[0]}x{wanted[1]},"
            f" got {given[0]}x{given[1]}"
        )
    counts = opened(mask).convert("RGB").convert("L").histogram()
    pixels = given[0] * given[1]
    if counts[0] + counts[255] < pixels:
        return "mask must be black and white only"
    if not counts[0]:
        return "mask must not be all white"
    if counts[0] < LEAST_BLACK * pixels:
        return "mask must be black on at least 10 % of it"
    return None


def look_at(content: bytes) -> Look:
    """Look at the image in *content*."""
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
        words = str(image.info.get(WORDS, ""))
        small = image.convert("RGB").resize((THUMBNAIL, THUMBNAIL))  # pyright: ignore[reportUnknownMemberType]  # numpy's types, which are optional there
    return Look(
        width=width,
        height=height,
        colors=_dominant(small),
        spots=_spots(small),
        words=words,
    )


def _dominant(small: Image.Image) -> tuple[Color, ...]:
    reduced = small.quantize(5).convert("RGB")
    counted = cast("list[tuple[int, Color]]", reduced.getcolors() or [])
    return tuple(color for _, color in sorted(counted, reverse=True))


def _spots(small: Image.Image) -> tuple[Spot, ...]:
    """Return the parts whose mean color differs most from that of the whole."""
    cells = small.resize((GRID, GRID), Image.Resampling.BOX)  # pyright: ignore[reportUnknownMemberType]  # as above
    mean = small.resize((1, 1), Image.Resampling.BOX)  # pyright: ignore[reportUnknownMemberType]  # as above
    wash = mean.resize((GRID, GRID))  # pyright: ignore[reportUnknownMemberType]  # as above
    unlike = ImageChops.difference(cells, wash).convert("L")
    found: list[tuple[int, Spot]] = []
    for row in range(GRID):
        for column in range(GRID):
            top, left = row * 1000 // GRID, column * 1000 // GRID
            box = (top, left, top + 1000 // GRID, left + 1000 // GRID)
            color = cast("Color", cells.getpixel((column, row)))
            difference = cast("int", unlike.getpixel((column, row)))
            found.append((difference, Spot(box=box, color=color)))
    found.sort(key=lambda each: -each[0])
    return tuple(spot for how, spot in found[:GRID] if how >= LEAST_DIFFERENCE)
