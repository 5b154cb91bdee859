"""The web applications of the examples, in a real browser, over the sandbox."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ideogram_async.sandbox import Sandbox
from tests.examples import APPS, application

from .chromium import PROGRAM, Tab, browser


pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed"),
    pytest.mark.parametrize("name", APPS),
]

PROMPTS = [
    "A lighthouse keeper's cat",
    "<img src=x onerror=\"document.title = 'run'\">",
    "a forbidden picture",
    "something withheld",
    *(f"Paper city number {number}" for number in range(8)),
]
SHOWN = (
    "[...document.querySelectorAll('figure img')]"
    ".filter(each => each.complete && each.naturalWidth).length"
)
SCREEN = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
STATES = "[...document.querySelectorAll('figure')].map(each => each.className)"
SAID = "document.getElementById('status').textContent"


@pytest.fixture
async def tab(tmp_path: Path) -> Any:
    """Run a browser for one test."""
    async with browser(tmp_path / "profile") as running:
        yield running


def environment(sandbox: Sandbox) -> dict[str, str]:
    """Return the variables that make an application use *sandbox*."""
    return {"IDEOGRAM_API_KEY": "top-secret", "IDEOGRAM_BASE_URL": sandbox.url}


async def typed(tab: Tab, url: str, prompts: list[str]) -> None:
    """Open the page, type prompts and start."""
    await tab.show(url)
    await tab.ask("document.getElementById('prompts').focus()")
    await tab.type("\n".join(prompts))
    await tab.ask("document.getElementById('start').click()")
    await tab.until(f"{STATES}.length === {len(prompts)}")


async def test_pictures_appear_while_others_are_waited_for(
    name: str, tab: Tab, tmp_path: Path
) -> None:
    """Prompts become pictures one by one; what has none says why; texts stay texts."""
    async with (
        Sandbox(latency=1.0, limit=2) as sandbox,
        application(name, **environment(sandbox)) as url,
    ):
        await tab.call("Emulation.setDeviceMetricsOverride", **SCREEN)
        await typed(tab, url, PROMPTS)
        await tab.until(f"{SHOWN} > 0")
        early = Counter(await tab.ask(STATES))
        await tab.picture(tmp_path / "early.png")
        await tab.until(f"{SAID}.startsWith('All done')")
        await tab.until(f"{SHOWN} === 10")
        await tab.picture(tmp_path / "late.png")
        late = Counter(await tab.ask(STATES))
        captions = "[...document.querySelectorAll('figcaption')].map(e => e.innerText)"
        texts = await tab.ask(captions)
        reasons = await tab.ask(
            "[...document.querySelectorAll('.failed p')].map(e => e.textContent)"
        )
        page = await tab.ask("document.documentElement.outerHTML")

    assert early["waiting"] > 0
    assert late == {"done": 10, "failed": 2}
    assert texts == PROMPTS
    assert reasons[1] == "Withheld by the service's safety check."
    assert await tab.ask(SAID) == "All done: 12 of 12, 2 without a picture."
    assert await tab.ask("document.title") == "Pictures from prompts"
    assert "top-secret" not in page
    assert not any("top-secret" in address for address in tab.asked)
    assert tab.said == []


async def test_a_browser_that_leaves_and_comes_back(name: str, tab: Tab) -> None:
    """Who leaves in the middle finds all pictures, each of them paid once."""
    prompts = [f"Cat number {number}" for number in range(12)]
    async with (
        Sandbox(latency=1.5, limit=1) as sandbox,
        application(name, **environment(sandbox)) as url,
    ):
        await typed(tab, url, prompts)
        await tab.until("document.querySelector('figure.done') !== null")
        batch = await tab.ask("location.hash")
        await tab.show("about:blank")
        seen = sandbox.ledger.images
        sandbox.service.latency = 0.01
        while sandbox.ledger.images < len(prompts):
            await tab.ask("1")
        await tab.show(f"{url}/{batch}")
        await tab.until(f"{SHOWN} === {len(prompts)}")
        alts = await tab.ask("[...document.images].map(each => each.alt)")

    assert seen < len(prompts)
    assert alts == prompts
    assert set(sandbox.ledger.times_billed.values()) == {1}


async def test_stop(name: str, tab: Tab) -> None:
    """The stop button sends nothing new, and shows what is paid."""
    prompts = [f"Cat number {number}" for number in range(9)]
    async with (
        Sandbox(latency=0.5, limit=2) as sandbox,
        application(name, **environment(sandbox)) as url,
    ):
        await typed(tab, url, prompts)
        await tab.until(f"{SHOWN} > 0")
        await tab.ask("document.getElementById('stop').click()")
        await tab.until(f"{SAID}.startsWith('All done')")
        states = Counter(await tab.ask(STATES))

    assert states["done"] == sandbox.ledger.images < len(prompts)
    assert states["done"] + states["failed"] == len(prompts)


async def test_what_is_wrong_is_said(name: str, tab: Tab) -> None:
    """Too many prompts are refused with the reason; a batch that is gone is told."""
    async with (
        Sandbox() as sandbox,
        application(name, **environment(sandbox)) as url,
    ):
        await tab.show(f"{url}/#nothing-such")
        await tab.until(f'{SAID} === "This batch isn\'t here any more."')
        many = json.dumps("\n".join(["a cat"] * 61))
        await tab.ask(f"document.getElementById('prompts').value = {many}")
        await tab.ask("document.getElementById('start').click()")
        await tab.until(f"{SAID}.includes('give 1 to 60 prompts')")

    assert sandbox.ledger.images == 0


async def test_a_narrow_screen_and_labels(name: str, tab: Tab) -> None:
    """On a telephone nothing is wider than the screen; every control has a name."""
    await tab.call(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=700,
        deviceScaleFactor=1,
        mobile=True,
    )
    async with (
        Sandbox(latency=0.05) as sandbox,
        application(name, **environment(sandbox)) as url,
    ):
        await typed(tab, url, ["a cat " * 30, "x" * 200])
        await tab.until(f"{SHOWN} === 2")
        width = await tab.ask("document.documentElement.scrollWidth")
        unnamed = await tab.ask(
            "[...document.querySelectorAll('textarea, select')]"
            ".filter(each => !each.labels.length).length"
        )

    assert (width, unnamed) == (360, 0)
