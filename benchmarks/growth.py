"""Whether an item costs more where there are more of them, each case in a process.

    python -m benchmarks.growth CASE URL SIZE [TIMES]

Prints the CPU per item of SIZE items, TIMES times, in microseconds. What never leaves
the process is also counted: calls of functions per item, of Python's own too. They are
the same in every run and on every machine; the CPU of a hundred items is that of a warm
cache, and that of a hundred thousand is not.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ideogram_async import Batch, Failure, GenerateV3, IdeogramClient, Limiter, Success
from ideogram_async.cli._manifest import Manifest
from ideogram_async.costs import Cost
from ideogram_async.inputs import PromptFile
from ideogram_async.jobs import Job
from ideogram_async.providers import Ideogram
from ideogram_async.responses import ImageObject, ImageResponse

from . import ANSWER, PROMPT
from .figures import require
from .load import cpu


PLACES: Final = 10
WARM_UP: Final = 300
PRICE: Final = Cost(Decimal("0.06"), "USD")

Measured = Callable[[], Awaitable[object]]
Case = Callable[[str, int], AbstractAsyncContextManager[Measured]]


def prompts(items: int) -> Iterator[str]:
    """Yield prompts, each of its own."""
    return (f"{PROMPT} {number}" for number in range(items))


def client(url: str) -> IdeogramClient:
    """Return a client with a fixed gate."""
    limiter = Limiter(PLACES, learn=False)
    return IdeogramClient("benchmark", base_url=url, limiter=limiter)


@asynccontextmanager
async def collect(url: str, items: int) -> AsyncGenerator[Measured]:
    """A batch that is collected."""
    async with client(url) as ours:
        await ours.generate_many([PROMPT] * WARM_UP)

        async def run() -> None:
            batch = await ours.generate_many(prompts(items), aspect_ratio="16x9")
            require(len(batch.images) == items, "images are missing")

        yield run


@asynccontextmanager
async def stream(url: str, items: int) -> AsyncGenerator[Measured]:
    """A batch whose outcomes are not kept."""
    async with client(url) as ours:
        await ours.generate_many([PROMPT] * WARM_UP)

        async def run() -> None:
            right = 0
            async with ours.stream_many(prompts(items)) as outcomes:
                async for outcome in outcomes:
                    right += isinstance(outcome, Success)
            require(right == items, f"{right} of {items} are right")

        yield run


@asynccontextmanager
async def failover(url: str, items: int) -> AsyncGenerator[Measured]:
    """A batch with two providers, of which the first is down."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    down = Ideogram("benchmark", f"http://127.0.0.1:{port}")
    async with IdeogramClient(provider=[down, Ideogram("second", url)]) as ours:
        await ours.generate_many([PROMPT] * WARM_UP)

        async def run() -> None:
            batch = await ours.generate_many(prompts(items))
            require(len(batch.successes) == items, f"{batch!r}")

        yield run


@asynccontextmanager
async def job(url: str, items: int) -> AsyncGenerator[Measured]:
    """A bulk job with its journal, and a small image for each item."""

    async def run(items: int = items) -> None:
        requests = (GenerateV3(prompt) for prompt in prompts(items))
        with tempfile.TemporaryDirectory() as folder:
            made = Job(requests, folder, budget=10**9, price=lambda _: PRICE)
            async with client(f"{url}/local") as ours:
                report = await made.run(ours)
        require(report.counts["saved"] == items, f"{report.counts}")

    await run(WARM_UP)
    yield run


@asynccontextmanager
async def waiters(_: str, items: int) -> AsyncGenerator[Measured]:
    """Tasks that wait at the gate, all at once."""

    async def run() -> None:
        gate = Limiter(PLACES, learn=False)

        async def pass_through() -> None:
            lease = await gate.acquire()
            await asyncio.sleep(0)
            gate.release(lease)

        await asyncio.gather(*(pass_through() for _ in range(items)))

    yield run


@asynccontextmanager
async def semaphore(_: str, items: int) -> AsyncGenerator[Measured]:
    """The same at a semaphore of asyncio, which learns nothing."""

    async def run() -> None:
        gate = asyncio.Semaphore(PLACES)

        async def pass_through() -> None:
            async with gate:
                await asyncio.sleep(0)

        await asyncio.gather(*(pass_through() for _ in range(items)))

    yield run


