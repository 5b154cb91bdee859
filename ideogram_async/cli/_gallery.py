"""The page that shows every picture with its prompt: one file that needs no network.

The first pictures and gaps stand in the page itself, so it works without scripts; all
of them stand in it as JSON too, of which its script makes further pages and searches.
A text from outside is escaped in both places; as a second lock the page's policy
allows this one script only, and nothing from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from .._whole import whole
from ._manifest import Gap, Manifest, Picture


PAGE_SIZE: Final = 500
"""Pictures on a page; the script has the same number from the page."""

BEGINNING: Final = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="generator" content="ideogram_async">'
)
"""By which a page is known as ours, and may be replaced."""


def write_gallery(manifest: Path, page: Path) -> None:
    """Write *page* from the lines of *manifest*, in the order of the prompts.

    A page that stands there and is not ours gets a number.

    Raises:
        OSError: One can't be read, or the other not written.
    """
    read = Manifest(manifest)
    failed = withheld = 0
    for gap in read.gaps():
        failed += not gap.is_withheld
        withheld += gap.is_withheld
    counts = {"shown": read.shown, "failed": failed, "withheld": withheld}
    _set_aside(page)
    with whole(page) as file:
        for text in _page(read, counts):
            file.write(text.encode("utf-8", "replace"))


def _set_aside(page: Path) -> None:
    if not page.exists():
        return
    with page.open("rb") as file:
        if file.read(len(BEGINNING)) == BEGINNING.encode():
            return
    number = 1
    while (aside := page.with_name(f"{page.stem}.{number}{page.suffix}")).exists():
        number += 1
    page.rename(aside)


def _page(read: Manifest, counts: dict[str, int]) -> Iterator[str]:
    title = _counted(counts["shown"], "picture")
    style, script = (_asset(name) for name in ("style.css", "script.js"))
    yield _head(title, style, script)
    yield f'<body data-page-size="{PAGE_SIZE}">\n'
    yield _header(title, len(read), counts)
    yield '<main id="pictures" class="grid">\n'
    yield from map(_figure, islice(read.pictures(), PAGE_SIZE))
    yield '</main>\n<p id="empty" hidden></p>\n'
    yield '<nav id="pages" aria-label="Pages" hidden></nav>\n'
    for kind, is_withheld in (("failed", False), ("withheld", True)):
        if counts[kind]:
            gaps = (gap for gap in read.gaps() if gap.is_withheld == is_withheld)
            yield f'<section id="{kind}">\n<h2>{kind.capitalize()}</h2>\n<ol>\n'
            yield from map(_item, islice(gaps, PAGE_SIZE))
            yield "</ol>\n</section>\n"
    if counts["shown"] > PAGE_SIZE:
        yield "<noscript><p>Further pictures, and the search, need JavaScript; the"
        yield " files are beside this page.</p></noscript>\n"
    yield from _json("all-pictures", map(_picture_row, read.pictures()))
    yield from _json("all-gaps", map(_gap_row, read.gaps()))
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _head(title: str, style: str, script: str) -> str:
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline';"
        f" script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return (
        f"{BEGINNING}\n"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n"
    )


def _header(title: str, prompts: int, counts: dict[str, int]) -> str:
    shown = f"Pictures <b>{counts['shown']:,}</b>"
    tabs = [f'<a href="#pictures" aria-current="page">{shown}</a>']
    tabs += [
        f'<a href="#{kind}">{kind.capitalize()} <b>{counts[kind]:,}</b></a>'
        for kind in ("failed", "withheld")
        if counts[kind]
    ]
    return (
        f"<header>\n<div><h1>{title}</h1>\n"
        f"<p>from {_counted(prompts, 'prompt')}</p></div>\n"
        '<search hidden><input type="search" id="search" autocomplete="off"'
        ' spellcheck="false" placeholder="Search prompts" aria-label="Search prompts">'
        '<output id="found" aria-live="polite"></output></search>\n'
        f'<nav id="tabs" aria-label="Views">{"".join(tabs)}</nav>\n</header>\n'
    )


def _figure(picture: Picture) -> str:
    prompt, link = escape(picture.prompt), quote(picture.file)
    known = picture.width and picture.height
    aspect = picture.width / picture.height if known else 1
    size = f' width="{picture.width}" height="{picture.height}"' if known else ""
    seed = "" if picture.seed is None else f" · seed {escape(str(picture.seed))}"
    return (
        f'<figure style="--aspect:{aspect:.3f}"><a href="{link}">'
        f'<img src="{link}"{size} loading="lazy" decoding="async" alt="{prompt}"></a>'
        f"<figcaption><p>{prompt}</p><small>#{picture.index}{seed}</small>"
        "</figcaption></figure>\n"
    )


def _item(gap: Gap) -> str:
    prompt = escape(gap.prompt) or "(no prompt)"
    return (
        f"<li><small>#{gap.index}</small><p>{prompt}</p>"
        f'<p class="why">{escape(gap.reason)}</p></li>\n'
    )


def _picture_row(picture: Picture) -> list[Any]:
    size = picture.width, picture.height
    return [picture.index, picture.prompt, quote(picture.file), picture.seed, *size]


def _gap_row(gap: Gap) -> list[Any]:
    return [gap.index, gap.prompt, gap.is_withheld, gap.reason]


def _json(name: str, rows: Iterable[list[Any]]) -> Iterator[str]:
    """Yield a script element that is never run; no text can end it."""
    yield f'<script type="application/json" id="{name}">['
    for number, row in enumerate(rows):
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        yield (",\n" if number else "\n") + text.replace("<", "\\u003c")
    yield "]</script>\n"


def _asset(name: str) -> str:
    return (files("ideogram_async.cli") / "page" / name).read_text(encoding="utf-8")


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
