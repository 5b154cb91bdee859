"""The page in a real browser: from a file, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ideogram_async.cli._gallery import PAGE_SIZE, write_gallery

from .chromium import PROGRAM, Tab, browser


pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed"),
]

PICTURES = 1200
EVIL = [
    "<script>document.title = 'run'</script>",
    "</script><script>document.title = 'run'</script>",
    "<img src=x onerror=\"document.title = 'run'\">",
    '"><svg onload="document.title = \'run\'">',
    "<!--<script>",
    "' onmouseover='document.title = 1' \u2028 \\u003c",
]


def entry(index: int, prompt: str, **changes: Any) -> dict[str, Any]:
    """Return a manifest line."""
    image = {"url": "https://x", "seed": 9000 + index, "resolution": "32x32"}
    return {
        "index": index,
        "request": {"type": "GenerateV3", "prompt": prompt},
        "response": {"data": [image]},
        "files": [f"{index % 7}.png"],
        "error": None,
        **changes,
    }


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a gallery with many pictures."""
    folder = tmp_path_factory.mktemp("gallery #1 ü")
    for number in range(7):
        Image.new("RGB", (32, 32), (30 * number, 90, 120)).save(
            folder / f"{number}.png"
        )
    lines = [entry(n, f"{EVIL[n % 6]} Cat number {n}") for n in range(PICTURES)]
    error = {"type": "SafetyError", "message": f"refused: {EVIL[0]}"}
    lines[3]["response"]["data"][0]["resolution"] = "1536x512"
    lines.append(entry(PICTURES, EVIL[1], files=[], response=None, error=error))
    held = {"data": [{"url": None}]}
    lines.append(entry(PICTURES + 1, "held", files=[None], response=held))
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    write_gallery(folder / "manifest.jsonl", folder / "index.html")
    return (folder / "index.html").as_uri()


@pytest.fixture
async def tab(tmp_path: Path) -> Any:
    """Run a browser for one test."""
    async with browser(tmp_path / "profile") as running:
        yield running


SHOWN = "[...document.querySelectorAll('figcaption p')].map(p => p.textContent)"


async def test_prompts_are_texts_and_nothing_is_asked_of_a_network(
    tab: Tab, page: str
) -> None:
    """Prompts that are scripts stay texts; the page asks for its pictures only."""
    await tab.show(page)
    shown = await tab.ask(SHOWN)

    assert shown == [f"{EVIL[n % 6]} Cat number {n}" for n in range(PAGE_SIZE)]
    for view in ("#q=cat&page=3", "#failed", "#withheld"):
        await tab.ask(f"location.hash = {json.dumps(view)}")
        await tab.until("document.querySelectorAll('figure, li').length > 0")
    assert await tab.ask("document.title") == "1,200 pictures"
    assert await tab.ask("document.images[0].naturalWidth") == 32
    assert {address.partition(":")[0] for address in tab.asked} <= {"file", "blob"}
    assert tab.said == []


async def test_the_policy_stops_scripts_of_others(tab: Tab, page: str) -> None:
    """Even an element that got into the page could not run anything."""
    await tab.show(page)
    await tab.ask(
        "document.body.insertAdjacentHTML('beforeend',"
        """ `<img src="nothing" onerror="document.title = 'run'">`)"""
    )
    await tab.ask(
        "{const s = document.createElement('script'); s.textContent ="
        " \"document.title = 'run'\"; document.body.append(s)}"
    )
    await tab.ask("fetch('https://example.com').catch(() => window.refused = true)")
    await tab.until("window.refused")

    assert await tab.ask("document.title") == "1,200 pictures"


async def test_search_narrows_the_pictures(tab: Tab, page: str) -> None:
    """`/` goes to the search; words, numbers and seeds are found, in any case."""
    await tab.show(page)
    await tab.press("/")
    await tab.type("CAT 119 onerror")
    await tab.until("document.querySelectorAll('figure').length < 10")

    assert await tab.ask(SHOWN) == [f"{EVIL[2]} Cat number {n}" for n in (1190, 1196)]
    assert await tab.ask("document.getElementById('found').value") == "2 found"
    assert await tab.ask("document.getElementById('pages').hidden") is True
    await tab.ask("location.hash = '#q=10199'")
    await tab.until("document.querySelectorAll('figure').length === 1")
    await tab.ask("location.hash = '#q=nothing+such'")
    await tab.until("!document.getElementById('empty').hidden")
    said = await tab.ask("document.getElementById('empty').textContent")
    assert said == "Nothing matches “nothing such”."


