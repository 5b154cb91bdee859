"""Masks, checked before anything is paid: black where an image is to change.

The service wants a mask of the image's size, of black and white pixels only, not all
white, and black on at least a tenth of it. Most other tools use white for the part to
change: say `invert=True` for their masks. It needs Pillow:
`pip install 'ideogram-async[masks]'`.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from ._value import Value
from .errors import ConfigurationError
from .uploads import StreamSource, Upload, UrlSource


if TYPE_CHECKING:
    from PIL import Image


LEAST_BLACK: Final = 0.1
"""Least share of the mask that is black."""
BLACK, WHITE = 0, 255


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Mask(Value):
    """A mask that the service takes; make one with `from_path` or `from_upload`.

    ```python
    image = Upload.from_path("room.png")
    mask = Mask.from_path("wall.png", invert=True).for_image(image)
    await client.inpaint("a red wall", image=image, mask=mask)
    ```

    Attributes:
        upload: The file to send.
        width: In pixels.
        height: In pixels.
        black: Share of the pixels that change, [0.1, 1].
    """

    upload: Upload
    width: int
    height: int
    black: float

    @classmethod
    def from_path(
        cls,
        path: str | os.PathLike[str],
        *,
        invert: bool = False,
        threshold: int | None = None,
    ) -> Mask:
        """Read the mask at *path*; see `from_upload`.

        Raises:
            OSError: The file can't be read.
            ValueError: The service would refuse it; says why.
        """
        upload = Upload.from_path(path)
        return cls.from_upload(upload, invert=invert, threshold=threshold)

    @classmethod
    def from_upload(
        cls, upload: Upload, *, invert: bool = False, threshold: int | None = None
    ) -> Mask:
        """Check a mask, and mend it where that is asked for.

        Args:
            upload: A picture; it is sent as it is unless it has to be changed.
            invert: Whether white marks the part to change, as in most other tools.
            threshold: Where given, gray pixels from this brightness on, [1, 255], are
                made white and the others black.

        Raises:
            ConfigurationError: Pillow is not installed.
            ValueError: The service would refuse the mask; says why.
        """
        picture = _gray(upload)
        if threshold is not None:
            if not 1 <= threshold <= WHITE:
                raise ValueError(f"threshold must be in [1, 255], got {threshold}")
            sides = [BLACK] * threshold + [WHITE] * (256 - threshold)
            picture = picture.point(sides)  # pyright: ignore[reportUnknownMemberType]  # of numpy, which is optional there
        if invert:
            picture = _inverted(picture)
        counts = picture.histogram()
        pixels = picture.width * picture.height
        between = pixels - counts[BLACK] - counts[WHITE]
        if between:
            raise ValueError(
                f"{upload}: a mask must be black and white only, and {between} of its"
                f" {pixels} pixels are not; threshold=128 decides them"
            )
        black = counts[BLACK] / pixels
        if black < LEAST_BLACK:
            raise ValueError(
                f"{upload}: a mask must be black on at least 10 % of it, where the"
                f" image is to change, and is on {black:.1%}; invert=True swaps sides"
            )
        if invert or threshold is not None:
            upload = _png(picture, upload.filename)
        return cls(
            upload=upload, width=picture.width, height=picture.height, black=black
        )

    def for_image(self, image: Upload) -> Upload:
        """Return the file to send with *image*.

        Raises:
            ValueError: The image has another size.
        """
        width, height = _opened(image).size
        if (width, height) != (self.width, self.height):
            raise ValueError(
                f"{self.upload}: a mask must have the size of its image,"
                f" {width}x{height}, got {self.width}x{self.height}"
            )
        return self.upload


def _gray(upload: Upload) -> Image.Image:
    """Return the picture in shades of gray, colors made gray and alpha dropped."""
    return _opened(upload).convert("RGB").convert("L")


def _inverted(picture: Image.Image) -> Image.Image:
    from PIL import ImageOps  # noqa: PLC0415  # an extra

    return ImageOps.invert(picture)


def _opened(upload: Upload) -> Image.Image:
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # an extra
    except ImportError:
        raise ConfigurationError(
            "masks need Pillow: pip install 'ideogram-async[masks]'"
        ) from None
    try:
        return Image.open(io.BytesIO(_content(upload)))
    except UnidentifiedImageError:
        raise ValueError(f"{upload} is not an image that can be read") from None


def _content(upload: Upload) -> bytes:
    source = upload.source
    if isinstance(source, Path):
        return source.read_bytes()
    if isinstance(source, StreamSource):
        if source.start is None:
            raise ValueError(f"{upload} can be read only once: use Upload.from_bytes")
        return source.read_at(0, -1)
    if isinstance(source, UrlSource):
        raise ValueError(f"{upload} is elsewhere: fetch it for Upload.from_bytes")  # noqa: TRY004  # of another kind
    return source


def _png(picture: Image.Image, filename: str) -> Upload:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return Upload.from_bytes(file.getvalue(), Path(filename).stem + ".png")
