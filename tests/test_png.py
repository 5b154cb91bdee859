"""Texts inside PNG files: readable elsewhere, and nothing else is touched."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ideogram_async import GenerateLegacy, GenerateV3, ImageObject
from ideogram_async._png import embed_texts, picture_texts, read_texts, with_texts
from ideogram_async.jobs._identity import described


TEXTS = {
    "Description": "a cat 猫 🐈\n«quoted» \\ <b>" + 99 * "long",
    "Seed": "7",
    "Model": "é",
}


def png(**options: object) -> bytes:
    """Return a small picture of many chunks."""
    picture = Image.radial_gradient("L").convert("RGB")
    inside = PngInfo()
    inside.add_text("Comment", "stays")
    inside.add_itxt("Title", "stays, too: 猫")
    inside.add_itxt("Description", "an earlier one", zip=True)
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=inside, dpi=(72, 72), **options)
    return file.getvalue()


def chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG file, and check their sums."""
    found, at = list[tuple[bytes, bytes]](), 8
    while at < len(content):
        length = struct.unpack(">I", content[at : at + 4])[0]
        body = content[at + 4 : at + 8 + length]
        end = at + 12 + length
        assert content[end - 4 : end] == struct.pack(">I", zlib.crc32(body))
        found.append((body[:4], body[4:]))
        at = end
    return found


def test_other_readers_find_the_texts() -> None:
    """Pillow reads the texts, and the pixels as they were."""
    before, after = png(), with_texts(png(), TEXTS)

    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        assert new.tobytes() == old.tobytes()
        assert new.info["dpi"] == old.info["dpi"]
        assert new.text == {**old.text, **TEXTS}
        assert list(new.text)[:3] == list(TEXTS)


def test_all_other_chunks_stay() -> None:
    """Texts stand behind the first chunk; all others are the same bytes, in order."""
    before, after = chunks(png()), chunks(with_texts(png(), TEXTS))

    assert [kind for kind, _ in after[:4]] == [b"IHDR", b"iTXt", b"iTXt", b"iTXt"]
    assert after[4:] == [
        chunk for chunk in before[1:] if not chunk[1].startswith(b"Description\0")
    ]


def test_again_changes_nothing() -> None:
    """The same texts again give the same file; others replace them."""
    once = with_texts(png(), TEXTS)
    other = with_texts(once, {**TEXTS, "Seed": "8"})

    assert with_texts(once, TEXTS) == once
    assert with_texts(other, TEXTS) == once
    assert with_texts(once, {}) == once


@given(
    texts=st.dictionaries(
        st.text("aZ é-", min_size=1, max_size=79).filter(
            lambda name: name == " ".join(name.split())
        ),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        max_size=4,
    )
)
def test_any_texts(texts: dict[str, str]) -> None:
    """Whatever the texts are, they come out as they went in."""
    after = with_texts(png(), texts)

    chunks(after)
    with Image.open(io.BytesIO(after)) as new:
        assert new.text.items() >= texts.items()


def test_a_file_on_disk(tmp_path: Path) -> None:
    """A file gets its texts in place, and no other file is left."""
    path = tmp_path / "cat.png"
    path.write_bytes(png() + b"what some programs append")
    embed_texts(path, {**TEXTS, "Odd": "\0\ud800"})

    assert path.read_bytes().endswith(b"what some programs append")
    assert read_texts(path) == {**TEXTS, "Odd": "?", "Title": "stays, too: 猫"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_packed_text_of_others_is_not_read(tmp_path: Path) -> None:
    """Texts that others packed are none of ours."""
    path = tmp_path / "cat.png"
    path.write_bytes(png())

    assert read_texts(path) == {"Title": "stays, too: 猫"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not a PNG file: it begins with b''"),
        (b"\xff\xd8\xff\xe0" * 20, r"not a PNG file: it begins with b'\\xff\\xd8"),
        (png()[:20], "the PNG file is cut off"),
        (png()[:-3], "the PNG file is cut off"),
        (png()[:60], "the PNG file is cut off"),
        (png()[:-12], "the PNG file is cut off"),
    ],
)
def test_no_png(tmp_path: Path, content: bytes, complaint: str) -> None:
    """What is no whole PNG file is refused, and stays as it is."""
    path = tmp_path / "cat.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=complaint):
        embed_texts(path, TEXTS)

    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", "x" * 80, "猫", " x", "x  y", "x\0", "x\ny"])
def test_no_keyword(name: str) -> None:
    """The standard's rule for keywords is kept."""
    with pytest.raises(ValueError, match="a keyword is 1 to 79 letters of Latin-1"):
        with_texts(png(), {name: "x"})


def test_a_large_file_is_never_held(tmp_path: Path) -> None:
    """A file of 64 MiB is copied in small pieces."""
    path = tmp_path / "cat.png"
    whole = png()
    body = b"zzZz" + bytes(64 << 20)
    sum_ = struct.pack(">I", zlib.crc32(body))
    chunk = struct.pack(">I", 64 << 20) + body + sum_
    path.write_bytes(whole[:33] + chunk + whole[33:])
    del body, chunk
    tracemalloc.start()
    embed_texts(path, TEXTS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 4 << 20
    assert read_texts(path).items() >= TEXTS.items()


def test_what_is_told_of_a_picture() -> None:
    """A picture tells its prompt, the one really used, its seed and its model."""
    image = ImageObject(url="u", prompt="a big cat", seed=7)
    told = picture_texts(described(GenerateV3("a cat")), image)
    software = told.pop("Software")

    assert software.startswith("ideogram_async ")
    assert told == {
        "Description": "a cat",
        "Prompt used": "a big cat",
        "Seed": "7",
        "Model": "Ideogram 3.0",
    }
    legacy = GenerateLegacy("a big cat", model="V_2")
    assert picture_texts(described(legacy), image)["Model"] == "V_2"
    assert "Prompt used" not in picture_texts(described(legacy), image)
    unprompted = {"type": "RemoveBackground"}
    assert picture_texts(unprompted, image)["Description"] == "a big cat"
    assert list(picture_texts(unprompted, ImageObject())) == ["Software"]


@pytest.mark.parametrize(
    ("program", "expected"),
    [(["pngcheck", "-t"], "OK"), (["exiftool", "-Description"], "a cat 猫 🐈")],
)
def test_other_programs(tmp_path: Path, program: list[str], expected: str) -> None:
    """Programs of others find nothing wrong, and the text."""
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    path = tmp_path / "cat.png"
    path.write_bytes(png())
    embed_texts(path, TEXTS)
    done = subprocess.run(
        [*program, str(path)], capture_output=True, check=True, encoding="utf-8"
    )

    assert expected in done.stdout
    assert "WARN" not in done.stdout.upper()
