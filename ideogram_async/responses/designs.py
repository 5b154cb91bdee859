"""Designs that the service made, after its own schema names."""

from __future__ import annotations

from datetime import datetime

import attrs

from ._base import Answer
from .images import ImageObject


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextSpan(Answer):
    """A run of text of one color.

    Attributes:
        text: The words.
        color: Six hexadecimal digits after a number sign.
        font_fx: Effects, such as `"bold"`.
    """

    text: str
    color: str | None = None
    font_fx: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextItem(Answer):
    """A text of a design, placed in pixels from the top left.

    Attributes:
        x: Distance from the left.
        y: Distance from the top.
        width: Width of the box.
        height: Height of the box.
        alignment: `"left"`, `"center"` or `"right"`.
        angle: Turn, in degrees.
        style_class: Role of the text, such as `"h1"`.
        spans: The runs of the text.
        font_file: Name of the font file, or None.
        font_size: In pixels, or None.
    """

    x: int
    y: int
    width: int
    height: int
    alignment: str | None = None
    angle: float = 0.0
    style_class: str | None = None
    spans: tuple[TextSpan, ...] = ()
    font_file: str | None = None
    font_size: int | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextContainer(Answer):
    """Texts of a design that belong together.

    Attributes:
        id: Name of the container.
        items: The texts.
    """

    id: str
    items: tuple[TextItem, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ImageLayer(Answer):
    """A picture of a design, placed in pixels from the top left.

    Attributes:
        x: Distance from the left.
        y: Distance from the top.
        width: Width of the picture.
        height: Height of the picture.
        ref_id: Which of the reference pictures it is, or None.
    """

    x: int
    y: int
    width: int
    height: int
    ref_id: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LayeredImageObject(ImageObject):
    """One design, with its texts apart from its pictures.

    Attributes:
        text_containers: The texts that can be edited.
        text_html: The same as HTML, or None.
        image_layers: Where the pictures are.
    """

    text_containers: tuple[TextContainer, ...] = ()
    text_html: str | None = None
    image_layers: tuple[ImageLayer, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LayeredImageResponse(Answer):
    """The answer of the operations on designs.

    Attributes:
        created: When the request was made, in UTC.
        data: The designs.
        response_type: Such as `"layered"`, or None.
    """

    created: datetime
    data: tuple[LayeredImageObject, ...]
    response_type: str | None = None

    @property
    def images(self) -> tuple[ImageObject, ...]:
        """The designs that can be downloaded: those not withheld."""
        return tuple(image for image in self.data if not image.is_withheld)
