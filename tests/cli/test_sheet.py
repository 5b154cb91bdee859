"""Contact sheets: what is on them, and what is said when there can be none."""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ideogram_async.cli import _captions, main
from ideogram_async.cli._captions import Captions, _system_fonts


RED, PAPER = (200, 0, 0), (255, 255, 255)


def pictures(folder: Path, count: int, **about: Any) -> None:
    """Save red pictures and their manifest."""
    lines = list[str]()
    for index in range(count):
        Image.new("RGB", (64, 32), RED).save(folder / f"{index}.png")
        image = {"url": "u", "seed": index, **about}
        line = {
            "index": index,
            "request": {"prompt": f"a cat {index}"},
            "response": {"data": [image]},
            "files": [f"{index}.png"],
        }
        lines.append(json.dumps(line))
    (folder / "manifest.jsonl").write_text("\n".join(lines))


def near(one: Any, other: tuple[int, ...]) -> bool:
    """Whether two colours are the same but for what JPEG does."""
    return all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


def test_sheets(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures stand in columns, so many a sheet; the files are named."""
    pictures(folder, 5)
    code = main(["sheet", ".", "--columns", "2", "--per-page", "4", "--width", "400"])

    assert code == 0
    assert capsys.readouterr().out == "sheet-01.jpg\nsheet-02.jpg\n"
    with Image.open("sheet-01.jpg") as first, Image.open("sheet-02.jpg") as last:
        assert first.format == "JPEG"
        assert (first.width, last.width) == (400, 400)
        assert near(first.getpixel((100, 60)), RED)
        assert near(first.getpixel((300, 60)), RED)
        assert near(first.getpixel((200, 60)), PAPER)
        assert near(last.getpixel((200, 100)), RED)


def test_a_broken_picture(folder: Path) -> None:
    """A picture that can't be read is a grey box; the others are there."""
    pictures(folder, 4)
    (folder / "0.png").write_text("no picture")
    (folder / "1.png").unlink()
    whole = (folder / "2.png").read_bytes()
    (folder / "2.png").write_bytes(whole[:-30])
    code = main(["sheet", ".", "--width", "400"])

    assert code == 0
    with Image.open("sheet-01.jpg") as sheet:
        colors = [sheet.getpixel((50 + 98 * n, 85)) for n in range(4)]
    assert [near(color, (222, 222, 222)) for color in colors[:3]] == [True] * 3
    assert near(colors[3], RED)


def test_transparent_pictures(folder: Path) -> None:
    """What is transparent lets the paper be seen."""
    pictures(folder, 1)
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save("0.png")
    main(["sheet", ".", "--width", "400"])

    with Image.open("sheet-01.jpg") as sheet:
        assert near(sheet.getpixel((200, 200)), PAPER)


def test_memory_is_that_of_a_sheet(folder: Path) -> None:
    """More sheets take no more memory than one."""
    pictures(folder, 60)
    main(["sheet", ".", "--per-page", "60"])
    options = ["sheet", ".", "--per-page", "6", "--width", "400"]
    tracemalloc.start()
    main(options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--columns", "0"], "--columns must be in [1, 50], got 0"),
        (["--width", "20000"], "--width must be in [200, 10000], got 20000"),
        (["--per-page", "0"], "--per-page must be in [1, 1000], got 0"),
        (["--columns", "1", "--width", "10000"], "a sheet would be 10000 x "),
    ],
)
def test_bad_layouts(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    complaint: str,
) -> None:
    """A layout that makes no sense is refused in one line."""
    pictures(folder, 9, seed=None)
    code = main(["sheet", ".", *options])

    error = capsys.readouterr().err
    assert code == 2
    assert complaint in error
    assert error.count("\n") == 1
    assert not list(folder.glob("sheet*"))


def test_nothing_to_show(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a manifest, or without pictures in it, the line says so."""
    assert main(["sheet", "out"]) == 2
    Path("out").mkdir()
    Path("out/manifest.jsonl").touch()
    assert main(["sheet", "out"]) == 2

    assert capsys.readouterr().err == (
        "ideogram: can't use out/manifest.jsonl: No such file or directory\n"
        "ideogram: out/manifest.jsonl tells of no pictures\n"
    )


def test_without_pillow(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without Pillow the line says what to install; other modules are not hidden."""
    for name in [name for name in sys.modules if name.startswith("PIL")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("_sheet", "_captions"):
        monkeypatch.delitem(sys.modules, f"ideogram_async.cli.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)
    code = main(["sheet", "."])
    monkeypatch.setitem(sys.modules, "ideogram_async.cli._sheet", None)

    assert code == 2
    assert capsys.readouterr().err == (
        "ideogram: a sheet needs Pillow: pip install 'ideogram-async[sheet]'\n"
    )
    with pytest.raises(ModuleNotFoundError, match="_sheet"):
        main(["sheet", "."])


@pytest.fixture
def bare_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on a system without fonts."""
    monkeypatch.setattr(_captions, "SYSTEM_FONTS", ("no such font.ttf",))
    _system_fonts.cache_clear()


def test_lines_of_a_caption(bare_system: None) -> None:
    """Lines break at blanks where there are some, and the last one is shortened."""
    captions = Captions(20)

    assert captions.lines("", 100, 2) == []
    assert captions.lines(" a \n cat ", 100, 2) == ["a cat"]
    assert captions.lines("a cat on a mat and a dog", 100, 3) == [
        *("a cat on a", "mat and a", "dog"),
    ]
    short = captions.lines("a cat on a mat and a dog", 100, 2)
    assert (short[0], short[1][-1]) == ("a cat on a", "…")
    broken = captions.lines("x" * 30, 100, 4)
    assert "".join(broken) == "x" * 30
    assert captions.lines("🐈\u200d⬛️" * 9, 60, 1)[0].endswith("…")
    assert captions.lines("wide", 1, 2) == ["w", "i…"]


def test_scripts_of_all_kinds(folder: Path, bare_system: None) -> None:
    """Where no font has a letter there is a box for it, and the sheet is made."""
    pictures(folder, 1)
    text = (folder / "manifest.jsonl").read_text()
    (folder / "manifest.jsonl").write_text(text.replace("a cat", "猫 🐈 кот"))

    assert main(["sheet", "."]) == 0


def test_letters_come_from_the_first_font_that_has_them() -> None:
    """A letter that the first font lacks comes from a font of the system."""
    _system_fonts.cache_clear()
    captions = Captions(20)
    fonts = {captions._font(letter) for letter in "ab猫"}

    assert captions._font("a") is captions._fonts[0]
    assert captions._font(" ") is captions._fonts[0]
    assert len(fonts) == min(2, len(captions._fonts))
