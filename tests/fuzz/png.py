"""PNG files: their texts are read, replaced and put in; whatever comes is kept."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from ideogram_async._png import embed_texts, read_texts, with_texts
from ideogram_async.uploads import HEAD, media_type_of

from .scratch import folder


TEXTS = {"Description": "a cat\0 \ud800 ü", "Seed": "7"}


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def seeds() -> Iterator[bytes]:
    """Yield a picture of one point: plain, with texts, cut off; and other formats."""
    start = b"\x89PNG\r\n\x1a\n" + _chunk(
        b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    )
    end = _chunk(b"IDAT", zlib.compress(bytes(4))) + _chunk(b"IEND", b"")
    plain = start + end
    text = _chunk(b"iTXt", b"Description\0\0\0\0\0a dog")
    packed = _chunk(b"iTXt", b"Seed\0\1\0en\0Seed\0" + zlib.compress(b"7"))
    yield plain
    yield start + text + packed + _chunk(b"tEXt", b"Seed\x007") + end + b"more"
    yield plain[:-5]
    yield b"RIFF\x04\0\0\0WEBP"
    yield b"\xff\xd8\xff\xe0"


def try_one(content: bytes) -> None:
    """Put texts into a file, read them, and put them in again."""
    assert media_type_of(content[:HEAD], "cat.png")
    path = folder() / "cat.png"
    path.write_bytes(content)
    try:
        made = with_texts(content, TEXTS)
    except ValueError:
        return
    embed_texts(path, TEXTS)
    assert path.read_bytes() == made
    assert read_texts(path).items() >= {"Seed": "7"}.items()
    assert with_texts(made, TEXTS) == made
