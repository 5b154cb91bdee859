"""Manifests: lines that anybody may have written become a page without their code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from ideogram_async.cli._gallery import write_gallery

from .scratch import folder
from .strange import STRANGE, swapped


EVIL = "<script>alert(1)</script>"
TAGS = {
    *("a", "b", "body", "div", "figcaption", "figure", "h1", "h2", "head", "header"),
    *("html", "img", "input", "li", "main", "meta", "nav", "noscript", "ol", "output"),
    *("p", "script", "search", "section", "small", "style", "title"),
}


def lines() -> tuple[dict[str, Any], ...]:
    """Return lines of a manifest: saved, withheld, failed."""
    image = {"url": "https://x", "prompt": EVIL, "resolution": "1x1", "seed": 7}
    return (
        {
            "index": 0,
            "request": {"type": "GenerateV3", "prompt": EVIL},
            "response": {"created": "2025-01-23T04:56:07Z", "data": [image]},
            "files": [f'0000-7"{EVIL}.png'],
        },
        {"index": 1, "request": {"text_prompt": EVIL}, "response": {"data": [{}]}},
        {"index": 2, "error": {"type": "SafetyError", "message": EVIL}},
    )


def seeds() -> Iterator[bytes]:
    """Yield a manifest, its lines, and places for strange values in them."""
    yield b"\0" + "\n".join(map(json.dumps, lines())).encode()
    for number, line in enumerate(lines()):
        yield b"\0" + json.dumps(line).encode()
        for value in range(len(STRANGE)):
            yield bytes([1 + number, value % 12, value])


class _Page(HTMLParser):
    """Counts the scripts of a page, and refuses what is not ours."""

    scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        self.scripts += tag == "script"
        for name, value in attrs:
            assert not name.startswith("on")
            assert not (name in {"href", "src"} and ":" in (value or ""))


def try_one(content: bytes) -> None:
    """Write the page of a manifest: no text of it becomes an element.

    After a zero byte comes the manifest; after another the places of strange values.
    """
    path = folder() / "manifest.jsonl"
    number, rest = (content or b"\0")[0], content[1:]
    if number:
        rest = swapped(lines()[number % len(lines())], rest)
    path.write_bytes(rest)
    page = path.with_name("index.html")
    write_gallery(path, page)
    parser = _Page()
    parser.feed(page.read_text("utf-8"))
    parser.close()
    assert parser.scripts == 3
