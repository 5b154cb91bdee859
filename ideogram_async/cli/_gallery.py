"""The page that shows every picture with its prompt: one file, without scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote


STYLE = """
:root { color-scheme: light dark; --ink: #1b1d23; --soft: #667; --page: #f4f4f1;
  --card: #fff; --line: #0001; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef3; --soft: #9aa;
  --page: #14161b; --card: #1e2128; --line: #fff2; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2.5rem clamp(1rem, 4vw, 4rem); background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.7rem; letter-spacing: -.02em; }
header p { margin: .2rem 0 2rem; color: var(--soft); }
main { display: grid; gap: 1.4rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
figure { margin: 0; overflow: hidden; border-radius: 12px; background: var(--card);
  box-shadow: 0 1px 3px var(--line), 0 8px 24px var(--line); }
figure a { display: block; background: var(--line); }
img { display: block; width: 100%; height: auto; }
figcaption { padding: .8rem 1rem 1rem; overflow-wrap: anywhere; }
small { display: block; margin-top: .25rem; color: var(--soft);
  font-variant-numeric: tabular-nums; }
section { margin-top: 3rem; } h2 { font-size: 1.1rem; }
li { margin: .5rem 0; overflow-wrap: anywhere; } .why { color: var(--bad); }
"""


def write_gallery(manifest: Path, page: Path) -> None:
    """Write *page* from the lines of *manifest*, in the order of the prompts."""
    with manifest.open(encoding="utf-8") as lines:
        entries = sorted(map(json.loads, lines), key=lambda entry: entry["index"])
    pictures = [figure for entry in entries for figure in _figures(entry)]
    notes = [note for entry in entries for note in _notes(entry)]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{len(pictures)} pictures</title><style>{STYLE}</style></head><body>",
        f"<header><h1>{len(pictures)} pictures</h1>",
        f"<p>from {len(entries)} prompts</p></header>",
        "<main>",
        *pictures,
        "</main>",
    ]
    if notes:
        parts += ["<section><h2>Without a picture</h2><ul>", *notes, "</ul></section>"]
    page.write_text("\n".join([*parts, "</body></html>\n"]), encoding="utf-8")


def _figures(entry: dict[str, Any]) -> Iterator[str]:
    for name, image in zip(entry["files"], _images(entry), strict=True):
        if name is None:
            continue
        prompt, link = escape(_prompt(entry)), quote(name)
        resolution = str(image.get("resolution", ""))
        facts = (
            f"#{entry['index']} · seed {image.get('seed', 'unknown')} · {resolution}"
        )
        yield (
            f'<figure><a href="{link}"><img src="{link}"{_size(resolution)}'
            f' loading="lazy" alt="{prompt}"></a>'
            f"<figcaption>{prompt}<small>{escape(facts)}</small></figcaption></figure>"
        )


def _size(resolution: str) -> str:
    """Return the attributes that keep room for a picture before it is loaded."""
    width, _, height = resolution.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        return ""
    return f' width="{width}" height="{height}"'


def _notes(entry: dict[str, Any]) -> Iterator[str]:
    withheld = sum(not image.get("url") for image in _images(entry))
    reasons = [entry["error"]["message"]] if entry["error"] else []
    if withheld:
        reasons.append(f"{withheld} withheld by the service's safety check")
    for reason in reasons:
        yield (
            f"<li>#{entry['index']} {escape(_prompt(entry))}"
            f' <span class="why">{escape(reason)}</span></li>'
        )


def _images(entry: dict[str, Any]) -> list[dict[str, Any]]:
    response: dict[str, list[dict[str, Any]]] = entry["response"] or {}
    return response.get("data", [])


def _prompt(entry: dict[str, Any]) -> str:
    request: dict[str, Any] = entry["request"] or {}
    return str(request.get("prompt", ""))
