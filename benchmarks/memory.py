"""Memory, growth and the longest hold of the event loop, each in a fresh process.

    python -m benchmarks.memory CASE URL SIZE

Prints what one case took. Cases: `upload` and `download` SIZE bytes; `stream` SIZE
prompts from a generator; `collect` SIZE results as `generate_many` does, `uncollected`
the same with Python's garbage collector off, and `parsed` what that collector takes for
as many parsed answers of raw aiohttp; `gather` as a script does, with a task per
prompt; `first` all that a client does, for the first time in a process.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import attrs

from ideogram_async import IdeogramClient, Limiter, Success, Upload

from . import PROMPT, SEED, clients
from .figures import WrongError, require, rounded
from .load import cpu
from .stalls import Stalls


MIB: Final = 2**20
PLACES: Final = 10
WARM_UP: Final = 500
LOOKS: Final = 40
"""How often memory is looked at."""
BALLAST: Final = 32 * MIB
STALLS: Final = Stalls()
"""Watches from where a case is warm."""


def memory(line: str = "VmRSS") -> int:
    """Return the bytes in use now, or at most so far (`VmHWM`)."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(rf"{line}:\s*(\d+) kB", status)[0]) * 1024


@attrs.define
class Curve:
    """Memory over items.

    Attributes:
        items: How many items there will be.
        start: Bytes before.
        points: Items so far, and MiB over the start.
        peak: Most bytes seen.
    """

    items: int
    start: int = attrs.field(factory=memory)
    points: list[tuple[int, float]] = attrs.field(factory=list)
    peak: int = 0

    def look(self, done: int) -> None:
        """Note the memory now and then."""
        if done % max(1, self.items // LOOKS) == 0:
            now = memory()
            self.peak = max(self.peak, now)
            self.points.append((done, rounded((now - self.start) / MIB)))

    def prompts(self) -> Iterator[str]:
        """Yield the prompts, each of its own, and look meanwhile."""
        for number in range(self.items):
            self.look(number)
            yield f"{PROMPT} {number}"


def client(url: str) -> IdeogramClient:
    """Return a client with a fixed gate."""
    limiter = Limiter(PLACES, learn=False)
    return IdeogramClient("benchmark", base_url=url, limiter=limiter)


async def upload(url: str, size: int) -> dict[str, Any]:
    """Upload a file of *size* bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.zip"
        with path.open("wb") as file:
            file.write(b"PK\x03\x04")
            file.truncate(size)
        async with client(url) as ours:
            small = Path(folder) / "small.zip"
            small.write_bytes(b"PK\x03\x04")
            await ours.upload_dataset_assets("ds", files=(Upload.from_path(small),))
            start, large = memory(), Upload.from_path(path)
            async with STALLS.watching():
                answer = await ours.upload_dataset_assets("ds", files=(large,))
            grown = memory("VmHWM") - start
    require(0 < answer.total_count - size < 1024, f"{answer.total_count} arrived")
    return {"grown": grown / MIB}


async def download(url: str, size: int) -> dict[str, Any]:
    """Download an image of *size* bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.png"
        async with client(url) as ours:
            await ours.download(f"{url}/image/1000", path)
            start = memory()
            async with STALLS.watching():
                await ours.download(f"{url}/image/{size}", path, max_bytes=size)
            grown = memory("VmHWM") - start
        require(path.stat().st_size == size, f"{path.stat().st_size} arrived")
    return {"grown": grown / MIB}


async def first(url: str, items: int) -> dict[str, Any]:
    """Do all that a client does, for the first time in this process."""
    async with STALLS.watching(), client(url) as ours:
        batch = await ours.generate_many([PROMPT] * items)
        answer = await ours.with_options(deadline=60).generate(PROMPT)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "image.png"
            await ours.download(f"{url}/image/1000", path)
            await ours.remix(PROMPT, image=Upload.from_path(path))
    right = sum(image.seed == SEED for image in [*batch.images, *answer.images])
    require(right == items + 1, f"{right} of {items + 1} answers are right")
    return {}


async def stream(url: str, items: int) -> dict[str, Any]:
    """Stream the outcomes of so many prompts, and keep none."""
    right = 0
    async with client(url) as ours:
        await ours.generate_many([PROMPT] * WARM_UP)
        curve = Curve(items)
        used = cpu()
        results = ours.stream_many(curve.prompts(), aspect_ratio="16x9")
        async with STALLS.watching(), results as outcomes:
            async for outcome in outcomes:
                if isinstance(outcome, Success):
                    right += outcome.response.data[0].seed == SEED
        used = cpu() - used
    require(right == items, f"{right} of {items} answers are right")
    return {
        "grown": (curve.peak - curve.start) / MIB,
        "microseconds": 1e6 * used / items,
        "points": curve.points,
    }


async def collect(url: str, items: int) -> dict[str, Any]:
    """Collect so many results."""
    async with client(url) as ours:
        await ours.generate_many([PROMPT] * WARM_UP)
        curve = Curve(items)
        async with STALLS.watching():
            batch = await ours.generate_many(curve.prompts(), aspect_ratio="16x9")
        right = sum(image.seed == SEED for image in batch.images)
    require(right == items, f"{right} of {items} answers are right")
    each = (memory() - curve.start) / items
    return {"each": each, "points": curve.points}


async def uncollected(url: str, items: int) -> dict[str, Any]:
    """Collect so many results, without Python's garbage collector."""
    gc.disable()
    return await collect(url, items)


async def parsed(url: str, items: int) -> dict[str, Any]:
    """Keep so many parsed answers of raw aiohttp."""
    connector = aiohttp.TCPConnector(limit=PLACES)
    async with aiohttp.ClientSession(connector=connector) as session:
        curve = Curve(items)
        kept = []
        left = curve.prompts()

        async def work() -> None:
            for prompt in left:
                form = {"prompt": prompt, "aspect_ratio": "16x9"}
                path = url + clients.PATH
                async with session.post(path, json=form) as response:
                    kept.append((prompt, json.loads(await response.read())))

        async with STALLS.watching():
            await asyncio.gather(*(work() for _ in range(PLACES)))
    right = sum(answer["data"][0]["seed"] == SEED for _, answer in kept)
    require(right == items, f"{right} of {items} answers are right")
    return {"each": (memory() - curve.start) / items}


async def gather(url: str, items: int) -> dict[str, Any]:
    """Do what a script does: a task per prompt."""
    async with clients.script(url, PLACES) as run:
        await run(WARM_UP)
        curve = Curve(items)
        watch = asyncio.create_task(_watched(curve))
        async with STALLS.watching():
            right = await run(items)
        grown = memory("VmHWM") - curve.start
        watch.cancel()
    require(right == items, f"{right} of {items} answers are right")
    return {"each": grown / items, "grown": grown / MIB}


async def _watched(curve: Curve) -> None:
    while True:
        await asyncio.sleep(0.5)
        curve.look(0)


Case = Callable[[str, int], Coroutine[Any, Any, dict[str, Any]]]
CASES: Final[dict[str, Case]] = {
    each.__name__: each
    for each in (upload, download, first, stream, collect, uncollected, parsed, gather)
}


def main() -> None:
    """Run a case, and print what it took as JSON."""
    name, url, size = sys.argv[1:]
    figures = asyncio.run(CASES[name](url, int(size)))
    gc.enable()
    before = memory()
    ballast = os.urandom(BALLAST)
    if memory() - before < len(ballast) // 2:
        raise WrongError("the measure does not see memory")
    print(json.dumps(figures | STALLS.figures()))


if __name__ == "__main__":
    main()
