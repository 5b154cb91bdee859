"""Colors: of a seed, of a palette that was asked for, and the words for them."""

from __future__ import annotations

import colorsys
import random
from bisect import bisect_left
from itertools import accumulate
from typing import Final

from ..requests import ColorPalette


Color = tuple[int, int, int]

PRESETS: Final = {
    "EMBER": ("#2b0d0e", "#7a1f1d", "#d1482c", "#f59e3f", "#ffe8c2"),
    "FRESH": ("#0d3b3e", "#1f8a70", "#7bd389", "#d6f599", "#fbfff1"),
    "JUNGLE": ("#0b2318", "#1d5132", "#4c8c3f", "#a8b545", "#f0ead2"),
    "MAGIC": ("#1c0f3f", "#5b2a86", "#b14aed", "#ff8fd8", "#fdeaff"),
    "MELON": ("#2f4a36", "#6fae75", "#ff6b6b", "#ffa69e", "#fff4e4"),
    "MOSAIC": ("#14213d", "#2a6f97", "#e76f51", "#fca311", "#f8f4e3"),
    "PASTEL": ("#7d7aa5", "#a9a4d4", "#f3b5c6", "#c1e7e3", "#fffaf0"),
    "ULTRAMARINE": ("#060b2e", "#12107f", "#2f4bff", "#7fa6ff", "#eef3ff"),
}
"""Colors that go by the names of the presets, from dark to light."""

NAMES: Final = {
    "black": (10, 10, 12),
    "gray": (128, 128, 128),
    "white": (248, 248, 248),
    "red": (220, 30, 35),
    "dark red": (110, 20, 25),
    "pink": (250, 165, 190),
    "orange": (245, 140, 40),
    "brown": (110, 70, 40),
    "beige": (235, 220, 190),
    "yellow": (250, 220, 60),
    "green": (50, 160, 70),
    "dark green": (20, 70, 40),
    "light green": (160, 225, 150),
    "turquoise": (60, 190, 185),
    "blue": (45, 90, 220),
    "dark blue": (18, 30, 90),
    "light blue": (150, 200, 245),
    "purple": (130, 60, 180),
    "lilac": (190, 165, 225),
}

SAMPLES: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Where five colors are taken of a palette, in shares of its weight."""


def palette_of(chance: random.Random) -> list[Color]:
    """Return five colors that go together, from dark to light."""
    hue, turn = chance.random(), chance.choice((0.08, 0.12, 0.33, 0.5))
    steps = ((0.0, 0.7, 0.22), (0.02, 0.65, 0.42), (0.04, 0.6, 0.68))
    colors = [((hue + shift) % 1, s, v) for shift, s, v in steps]
    colors += [((hue + turn) % 1, 0.62, 0.93), ((hue + turn / 2) % 1, 0.18, 0.99)]
    return [_rgb(*color) for color in colors]


def asked_colors(palette: ColorPalette | None) -> tuple[Color, ...]:
    """Return the five colors of *palette*, from dark to light; none if it is None."""
    if palette is None:
        return ()
    if palette.name is not None:
        return tuple(map(color_of, PRESETS[palette.name]))
    members = [
        (color_of(member.color_hex), member.color_weight or 0.5)
        for member in palette.members or ()
    ]
    return spread(members)


def spread(weighted: list[tuple[Color, float]]) -> tuple[Color, ...]:
    """Return five of the colors, from dark to light, the heavier ones more often."""
    ordered = sorted(weighted, key=lambda member: brightness(member[0]))
    ends = list(accumulate(weight for _, weight in ordered))
    places = (bisect_left(ends, share * ends[-1]) for share in SAMPLES)
    return tuple(ordered[place][0] for place in places)


def color_of(text: str) -> Color:
    """Return the color that *text* writes as three or six hexadecimal digits."""
    digits = text.removeprefix("#")
    step = len(digits) // 3
    red, green, blue = (
        int((digits[at : at + step] * 2)[:2], 16) for at in range(0, len(digits), step)
    )
    return red, green, blue


def hex_of(color: Color) -> str:
    """Write *color* as six hexadecimal digits after a number sign."""
    return "#{:02X}{:02X}{:02X}".format(*color)


def name_of(color: Color) -> str:
    """Return the word for *color*."""
    return min(NAMES, key=lambda name: _distance(NAMES[name], color))


def brightness(color: Color) -> float:
    """Return how bright *color* seems, [0, 255]."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def _distance(first: Color, second: Color) -> int:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def _rgb(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)
