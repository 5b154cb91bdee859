"""Text inside a PNG file: what it shows, its seed, its model; pixels untouched.

A PNG is a signature and chunks: length, type, content, checksum. Texts go into iTXt
chunks, which hold UTF-8 (tEXt holds Latin-1 only), right after the first chunk, IHDR.
All other bytes stay as they are; nothing is decoded. `Description` and `Software` are
keywords of the standard, which viewers and exiftool show.

Source: https://www.w3.org/TR/png-3/#11iTXt
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from ._version import __version__
from ._whole import whole
from .requests import REQUESTS
from .responses import ImageObject


SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
PIECE: Final = 1 << 20
"""Bytes that are copied at once."""
LONGEST_KEYWORD: Final = 79


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """Return *png* with *texts* in it; texts of the same keywords are replaced.

    Args:
        png: A PNG file.
        texts: By keyword: 1 to 79 characters of Latin-1, such as `"Description"`.

    Raises:
        ValueError: *png* is not a whole PNG file, or a keyword is no keyword.
    """
    return b"".join(_spliced(io.BytesIO(png), _chunks(texts)))


def embed_texts(path: Path, texts: Mapping[str, str]) -> None:
    """Put *texts* into the PNG file *path*, a piece at a time.

    Args:
        path: A PNG file; on any error it stays as it is.
        texts: By keyword: 1 to 79 characters of Latin-1, such as `"Description"`.

    Raises:
        ValueError: The file is not a whole PNG file, or a keyword is no keyword.
        OSError: It can't be read or written.
    """
    chunks = _chunks(texts)
    with path.open("rb") as source, whole(path) as target:
        target.writelines(_spliced(source, chunks))


def read_texts(path: Path) -> dict[str, str]:
    """Return the texts of the PNG file *path* that `embed_texts` put there.

    Raises:
        ValueError: The file is not a whole PNG file.
        OSError: It can't be read.
    """
    found: dict[str, str] = {}
    with path.open("rb") as source:
        _first(source)
        for kind, length in _following(source):
            if kind != b"iTXt":
                source.seek(length, io.SEEK_CUR)
                continue
            content = _read(source, length)[:-4]
            keyword, _, rest = content.partition(b"\0")
            if rest.startswith(bytes(4)):  # neither packed nor in a language
                found[keyword.decode("latin-1")] = rest[4:].decode("utf-8", "replace")
    return found


def picture_texts(asked: Mapping[str, Any], image: ImageObject) -> dict[str, str]:
    """Return what is worth knowing of *image*, for `embed_texts`.

    Args:
        asked: What was asked for, as in a manifest: `type`, the request's class, and
            the fields that were given.
        image: What came.

    Returns:
        `Description`, the prompt as it was given; `Prompt used` if the service rewrote
        it; `Seed`, `Model` and `Software`; each only if it is known.
    """
    given = asked.get("prompt") or asked.get("text_prompt")
    path = REQUESTS[asked["type"]].endpoint.path
    version = re.search(r"ideogram-v(\d)", path)
    model = f"Ideogram {version[1]}.0" if version else asked.get("model")
    texts = {
        "Description": given or image.prompt,
        "Prompt used": image.prompt if image.prompt != given and given else None,
        "Seed": image.seed,
        "Model": model,
        "Software": f"ideogram_async {__version__}",
    }
    return {key: str(text) for key, text in texts.items() if text is not None}


def _chunks(texts: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return the chunk of each text, by its keyword."""
    return {_keyword(name): _chunk(_keyword(name), t) for name, t in texts.items()}


def _keyword(name: str) -> bytes:
    keyword = name.encode("latin-1", "replace")
    is_plain = name.isprintable() and name == " ".join(name.split())
    if not (1 <= len(name) <= LONGEST_KEYWORD and is_plain) or (
        keyword.decode("latin-1") != name
    ):
        raise ValueError(
            f"a keyword is 1 to {LONGEST_KEYWORD} letters of Latin-1, got {name!r:.90}"
        )
    return keyword


def _chunk(keyword: bytes, text: str) -> bytes:
    # after the keyword: not packed, method 0, no language, no translated keyword
    said = text.replace("\0", "").encode("utf-8", "replace")
    content = b"iTXt" + keyword + bytes(5) + said
    return b"".join(
        (
            struct.pack(">I", len(content) - 4),
            content,
            struct.pack(">I", zlib.crc32(content)),
        )
    )


def _spliced(source: IO[bytes], chunks: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """Yield the file *source* with *chunks* in it, a piece at a time."""
    yield _first(source)
    yield from chunks.values()
    for kind, length in _following(source):
        # an iTXt chunk is recognized by its keyword, which a zero byte ends
        head = _read(source, min(length, LONGEST_KEYWORD + 1))
        is_replaced = kind == b"iTXt" and head.partition(b"\0")[0] in chunks
        if not is_replaced:
            yield struct.pack(">I", length - 4) + kind + head
        left = length - len(head)
        while left:
            piece = _read(source, min(left, PIECE))
            left -= len(piece)
            if not is_replaced:
                yield piece
    while piece := source.read(PIECE):
        yield piece


def _first(source: IO[bytes]) -> bytes:
    """Read the signature and IHDR."""
    head = source.read(33)
    if not head.startswith(SIGNATURE + b"\0\0\0\x0dIHDR"):
        raise ValueError(f"not a PNG file: it begins with {head[:16]!r}")
    if len(head) < 33:  # noqa: PLR2004  # signature 8, length 4, IHDR 4, 13, CRC 4
        raise ValueError("the PNG file is cut off")
    return head


def _following(source: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield each further chunk's type, and how many bytes it has with its checksum.

    The caller reads them before the next.
    """
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", _read(source, 8))
        yield kind, length + 4


def _read(source: IO[bytes], length: int) -> bytes:
    got = source.read(length)
    if len(got) < length:
        raise ValueError("the PNG file is cut off")
    return got
