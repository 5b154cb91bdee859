"""What people see: progress, and the page."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from ideogram_async.cli._gallery import write_gallery
from ideogram_async.cli._manifest import Gap, Manifest, Picture
from ideogram_async.cli._progress import display, told
from ideogram_async.jobs import Progress, State


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def far(ended: int, *, total: int | None = 3, **changed: Any) -> Progress:
    """Return how far a job is that has saved so many images."""
    counts: dict[State, int] = dict.fromkeys(get_args(State), 0)
    counts["saved"] = ended
    counts |= changed.pop("counts", {})
    usual: dict[str, Any] = {
        "total": total,
        "counts": counts,
        "in_use": 2,
        "limit": 10,
        "spent": Decimal(0),
        "budget": None,
        "unit": None,
        "rate": 0.0,
        "remaining": None,
    }
    return Progress(**usual | changed)


def test_plain_lines() -> None:
    """Elsewhere than on a terminal there is a line at first, and one at the end."""
    file = io.StringIO()
    with display(file) as shown:
        shown.update(far(0, total=None))
        shown.update(far(1))
        shown.update(far(2, counts={"failed": 1}))
        shown.update(far(2, counts={"failed": 1}))

    first, last = file.getvalue().splitlines()
    assert first == "0/?: 0 saved, 0 failed, 2 of 10 places in use, 0.0/s"
    assert last == "3/3: 2 saved, 1 failed, 2 of 10 places in use, 0.0/s"


def test_live_bar() -> None:
    """On a terminal there is a bar with all counts, and lines above it."""
    file = Terminal()
    with display(file) as shown:
        shown.say("a line")
        shown.update(far(2))
        shown.update(far(2, counts={"failed": 1}))

    assert "a line" in file.getvalue()
    assert "3/3" in file.getvalue()
    assert "2 saved, 1 failed" in file.getvalue()


def test_terminal_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal without rich gets plain lines."""
    monkeypatch.delitem(sys.modules, "ideogram_async.cli._live", raising=False)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    file = Terminal()
    with display(file) as shown:
        shown.update(far(0, total=1))

    assert file.getvalue() == "0/1: 0 saved, 0 failed, 2 of 10 places in use, 0.0/s\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(9.6, "10 s"), (75, "1 min 15 s"), (7300, "2 h 1 min")],
)
def test_all_that_is_told(seconds: float, text: str) -> None:
    """Rare states are told if there are any; money as soon as there is a price."""
    counts = {"unknown": 2, "withheld": 1}
    progress = far(
        3, counts=counts, spent=Decimal("0.30"), unit="USD", rate=2.0, remaining=seconds
    )

    assert told(progress) == (
        "3 saved, 0 failed, 1 withheld, 2 unknown, 2 of 10 places in use,"
        f" 0.30 USD, 2.0/s, {text} left"
    )
    assert "0 of 25 USD" in told(far(3, budget=Decimal(25), unit="USD"))


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress goes to standard error, so that output can be piped."""
    with display() as shown:
        shown.say("hello")

    assert capsys.readouterr() == ("", "hello\n")


def test_the_page_escapes_everything(tmp_path: Path) -> None:
    """A prompt that is a script stays text; odd sizes do no harm."""
    script = '<script>alert("x")</script>'
    lines = [
        {
            "index": 1,
            "request": {"prompt": script},
            "response": {"data": [{"url": "u", "seed": 2, "resolution": '1"x2'}]},
            "files": ['a"b.png'],
            "error": None,
        },
        {
            "index": 0,
            "request": None,
            "response": None,
            "files": [],
            "error": {"type": "ValueError", "message": script},
        },
    ]
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("\n".join(map(json.dumps, lines)))
    write_gallery(manifest, tmp_path / "index.html")

    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<script") == page.count("</script>") == 3
    assert page.count("&lt;script&gt;") == 3
    assert page.count("\\u003cscript>") == 2
    assert 'src="a%22b.png" loading="lazy"' in page
    assert "<h1>1 picture</h1>" in page


def test_a_manifest_is_read_in_order(tmp_path: Path) -> None:
    """The last line of a prompt counts; a line that was cut off is left out."""
    seen = {"url": "u", "upscaled_resolution": "8x4", "resolution": "4x2", "seed": 1}
    held = [{"url": ""}, {"url": "u", "is_image_safe": False}]
    lines: list[Any] = [
        {"index": 2, "request": {"text_prompt": "c"}, "response": {"data": held}},
        {"index": 0, "request": {"prompt": "old"}, "error": {"message": "no"}},
        [],
        {"index": "1"},
        {"index": 0, "request": {"prompt": "a"}, "response": {"data": [seen, seen]}},
    ]
    lines[0]["files"], lines[4]["files"] = [None, None], ["a.png", None]
    manifest = tmp_path / "manifest.jsonl"
    text = "\n".join(map(json.dumps, lines)) + '\n\n{"index": 3, "requ'
    manifest.write_text(text)
    read = Manifest(manifest)

    assert len(read) == 2
    assert list(read.pictures()) == [Picture(0, "a", "a.png", 1, 8, 4)]
    why = "2 images withheld by the service's safety check"
    assert list(read.gaps()) == [Gap(2, "c", is_withheld=True, reason=why)]


@pytest.mark.parametrize(
    "name",
    [
        *("../7.png", "/etc/passwd", "..\\7.png", "C:7.png", "//evil.example/7.png"),
        *(
            "javascript:alert(1)",
            "https://evil.example/",
            "..",
            "",
            "\ud800.png",
            7,
            {},
        ),
    ],
)
def test_a_manifest_leads_nowhere_else(name: Any, tmp_path: Path) -> None:
    """A file that is not in the manifest's own folder is neither shown nor linked."""
    image = {"url": "u", "seed": 2, "resolution": "1x1"}
    entry = {"index": 0, "response": {"data": [image, image]}, "files": [name, "a.png"]}
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(json.dumps(entry))
    write_gallery(manifest, tmp_path / "index.html")

    assert [each.file for each in Manifest(manifest).pictures()] == ["a.png"]
    assert "evil" not in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    "line",
    [
        {"index": 10**30},
        {"index": -1},
        {"index": True},
        {"index": 0, "request": "x", "response": [], "files": 7, "error": "no"},
        {"index": 0, "response": {"data": ["x"]}, "files": ["a.png"]},
        [[]],
    ],
)
def test_a_manifest_of_others(line: Any, tmp_path: Path) -> None:
    """Lines of another shape than ours are no reason to fail."""
    manifest = tmp_path / "manifest.jsonl"
    deep = "[" * 100_000
    manifest.write_text(f"{deep}\n{json.dumps(line)}\n")
    write_gallery(manifest, tmp_path / "index.html")

    assert len(Manifest(manifest)) <= 1


