"""Puts one client under load, and prints what that cost.

    python -m benchmarks.load CLIENT URL IN_FLIGHT REQUESTS

It runs with the Python of the client's environment, so it needs nothing but Python
itself; `+uvloop` behind the client's name is another event loop.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from . import SEED


Run = Callable[[int], Awaitable[int]]
"""Makes so many requests, and returns how many answers were right."""
Client = Callable[[str, int], AbstractAsyncContextManager[Run]]
"""Opens a client of a server, for so many requests at once."""

MODULES: Final = ("benchmarks.clients", "benchmarks.peers")
WARM_UP: Final = 300


def workers(send: Callable[[], Awaitable[int]], in_flight: int) -> Run:
    """Return what makes requests with *send*, always so many at once.

    Args:
        send: Makes a request, and returns the seed in the answer.
        in_flight: How many at once.
    """

    async def run(requests: int) -> int:
        right = 0
        numbers = iter(range(requests))

        async def work() -> None:
            nonlocal right
            for _ in numbers:
                seed = await send()
                right += seed == SEED

        await asyncio.gather(*(work() for _ in range(in_flight)))
        return right

    return run


def find(name: str) -> Client:
    """Return the client of this *name*."""
    for module in MODULES:
        try:
            clients: dict[str, Client] = importlib.import_module(module).CLIENTS
        except ImportError:  # not in this environment
            continue
        if name in clients:
            return clients[name]
    raise SystemExit(f"{name} is not installed")


def cpu() -> float:
    """Return the CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(client: Client, url: str, in_flight: int, requests: int) -> Any:
    """Return what so many requests cost, after some to warm up."""
    async with client(url, in_flight) as run:
        warm = max(WARM_UP, in_flight)
        right = await run(warm)
        wall, used = time.perf_counter(), cpu()
        right += await run(requests)
        wall, used = time.perf_counter() - wall, cpu() - used
    return {
        "right": right,
        "sent": warm + requests,
        "microseconds": 1e6 * used / requests,
        "per_second": requests / wall,
    }


def main() -> None:
    """Measure as the arguments say, and print it as JSON."""
    name, url, in_flight, requests = sys.argv[1:]
    name, _, loop = name.partition("+")
    factory = importlib.import_module(loop).new_event_loop if loop else None
    with asyncio.Runner(loop_factory=factory) as runner:
        figures = measure(find(name), url, int(in_flight), int(requests))
        print(json.dumps(runner.run(figures)))


if __name__ == "__main__":
    main()
