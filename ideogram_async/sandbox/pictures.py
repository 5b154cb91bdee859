"""Pictures that the sandbox draws instead of the service: real PNGs, from the seed.

A picture is a small value that says what to draw; it is drawn when its link is
fetched. The same prompt and seed give the same picture, a scene in the colors of the
seed or of the palette asked for; the prompt and the seed can be read on it, and the
prompt is in the file, where the operations that read images find it again.
"""

from __future__ import annotations

import hashlib
import io
import random
from abc import ABC, abstractmethod
from typing import Final, TypeAlias

import attrs
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from PIL.PngImagePlugin import PngInfo

from .lettering import Line, write_caption, write_label, write_line
from .palettes import Color
from .scenes import scene


LARGE: Final = 4_000_000
"""Number of pixels from which a file is written fast rather than small."""
WORDS: Final = "Description"
"""Under which key a file holds its prompt."""


@attrs.frozen(kw_only=True)
class Picture(ABC):
    """What is needed to draw one image."""

    @abstractmethod
    def draw(self) -> Image.Image:
        """Draw the image."""
        ...

    @property
    def words(self) -> str:
        """The prompt, or nothing."""
        return ""

    def png(self) -> bytes:
        """Draw the image and return it as a PNG file."""
        image = self.draw()
        level = 4 if image.width * image.height < LARGE else 1
        inside = PngInfo()
        if self.words:
            inside.add_itxt(WORDS, self.words)
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=level, pnginfo=inside)
        return file.getvalue()


Source: TypeAlias = bytes | Picture
"""An image to start from: the bytes of a file, or a picture of the sandbox."""


def opened(source: Source) -> Image.Image:
    """Return the image of *source*, with an alpha channel only if it had one."""
    if isinstance(source, Picture):
        return source.draw()
    with Image.open(io.BytesIO(source)) as image:
        has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
        return image.convert("RGBA" if has_alpha else "RGB")


@attrs.frozen(kw_only=True)
class Painting(Picture):
    """A scene, alone or over a source, with a caption.

    Attributes:
        prompt: Written on it, and mixed into its colors.
        seed: Written on it, and decides the scene.
        width: In pixels.
        height: In pixels.
        colors: Five colors to use, from dark to light; those of the seed if empty.
        source: An image to start from; or None.
        weight: How much of the source stays, in percent.
        insets: Further images, shown small along the top.
        has_caption: Whether prompt and seed are written on it.
    """

    prompt: str
    seed: int
    width: int
    height: int
    colors: tuple[Color, ...] = ()
    source: Source | None = attrs.field(default=None, repr=False)
    weight: int = 50
    insets: tuple[Source, ...] = attrs.field(default=(), repr=False)
    has_caption: bool = True

    @property
    def words(self) -> str:
        """The prompt."""
        return self.prompt

    @property
    def chance(self) -> random.Random:
        """What decides the scene."""
        digest = hashlib.sha256(f"{self.seed}\n{self.prompt}".encode()).digest()
        return random.Random(digest)  # noqa: S311  # a picture, no secret

    def draw(self) -> Image.Image:
        """Draw the scene, the source, the insets and the caption."""
        image = scene((self.width, self.height), self.chance, self.colors)
        if self.source is not None:
            fitted = ImageOps.fit(opened(self.source).convert("RGB"), image.size)
            image = Image.blend(image, fitted, self.weight / 100)
        _place_insets(image, self.insets)
        if self.has_caption:
            size = f"{self.width} x {self.height}"
            write_caption(
                image, self.prompt, f"seed {self.seed}  ·  {size}  ·  sandbox"
            )
        return image


@attrs.frozen(kw_only=True)
class Sticker(Picture):
    """The middle of a painting, cut out, on nothing at all.

    Attributes:
        painting: What is on it.
        factor: How much it is enlarged.
    """

    painting: Painting
    factor: int = 1

    @property
    def words(self) -> str:
        """The prompt."""
        return self.painting.prompt

    def draw(self) -> Image.Image:
        """Draw the painting, cut a flower out, and write the prompt across it."""
        image = attrs.evolve(self.painting, has_caption=False).draw()
        image.putalpha(_flower(image.size))
        write_label(image, self.painting.prompt)
        return image.resize((image.width * self.factor, image.height * self.factor))  # pyright: ignore[reportUnknownMemberType]  # numpy's types, which are optional there


@attrs.frozen(kw_only=True)
class Design(Picture):
    """A painting behind lines of text, with pictures placed on it.

    Attributes:
        painting: What is behind.
        lines: The text.
        layers: Pictures, and where they are.
    """

    painting: Painting
    lines: tuple[Line, ...]
    layers: tuple[tuple[Source, tuple[int, int, int, int]], ...] = attrs.field(
        default=(), repr=False
    )

    @property
    def words(self) -> str:
        """The lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    def draw(self) -> Image.Image:
        """Draw the painting, darkened, then the pictures, then the text."""
        image = attrs.evolve(self.painting, has_caption=False).draw()
        image = Image.blend(image, Image.new("RGB", image.size, (12, 14, 22)), 0.45)
        for source, (left, top, right, bottom) in self.layers:
            fitted = ImageOps.fit(
                opened(source).convert("RGB"), (right - left, bottom - top)
            )
            image.paste(fitted, (left, top))
        for line in self.lines:
            write_line(image, line)
        return image


def _place_insets(image: Image.Image, insets: tuple[Source, ...]) -> None:
    side = min(image.size) // 6
    gap = side // 5
    for place, inset in enumerate(insets):
        x = gap + place * (side + gap)
        framed = ImageOps.expand(
            ImageOps.fit(opened(inset).convert("RGB"), (side, side)), 3, "white"
        )
        image.paste(framed, (x, gap))


def _flower(size: tuple[int, int]) -> Image.Image:
    """Return a mask of *size*: white in the middle, black all around."""
    width, height = size
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((width * 0.2, height * 0.2, width * 0.8, height * 0.8), fill=255)
    for x, y in ((0.5, 0.24), (0.5, 0.76), (0.24, 0.5), (0.76, 0.5)):
        box = (x - 0.17, y - 0.17, x + 0.17, y + 0.17)
        draw.ellipse(
            [side * (height if at % 2 else width) for at, side in enumerate(box)],
            fill=255,
        )
    return mask.filter(ImageFilter.GaussianBlur(1))
