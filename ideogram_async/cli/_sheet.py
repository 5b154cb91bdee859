"""Contact sheets: many small pictures with their prompts on one; needs Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import attrs
from PIL import Image, ImageDraw

from .._whole import whole
from ._captions import Captions
from ._manifest import Manifest, Picture


PAPER, INK, SOFT, EMPTY = "#ffffff", "#1b1d23", "#70747c", "#dedede"
HIGHEST: Final = 65_000
"""Pixels; JPEG has no room for more."""
LARGEST: Final = 200_000_000
"""Pixels of a sheet, at three bytes in memory."""
CAPTION_LINES: Final = 2
QUALITY: Final = 88

BROKEN: Final = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for a file that is missing or no picture."""


@attrs.frozen
class Layout:
    """How sheets look; all lengths are in pixels.

    Attributes:
        columns: Most pictures beside each other, [1, 50].
        width: Width of a sheet, [200, 10000].
        per_page: Most pictures on a sheet, [1, 1000].

    Raises:
        ValueError: A number is out of its range.
    """

    columns: int = 5
    width: int = 2400
    per_page: int = 30

    def __attrs_post_init__(self) -> None:
        """Check the ranges."""
        ranges = {"columns": (1, 50), "width": (200, 10_000), "per_page": (1, 1000)}
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if not least <= value <= most:
                option = name.replace("_", "-")
                raise ValueError(
                    f"--{option} must be in [{least}, {most}], got {value}"
                )


def write_sheets(folder: Path, manifest: Path, layout: Layout) -> Iterator[Path]:
    """Yield each sheet after writing it into *folder*; `sheet-01.jpg` is the first.

    One sheet at a time is held in memory.

    Raises:
        ValueError: There are no pictures, or a sheet would be too large.
        OSError: The manifest can't be read, or a sheet not written.
    """
    read = Manifest(manifest)
    if not read.shown:
        raise ValueError(f"{manifest} tells of no pictures")
    sheets = -(-read.shown // layout.per_page)
    digits = max(2, len(str(sheets)))
    pictures = read.pictures()
    for number in range(1, sheets + 1):
        shown = list(islice(pictures, layout.per_page))
        path = folder / f"sheet-{number:0{digits}d}.jpg"
        with whole(path) as file:
            _Sheet(folder, shown, layout).drawn().save(file, "JPEG", quality=QUALITY)
        yield path


class _Sheet:
    """One sheet: rows of pictures that stand on the same line, captions below."""

    def __init__(self, folder: Path, shown: list[Picture], layout: Layout) -> None:
        columns = min(layout.columns, len(shown))
        self._folder = folder
        self._width = layout.width
        self._gap = max(8, layout.width // (columns * 14))
        self._cell = (layout.width - self._gap * (columns + 1)) // columns
        size = min(max(11, self._cell // 22), 26)
        self._prompt, self._note = Captions(size), Captions(round(size * 0.8))
        self._line = round(size * 1.35)
        self._below = self._line * (CAPTION_LINES + 1) + self._gap
        starts = range(0, len(shown), columns)
        self._rows = [shown[start : start + columns] for start in starts]

    def drawn(self) -> Image.Image:
        """Return the sheet."""
        heights = [max(map(self._height, row)) for row in self._rows]
        height = self._gap + sum(height + self._below for height in heights)
        if height > HIGHEST or height * self._width > LARGEST:
            raise ValueError(
                f"a sheet would be {self._width} x {height} pixels, which is too large:"
                " choose a smaller --width or --per-page, or more --columns"
            )
        sheet = Image.new("RGB", (self._width, height), PAPER)
        bottom = self._gap
        for row, tall in zip(self._rows, heights, strict=True):
            bottom += tall
            for place, picture in enumerate(row):
                left = self._gap + place * (self._cell + self._gap)
                self._draw(sheet, picture, (left, bottom))
            bottom += self._below
        return sheet

    def _height(self, picture: Picture) -> int:
        """Return how high the picture is on the sheet; only its header is read."""
        try:
            with Image.open(self._folder / picture.file) as image:
                return self._fitted(image.size)[1]
        except BROKEN:
            return self._fitted((1, 1))[1]

    def _fitted(self, size: tuple[int, int]) -> tuple[int, int]:
        scale = self._cell / max(size)
        return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))

    def _draw(
        self, sheet: Image.Image, picture: Picture, corner: tuple[int, int]
    ) -> None:
        """Draw a picture with its lower left corner at *corner*, and its caption."""
        left, bottom = corner
        on = ImageDraw.Draw(sheet)
        small = self._small(picture)
        if small is None:
            top = bottom - self._cell
            on.rectangle((left, top, left + self._cell - 1, bottom - 1), fill=EMPTY)
            inside = self._cell - 2 * self._gap
            lines = self._note.lines(picture.file, inside, 4)
            for number, text in enumerate(("can't be read:", *lines)):
                y = top + self._cell // 3 + number * self._line
                self._note.draw(on, (left + self._gap, y), text, SOFT)
        else:
            sheet.paste(small, (left, bottom - small.height), small)
        self._caption(on, picture, corner)

    def _caption(
        self, on: ImageDraw.ImageDraw, picture: Picture, corner: tuple[int, int]
    ) -> None:
        left, y = corner
        for text in self._prompt.lines(picture.prompt, self._cell, CAPTION_LINES):
            y += self._line
            self._prompt.draw(on, (left, y), text, INK)
        seed = "" if picture.seed is None else f" · seed {picture.seed}"
        note = self._note.lines(f"#{picture.index}{seed}", self._cell, 1)
        self._note.draw(on, (left, y + self._line), note[0], SOFT)

    def _small(self, picture: Picture) -> Image.Image | None:
        """Return the picture in its size on the sheet; None if it can't be read."""
        try:
            with Image.open(self._folder / picture.file) as image:
                wanted = self._fitted(image.size)
                image.draft("RGB", wanted)
                clear = image.convert("RGBA")
                return clear.resize(wanted, Image.Resampling.LANCZOS, reducing_gap=3)  # pyright: ignore[reportUnknownMemberType]  # numpy's types, which are optional there
        except BROKEN:
            return None
