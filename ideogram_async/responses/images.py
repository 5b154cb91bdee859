"""Images that the service made, after its own schema names.

Only the envelope is demanded; a field that a service leaves out of an image is None,
and a field that this version doesn't know is kept in `extra`: an image that was paid
for is never lost to a detail.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import attrs

from ._base import Answer, shared


def _none_if_empty(url: str | None) -> str | None:
    return url or None


@attrs.frozen(kw_only=True, eq=False, repr=False)
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
    resolution: str | None = attrs.field(default=None, converter=shared)
    is_image_safe: bool = True
    seed: int | None = None
    upscaled_resolution: str | None = attrs.field(default=None, converter=shared)
    style_type: str | None = attrs.field(default=None, converter=shared)

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


@attrs.frozen(kw_only=True, eq=False, repr=False)
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


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RemoveBackgroundResponse(ImageResponse):
    """The answer of `RemoveBackground`: one image, without prompt, size or seed."""