def test_a_page_of_others_is_kept(tmp_path: Path) -> None:
    """Our own page is replaced; any other gets a number, and stays as it was."""
    manifest, page = tmp_path / "manifest.jsonl", tmp_path / "index.html"
    manifest.write_text("")
    for text in ("mine", "<!doctype html>"):
        page.write_text(text)
        for _ in range(2):
            write_gallery(manifest, page)

    assert (tmp_path / "index.1.html").read_text() == "mine"
    assert (tmp_path / "index.2.html").read_text() == "<!doctype html>"
    assert "0 pictures" in page.read_text()
    assert len(list(tmp_path.iterdir())) == 4


def test_a_page_of_very_many(tmp_path: Path) -> None:
    """Ten thousand pictures are written in little memory; the first stand in HTML."""
    manifest = tmp_path / "manifest.jsonl"
    with manifest.open("w") as file:
        for index in reversed(range(10_000)):
            line = {
                "index": index,
                "request": {"prompt": f"cat {index} " + "x" * 500},
                "response": {"data": [{"url": "u"}]},
                "files": [f"{index}.png"],
            }
            file.write(json.dumps(line) + "\n")
    tracemalloc.start()
    write_gallery(manifest, tmp_path / "index.html")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<figure") == 500
    assert page.count(".png") == 10_000 + 2 * 500
    assert page.index("cat 499") < page.index("cat 500 ")
    assert peak < 2_500_000
    assert "<noscript>" in page
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "index.html",
        "manifest.jsonl",
    ]
