"""Images that the service made, after its own schema names.

Only the envelope is demanded; a field that a service leaves out of an image is None,
and a field that this version doesn't know is kept in `extra`: an image that was paid
for is never lost to a detail.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import attrs

from ._base import Answer


def _none_if_empty(url: str | None) -> str | None:
    return url or None


@attrs.frozen(kw_only=True)
class ImageObject(Answer):
    """One image that the service made.

    Attributes:
        url: Where to download it, for 24 hours as a rule; None if it was withheld.
        prompt: The prompt really used; it may differ from the one sent.
        resolution: Width x height in pixels, such as `"1024x1024"`.
        is_image_safe: False if the safety check withheld the image.
        seed: The seed used.
        upscaled_resolution: Final size, where the operation changed it.
        style_type: The style used.
    """

    url: str | None = attrs.field(default=None, converter=_none_if_empty)
    prompt: str | None = None
    resolution: str | None = None
    is_image_safe: bool = True
    seed: int | None = None
    upscaled_resolution: str | None = None
    style_type: str | None = None

    @property
    def is_withheld(self) -> bool:
        """Whether the image was made, and billed, but not released."""
        return not (self.url and self.is_image_safe)

    @property
    def expires_at(self) -> datetime | None:
        """When the link dies (its `exp`), in UTC; None if it doesn't say."""
        try:
            stamps = parse_qs(urlsplit(self.url or "").query).get("exp", [""])
            return datetime.fromtimestamp(int(stamps[0]), UTC)
        except (ValueError, OverflowError, OSError):
            return None


@attrs.frozen(kw_only=True)
class ImageResponse(Answer):
    """The answer of every operation that makes images.

    Attributes:
        created: When the request was made, in UTC.
        data: The images, as many as were asked for.
    """

    created: datetime
    data: tuple[ImageObject, ...]

    @property
    def images(self) -> tuple[ImageObject, ...]:
        """The images that can be downloaded: those not withheld."""
        return tuple(image for image in self.data if not image.is_withheld)


@attrs.frozen(kw_only=True)
class RemoveBackgroundResponse(ImageResponse):
    """The answer of `RemoveBackground`: one image, without prompt, size or seed."""


@attrs.frozen(kw_only=True)
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


@attrs.frozen(kw_only=True)
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


@attrs.frozen(kw_only=True)
class TextContainer(Answer):
    """Texts of a design that belong together.

    Attributes:
        id: Name of the container.
        items: The texts.
    """

    id: str
    items: tuple[TextItem, ...] = ()


@attrs.frozen(kw_only=True)
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


@attrs.frozen(kw_only=True)
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


@attrs.frozen(kw_only=True)
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


@attrs.frozen(kw_only=True)
class AsyncGenerationResponse(Answer):
    """The answer of `SubmitGenerateV4`.

    Attributes:
        generation_id: What to ask `GetGeneration` for.
    """

    generation_id: str


@attrs.frozen(kw_only=True)
class GenerationResponse(Answer):
    """How far a generation is.

    Attributes:
        generation_id: Its id.
        status: `"pending"`, `"completed"` or `"failed"`.
        created: When it was submitted, in UTC.
        response_type: Such as `"url"` once it is completed; or None.
        data: The images, once it is completed.
    """

    generation_id: str
    status: str
    created: datetime
    response_type: str | None = None
    data: tuple[ImageObject, ...] = ()

    @property
    def images(self) -> tuple[ImageObject, ...]:
        """The images that can be downloaded: those not withheld."""
        return tuple(image for image in self.data if not image.is_withheld)
