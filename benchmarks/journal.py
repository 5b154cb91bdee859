"""Measures what the journal costs: its share of a run's CPU, memory, and the start.

The service is a small server in a process of its own, so that the CPU measured is the
job's alone. `python benchmarks/journal.py --items 100000 --rows 1000000`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import web

from ideogram_async import Cost, GenerateV3, IdeogramClient, Limiter
from ideogram_async.jobs import Job, Progress


PNG = b"\x89PNG\r\n\x1a\n" + bytes(2040)
PRICE = Cost(Decimal("0.03"), "USD")


def serve(told: Connection) -> None:
    """Answer every request at once, with links to one small image."""

    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        image = {"url": f"http://{request.host}/image?exp=4102444800", "seed": 7}
        image |= {"prompt": str(form["prompt"]), "resolution": "1024x1024"}
        body = {"created": "2025-01-23T04:56:07Z", "data": [image]}
        return web.json_response(body)

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=PNG, content_type="image/png")

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/ideogram-v3/generate", answer)
        app.router.add_get("/image", picture)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


def requests(rows: int) -> Iterator[GenerateV3]:
    """Yield requests, each with a prompt of its own."""
    for number in range(rows):
        yield GenerateV3(prompt=f"a cat that counts to {number}", seed=number)


def price(_: object) -> Cost:
    """Return the same price for every request."""
    return PRICE


def memory() -> float:
    """Return the memory in use now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def writer_seconds() -> float:
    """Return the CPU time of the journal's thread so far."""
    for thread in threading.enumerate():
        if thread.name == "ideogram-journal":
            clock = time.pthread_getcpuclockid(thread.ident or 0)
            return time.clock_gettime(clock)
    return 0.0


async def measure(url: str, out: Path, items: int) -> dict[str, Any]:
    """Run so many items, and return the figures."""
    seen: dict[str, Any] = {"memory": [], "writer": 0.0}
    next_look = 0.0

    def look(progress: Progress) -> None:
        nonlocal next_look
        seen["writer"] = max(seen["writer"], writer_seconds())
        if progress.ended >= next_look:
            seen["memory"].append(round(memory()))
            next_look += items / 10

    job = Job(requests(items), out, budget=10**9, price=price, on_progress=look)
    limiter = Limiter(32, learn=False)
    began, cpu = time.monotonic(), time.process_time()
    async with IdeogramClient("a key", base_url=url, limiter=limiter) as client:
        report = await job.run(client)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    size = (out / "journal.sqlite").stat().st_size / 2**20
    return {
        "items": items,
        "saved": report.counts["saved"],
        "seconds": round(seconds, 1),
        "cpu": round(cpu, 1),
        "journal cpu": round(seen["writer"], 1),
        "journal share of cpu": round(seen["writer"] / cpu, 3),
        "memory in MiB, each tenth": seen["memory"],
        "journal in MiB": round(size, 1),
    }


async def start(url: str, out: Path, rows: int) -> dict[str, Any]:
    """Start a job of so many rows, and stop it at its first image."""
    first = 0.0
    began = time.monotonic()

    def look(progress: Progress) -> None:
        nonlocal first
        if progress.counts["saved"] and not first:
            first = time.monotonic() - began
            job.stop()

    job = Job(requests(rows), out, total=rows, price=price, on_progress=look)
    async with IdeogramClient("a key", base_url=url) as client:
        await job.run(client)
    return {"rows": rows, "first image after": round(first, 2)}


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(there,), daemon=True
    )
    server.start()
    url = f"http://127.0.0.1:{here.recv()}"
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(start(url, Path(folder) / "rows", given.rows))))
        figures = asyncio.run(measure(url, Path(folder) / "items", given.items))
        print(json.dumps(figures, indent=1))
    server.terminate()


if __name__ == "__main__":
    main()
