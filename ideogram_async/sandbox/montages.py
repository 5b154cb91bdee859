"""Pictures made of a source: repainted, extended, cut out, enlarged."""

from __future__ import annotations

import attrs
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from .lettering import Box, write_caption
from .pictures import Painting, Picture, Source, opened


@attrs.frozen(kw_only=True)
class Repainted(Picture):
    """A source, changed where its mask is black, and nowhere else.

    Attributes:
        painting: What comes into the black part; in its size.
        source: The image.
        mask: The mask, of the image's size.
    """

    painting: Painting
    source: bytes = attrs.field(repr=False)
    mask: bytes = attrs.field(repr=False)

    @property
    def words(self) -> str:
        """The prompt."""
        return self.painting.prompt

    def draw(self) -> Image.Image:
        """Draw the painting as large as the black part, and put it there."""
        image = opened(self.source)
        black = ImageChops.invert(opened(self.mask).convert("L"))
        left, top, right, bottom = black.getbbox() or (0, 0, *image.size)
        part = attrs.evolve(self.painting, width=right - left, height=bottom - top)
        image.paste(part.draw(), (left, top), black.crop((left, top, right, bottom)))
        return image


@attrs.frozen(kw_only=True)
class Reframed(Picture):
    """A source in the middle of a larger scene.

    Attributes:
        painting: What is around it.
        source: The image.
    """

    painting: Painting
    source: bytes = attrs.field(repr=False)

    def draw(self) -> Image.Image:
        """Draw the scene, and the source as large as fits."""
        image = attrs.evolve(self.painting, has_caption=False).draw()
        fitted = ImageOps.contain(opened(self.source).convert("RGB"), image.size)
        left = (image.width - fitted.width) // 2
        image.paste(fitted, (left, (image.height - fitted.height) // 2))
        return image


@attrs.frozen(kw_only=True)
class Replaced(Picture):
    """The subject of a source, which is its middle, before another scene.

    Attributes:
        painting: What is behind it, with the source's size.
        source: The image.
    """

    painting: Painting
    source: bytes = attrs.field(repr=False)

    def draw(self) -> Image.Image:
        """Draw the scene, and the subject before it."""
        image = self.painting.draw()
        subject = opened(self.source).convert("RGB")
        image.paste(subject, (0, 0), _subject(image.size))
        return image


@attrs.frozen(kw_only=True)
class CutOut(Picture):
    """The subject of a source, which is its middle, on nothing at all.

    Attributes:
        source: The image.
    """

    source: Source = attrs.field(repr=False)

    def draw(self) -> Image.Image:
        """Draw the source, transparent around the subject."""
        image = opened(self.source).convert("RGBA")
        image.putalpha(ImageChops.darker(image.getchannel("A"), _subject(image.size)))
        return image


@attrs.frozen(kw_only=True)
class Worn(Picture):
    """A person with a piece of clothing.

    Attributes:
        painting: Its prompt and seed are written on the picture.
        source: The person.
        product: The clothing.
    """

    painting: Painting
    source: bytes = attrs.field(repr=False)
    product: bytes = attrs.field(repr=False)

    def draw(self) -> Image.Image:
        """Draw the person, and the clothing over the middle."""
        image = opened(self.source).convert("RGB")
        size = (max(1, image.width // 2), max(1, image.height // 2))
        fitted = ImageOps.fit(opened(self.product).convert("RGBA"), size)
        image.paste(fitted, (image.width // 4, image.height // 4), fitted)
        write_caption(image, self.painting.prompt, f"seed {self.painting.seed}")
        return image


@attrs.frozen(kw_only=True)
class Enlarged(Picture):
    """A source with twice the width and height.

    Attributes:
        source: The image.
    """

    source: bytes = attrs.field(repr=False)

    def draw(self) -> Image.Image:
        """Draw it, with the edges sharpened."""
        image = opened(self.source)
        larger = image.resize((image.width * 2, image.height * 2))  # pyright: ignore[reportUnknownMemberType]  # numpy's types, which are optional there
        return larger.filter(ImageFilter.UnsharpMask(2, 60))


@attrs.frozen(kw_only=True)
class Cleared(Picture):
    """A source without its text.

    Attributes:
        source: The image.
        boxes: Where the text is; nowhere gives the source itself.
    """

    source: bytes = attrs.field(repr=False)
    boxes: tuple[Box, ...] = ()

    def draw(self) -> Image.Image:
        """Draw the source, blurred where the text is."""
        image = opened(self.source)
        for box in self.boxes:
            part = image.crop(box)
            radius = max(4, min(part.size) // 3)
            image.paste(part.filter(ImageFilter.GaussianBlur(radius)), box)
        return image


def _subject(size: tuple[int, int]) -> Image.Image:
    """Return a mask of *size*: white over the subject, black over the background."""
    width, height = size
    mask = Image.new("L", size, 0)
    box = (width * 0.2, height * 0.14, width * 0.8, height * 0.86)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask.filter(ImageFilter.GaussianBlur(max(1, min(size) // 100)))
