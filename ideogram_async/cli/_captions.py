"""Captions on a picture, in whatever script a prompt is; needs Pillow."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import groupby
from typing import Any, Final

from PIL import ImageDraw, ImageFont


SYSTEM_FONTS: Final = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "segoeui.ttf"),
    *("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "wqy-zenhei.ttc"),
    *("PingFang.ttc", "Hiragino Sans GB.ttc", "Arial Unicode.ttf", "msyh.ttc"),
    *("YuGothM.ttc", "malgun.ttf", "NotoEmoji-Regular.ttf", "Symbola.ttf"),
    *("seguisym.ttf", "Apple Symbols.ttf"),
)
"""Fonts that systems have, in the order in which a letter is looked for."""

INVISIBLE: Final = dict.fromkeys(map(ord, "\u200d\ufe0e\ufe0f"))
"""What joins and varies emoji, which single glyphs can't show."""

LONGEST: Final = 400
"""Letters of a text that are looked at."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Captions:
    """Measures and draws texts, each letter in the first font that has it.

    A letter that no font of the system has is drawn as an empty box.

    Args:
        size: Height of the letters in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._fonts = (ImageFont.load_default(size), *_system_fonts(size))

    def lines(self, text: str, width: int, most: int) -> list[str]:
        """Return *text* in up to *most* lines of *width* pixels; the rest is cut."""
        left = " ".join(text[:LONGEST].translate(INVISIBLE).split())
        found: list[str] = []
        while left and len(found) < most:
            fitting = self._fitting(left, width)
            if fitting == len(left):
                return [*found, left]
            if len(found) == most - 1:
                short = self._fitting(left, width - self._width("…"))
                return [*found, left[:short].rstrip() + "…"]
            space = left.rfind(" ", 0, fitting + 1)
            cut = space if space > fitting // 2 else fitting
            found.append(left[:cut].rstrip())
            left = left[cut:].lstrip()
        return found

    def draw(
        self, on: ImageDraw.ImageDraw, at: tuple[int, int], text: str, color: str
    ) -> None:
        """Draw the line *text* with its base line at *at*."""
        x, y = at
        for font, letters in groupby(text, self._font):
            run = "".join(letters)
            on.text((x, y), run, fill=color, font=font, anchor="ls")
            x += round(font.getlength(run))

    def _fitting(self, text: str, width: float) -> int:
        """Return how many letters fit, at least one."""
        used, count = 0.0, 0
        for letter in text:
            used += self._width(letter)
            if used > width:
                break
            count += 1
        return max(count, 1)

    def _width(self, letter: str) -> float:
        return self._font(letter).getlength(letter)

    def _font(self, letter: str) -> Font:
        has = (font for font in self._fonts if _has(font, letter))
        return next(has, self._fonts[0])


@cache
def _system_fonts(size: int) -> tuple[Font, ...]:
    found: list[Font] = []
    for name in SYSTEM_FONTS:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    return tuple(found)


@lru_cache(maxsize=10_000)
def _has(font: Font, letter: str) -> bool:
    """Whether *font* draws *letter* otherwise than a letter that nobody has."""
    if letter.isspace():
        return True
    drawn: Any = font.getmask(letter)
    missing: Any = font.getmask("\U0010fffd")
    return drawn.size != missing.size or bytes(drawn) != bytes(missing)