async def test_pages(tab: Tab, page: str) -> None:
    """Further pages show further pictures; "back" comes back."""
    await tab.show(page)
    await tab.ask("document.querySelector('[aria-label=\"Page 2\"]').click()")
    second = await tab.ask(SHOWN)
    await tab.ask("document.querySelector('[aria-label=\"Next page\"]').click()")
    third = await tab.ask(SHOWN)

    assert len(second) == PAGE_SIZE
    assert second[0].endswith("Cat number 500")
    assert len(third) == 200
    assert third[-1].endswith("Cat number 1199")
    assert await tab.ask(
        "document.querySelector('[aria-label=\"Next page\"]').disabled"
    )
    await tab.ask("history.go(-2)")
    await tab.until(f"{SHOWN}[0].endsWith('Cat number 0')")


async def test_a_picture_is_enlarged_by_keys(tab: Tab, page: str) -> None:
    """Enter enlarges a picture, arrows go on beyond the page, Escape comes back."""
    await tab.show(page)
    await tab.ask("document.querySelectorAll('figure a')[498].focus()")
    await tab.press("Enter")
    await tab.until("document.querySelector('dialog').open")
    await tab.press("ArrowRight")
    await tab.press("ArrowRight")
    prompt = await tab.ask("document.querySelector('aside p').textContent")
    facts = await tab.ask("document.querySelector('dl').innerText.split(/\\n/)")
    await tab.press("Escape")
    await tab.until("!document.querySelector('dialog').open")

    assert prompt == f"{EVIL[500 % 6]} Cat number 500"
    assert facts[:4] == ["Number", "#500", "Seed", "9500"]
    await tab.until(f"{SHOWN}[0].endsWith('Cat number 500')")
    focus = "document.activeElement.parentElement.querySelector('p')?.textContent"
    await tab.until(f"{focus} === {json.dumps(prompt)}")


async def test_what_has_no_picture(tab: Tab, page: str) -> None:
    """The tabs show what failed and what was withheld, with the reasons."""
    await tab.show(page)
    said = {}
    for name in ("failed", "withheld"):
        await tab.ask(f"document.querySelector('#tabs [href=\"#{name}\"]').click()")
        said[name] = await tab.ask(f"document.getElementById('{name}').innerText")
        hidden = await tab.ask("document.getElementById('pictures').hidden")
        assert hidden is True

    assert [line for line in said["failed"].split("\n") if line] == [
        "Failed",
        "#1200",
        EVIL[1],
        f"refused: {EVIL[0]}",
    ]
    assert "1 image withheld by the service's safety check" in said["withheld"]


async def test_without_scripts(tmp_path: Path, page: str) -> None:
    """Without JavaScript the first pictures, and all reasons, are there."""
    async with browser(tmp_path / "profile") as tab:
        await tab.call("Emulation.setScriptExecutionDisabled", value=True)
        await tab.show(page)
        seen = await tab.ask("document.body.innerText")

    assert "Cat number 499" in seen
    assert "Further pictures, and the search, need JavaScript" in seen
    assert f"refused: {EVIL[0]}" in seen


async def test_a_page_is_light(tab: Tab, page: str) -> None:
    """A page holds its own pictures only, and loads those that are seen."""
    await tab.show(page)
    elements = await tab.ask("document.querySelectorAll('*').length")
    loaded = len({address for address in tab.asked if address.endswith(".png")})

    assert elements < PAGE_SIZE * 7 + 100
    assert loaded <= 7


async def test_a_narrow_screen(tab: Tab, page: str) -> None:
    """On a telephone nothing is wider than the screen."""
    await tab.call(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=700,
        deviceScaleFactor=1,
        mobile=True,
    )
    await tab.show(page)
    assert await tab.ask("document.documentElement.scrollWidth") == 360
    await tab.ask("document.querySelectorAll('figure a')[3].click()")
    assert await tab.ask("document.querySelector('dialog').scrollWidth") == 360
