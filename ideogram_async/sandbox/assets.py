"""Files for a dataset: images, captions, and ZIP files of both."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

import attrs

from ..uploads import media_type_of
from ..vocabulary.ranges import IMAGE_TYPES, MAX_IMAGE_BYTES
from .asked import mentions
from .looks import is_readable


CAPTION: Final = ".txt"
ARCHIVE: Final = ".zip"
BESIDES: Final = "__MACOSX"
"""A folder that some systems put into ZIP files."""


@attrs.frozen
class Asset:
    """One file.

    Attributes:
        name: Its name.
        content: Its bytes.
        reason: Why it is refused, where that is known already.
    """

    name: str
    content: bytes = attrs.field(repr=False)
    reason: str | None = None

    @property
    def stem(self) -> str:
        """The name without its suffix, which an image shares with its caption."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """What the name ends in, in small letters."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def is_image(self) -> bool:
        """Whether it is neither a caption nor a ZIP file."""
        return self.suffix not in {CAPTION, ARCHIVE}


def unpacked(asset: Asset) -> Iterator[Asset]:
    """Yield *asset*, or what is in it if it is a ZIP file."""
    if asset.suffix != ARCHIVE:
        yield asset
        return
    try:
        with zipfile.ZipFile(io.BytesIO(asset.content)) as archive:
            members = [_member(archive, entry) for entry in _entries(archive)]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        yield attrs.evolve(asset, reason="INVALID_ZIP")
        return
    yield from members


def refusal_reason(
    asset: Asset, image_stems: set[str], refused_words: tuple[str, ...]
) -> str | None:
    """Return why the service refuses *asset*, or None.

    Args:
        asset: The file.
        image_stems: The names that a caption may have.
        refused_words: Words that the safety check refuses in a name or a caption.
    """
    if asset.reason is not None:
        return asset.reason
    if len(asset.content) > MAX_IMAGE_BYTES:
        return "FILE_TOO_LARGE"
    text = asset.name
    if asset.suffix == CAPTION:
        try:
            caption = asset.content.decode()
        except UnicodeDecodeError:
            return "INVALID_CAPTION"
        if not caption.strip() or asset.stem not in image_stems:
            return "INVALID_CAPTION"
        text += caption
    elif not _is_image(asset.content):
        return "INVALID_IMAGE"
    return "FAILED_SAFETY_CHECK" if mentions(text, refused_words) else None


def _is_image(content: bytes) -> bool:
    return media_type_of(content) in IMAGE_TYPES.allowed and is_readable(content)


def _entries(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    for entry in archive.infolist():
        if not entry.is_dir() and BESIDES not in PurePosixPath(entry.filename).parts:
            yield entry


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Asset:
    """Return a member; one that is too large is not read."""
    name = PurePosixPath(entry.filename).name
    if entry.file_size > MAX_IMAGE_BYTES:
        return Asset(name, b"", "FILE_TOO_LARGE")
    asset = Asset(name, archive.read(entry))
    reason = "INVALID_ZIP" if asset.suffix == ARCHIVE else None
    return attrs.evolve(asset, reason=reason)
