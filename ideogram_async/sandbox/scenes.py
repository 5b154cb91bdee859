"""Scenes in the colors of a seed or of a palette, drawn with Pillow."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageDraw, ImageOps

from .palettes import Color, palette_of


SCALE: Final = 2
"""Scenes are drawn larger and reduced, for smooth edges."""
LARGE: Final = 2_500_000
"""Number of pixels from which a scene is drawn in its own size, for speed."""


def scene(
    size: tuple[int, int], chance: random.Random, colors: tuple[Color, ...] = ()
) -> Image.Image:
    """Draw one of the scenes, of *size* pixels, as *chance* has it.

    Args:
        size: Width and height.
        chance: Decides the scene.
        colors: Five colors to use, from dark to light; those of *chance* if empty.
    """
    palette = palette_of(chance)
    scale = SCALE if size[0] * size[1] < LARGE else 1
    image = _sky((size[0] * scale, size[1] * scale), list(colors) or palette)
    chance.choice(SCENES)(image, list(colors) or palette, chance)
    return image.reduce(scale)


def _blend(first: Color, second: Color, share: float) -> Color:
    red, green, blue = (
        round(a + (b - a) * share) for a, b in zip(first, second, strict=True)
    )
    return red, green, blue


def _sky(size: tuple[int, int], palette: list[Color]) -> Image.Image:
    ramp = Image.frombytes("L", (1, 256), bytes(range(256)))
    gradient = ramp.resize(size, Image.Resampling.BILINEAR)  # pyright: ignore[reportUnknownMemberType]  # numpy's types, which are optional there
    return ImageOps.colorize(gradient, palette[2], palette[4], mid=palette[3])


def _disc(
    draw: ImageDraw.ImageDraw, center: tuple[float, float], radius: float, color: Color
) -> None:
    x, y = center
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)


def _ridge(
    size: tuple[int, int], level: float, swing: float, chance: random.Random
) -> list[tuple[float, float]]:
    """Return a wavy line over the whole width, closed along the bottom."""
    width, height = size
    waves = [(chance.uniform(0.5, 3.5), chance.uniform(0, math.tau)) for _ in range(3)]
    line = [
        (
            x,
            height * level
            + height
            * swing
            * sum(math.sin(math.tau * f * x / width + p) / (f + 1) for f, p in waves),
        )
        for x in range(0, width + 9, 8)
    ]
    return [*line, (width, height), (0, height)]


def _hills(image: Image.Image, palette: list[Color], chance: random.Random) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    sun = (width * chance.uniform(0.2, 0.8), height * chance.uniform(0.22, 0.45))
    radius = min(image.size) * chance.uniform(0.09, 0.16)
    for ring in range(5, 0, -1):
        halo = _blend(palette[4], palette[3], ring / 6)
        _disc(draw, sun, radius * (1 + ring * 0.16), halo)
    _disc(draw, sun, radius, (255, 250, 235))
    for layer in range(6):
        color = _blend(palette[3], palette[0], (layer + 1) / 6)
        draw.polygon(_ridge(image.size, 0.42 + layer * 0.1, 0.09, chance), fill=color)


def _waves(image: Image.Image, palette: list[Color], chance: random.Random) -> None:
    draw = ImageDraw.Draw(image)
    for layer in range(11):
        base = _blend(palette[4], palette[0], layer / 10)
        ridge = _ridge(image.size, 0.12 + layer * 0.085, 0.06, chance)
        draw.polygon(ridge, fill=_blend(base, palette[3], chance.uniform(0, 0.35)))
        draw.line(ridge[:-2], fill=palette[4], width=SCALE * 2)


def _city(image: Image.Image, palette: list[Color], chance: random.Random) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    moon = (width * chance.uniform(0.15, 0.85), height * 0.2)
    _disc(draw, moon, min(image.size) * 0.08, (255, 252, 240))
    for layer in range(3):
        color = _blend(palette[2], palette[0], layer / 2)
        x = 0
        while x < width:
            wide = round(width * chance.uniform(0.05, 0.11))
            top = round(
                height * chance.uniform(0.28 + layer * 0.14, 0.62 + layer * 0.1)
            )
            draw.rectangle((x, top, x + wide, height), fill=color)
            _windows(draw, (x, top, x + wide, height), palette[4], chance)
            x += wide + round(width * 0.006)


def _windows(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    color: Color,
    chance: random.Random,
) -> None:
    left, top, right, bottom = box
    pane = 8 * SCALE
    for y in range(top + pane, bottom, pane * 3):
        for x in range(left + pane, right - pane, pane * 2):
            if chance.random() < 0.35:  # noqa: PLR2004  # lit windows
                draw.rectangle((x, y, x + pane * 0.7, y + pane * 1.3), fill=color)


def _orbits(image: Image.Image, palette: list[Color], chance: random.Random) -> None:
    image.paste(palette[0], (0, 0, *image.size))
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for _ in range(260):
        star = (chance.uniform(0, width), chance.uniform(0, height))
        _disc(draw, star, chance.uniform(0.6, 2.4) * SCALE, palette[4])
    center = (width / 2, height * 0.44)
    for ring in range(7, 0, -1):
        wide, high = width * 0.075 * ring, height * 0.05 * ring
        color = _blend(palette[3], palette[1], ring / 8)
        x, y = center
        draw.ellipse(
            (x - wide, y - high, x + wide, y + high), outline=color, width=SCALE * 2
        )
        angle = chance.uniform(0, math.tau)
        planet = (x + wide * math.cos(angle), y + high * math.sin(angle))
        size = min(image.size) * chance.uniform(0.012, 0.04)
        _disc(draw, planet, size, chance.choice(palette[2:]))
    _disc(draw, center, min(image.size) * 0.075, (255, 240, 200))


def _bloom(image: Image.Image, palette: list[Color], chance: random.Random) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    x, y = width / 2, height * 0.45
    petals = chance.choice((8, 10, 12, 16))
    for ring in range(6, 0, -1):
        length = min(image.size) * 0.085 * ring
        color = _blend(palette[4], palette[0 if ring % 2 else 2], ring / 7)
        for petal in range(petals):
            angle = math.tau * (petal + ring % 2 / 2) / petals
            tip = (x + length * math.cos(angle), y + length * math.sin(angle))
            _disc(draw, tip, length * 1.9 / petals + SCALE * 6, color)
    _disc(draw, (x, y), min(image.size) * 0.07, palette[3])


def _prism(image: Image.Image, palette: list[Color], chance: random.Random) -> None:
    width, height = image.size
    draw = ImageDraw.Draw(image)
    columns, rows = 9, max(4, round(9 * height / width))
    points = [
        [
            (
                width * (column + chance.uniform(-0.3, 0.3)) / columns,
                height * (row + chance.uniform(-0.3, 0.3)) / rows,
            )
            for column in range(-1, columns + 2)
        ]
        for row in range(-1, rows + 2)
    ]
    for row in range(rows + 2):
        for column in range(columns + 2):
            a, b = points[row][column], points[row][column + 1]
            c, d = points[row + 1][column], points[row + 1][column + 1]
            shade = _blend(palette[4], palette[1], row / (rows + 1))
            for corners in ((a, b, c), (b, c, d)):
                color = _blend(shade, chance.choice(palette), chance.uniform(0, 0.45))
                draw.polygon(corners, fill=color)


Scene = Callable[[Image.Image, list[Color], random.Random], None]

SCENES: Final[tuple[Scene, ...]] = (_hills, _waves, _city, _orbits, _bloom, _prism)