@asynccontextmanager
async def cancelled_waiters(_: str, items: int) -> AsyncGenerator[Measured]:
    """Tasks that wait at a gate that is closed, as the service is down, and give up."""

    async def run() -> None:
        gate = Limiter(PLACES)
        gate.pause(60, is_down=True)
        tasks = [asyncio.create_task(gate.acquire()) for _ in range(items)]
        await asyncio.sleep(0)
        require(gate.waiting == items, f"{gate!r}")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        require(not gate.waiting, f"{gate!r}")

    yield run


@asynccontextmanager
async def views(_: str, items: int) -> AsyncGenerator[Measured]:
    """What a batch shows: all its images, failures and costs, and a part of it."""
    request = GenerateV3(PROMPT)
    image = ImageObject(**ANSWER["data"][0])
    answer = ImageResponse(created=ANSWER["created"], data=(image,))
    outcomes: list[Success[ImageResponse] | Failure] = [
        Success(number, request, answer, cost=PRICE)
        if number % 10
        else Failure(number, request, ValueError("no"))
        for number in range(items)
    ]

    async def run() -> None:
        batch = Batch(reversed(outcomes))
        seen = len(batch.images) + len(batch.failures)
        require(seen == len(batch[:]) == items, f"{batch!r}")
        require(batch.cost.amount, "they cost something")

    yield run


@asynccontextmanager
async def copies(_: str, items: int) -> AsyncGenerator[Measured]:
    """Copies of a client with other options, all kept."""
    ours = client("http://127.0.0.1")

    async def run() -> None:
        kept = [ours.with_options(timeout=number + 1) for number in range(items)]
        require(len(kept) == items, "copies are missing")

    yield run
    await ours.aclose()


@asynccontextmanager
async def rows(_: str, items: int) -> AsyncGenerator[Measured]:
    """A prompt file, read and checked."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.csv"
        lines = (f'"{prompt}",{seed}' for seed, prompt in enumerate(prompts(items)))
        path.write_text("\n".join(["prompt,seed", *lines]) + "\n")

        async def run() -> None:
            found = sum(1 for _ in PromptFile(path).rows())
            require(found == items, f"{found} of {items} rows")

        yield run


@asynccontextmanager
async def manifest(_: str, items: int) -> AsyncGenerator[Measured]:
    """The manifest of a job, read for the page of its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.jsonl"
        image = {"url": "https://host/1.png", "seed": 7, "resolution": "1024x1024"}
        with path.open("w") as file:
            for index in reversed(range(items)):
                entry: dict[str, Any] = {"index": index, "files": [f"{index}.png"]}
                entry |= {"request": {"prompt": PROMPT}, "response": {"data": [image]}}
                file.write(json.dumps(entry) + "\n")

        async def run() -> None:
            found = sum(1 for _ in Manifest(path).pictures())
            require(found == items, f"{found} of {items} pictures")

        yield run


SENDING: Final[dict[str, Case]] = {
    "collect": collect,
    "stream": stream,
    "failover": failover,
    "job": job,
}
"""What asks a server."""
COUNTED: Final[dict[str, Case]] = {
    "waiters": waiters,
    "semaphore": semaphore,
    "cancelled waiters": cancelled_waiters,
    "views": views,
    "copies": copies,
    "rows": rows,
    "manifest": manifest,
}
"""What stays in the process."""


async def calls_of(run: Measured) -> int:
    """Return how many calls of functions a run makes."""
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        await run()
    finally:
        sys.setprofile(None)
    return calls


async def measure(name: str, url: str, items: int, times: int) -> dict[str, Any]:
    """Return what an item costs."""
    async with (SENDING | COUNTED)[name](url, items) as run:
        if name in COUNTED:
            await run()  # warms up
        used = cpu()
        for _ in range(times):
            await run()
        used = cpu() - used
        figures: dict[str, Any] = {"microseconds": 1e6 * used / items / times}
        if name in COUNTED:
            figures["calls"] = await calls_of(run) / items
    return figures


def main() -> None:
    """Measure a case, and print what it took as JSON."""
    name, url, items, *times = sys.argv[1:]
    figures = measure(name, url, int(items), int(times[0]) if times else 1)
    print(json.dumps(asyncio.run(figures)))


if __name__ == "__main__":
    main()
