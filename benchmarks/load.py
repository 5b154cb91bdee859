"""Puts one client under load, and prints what that cost.

    echo REQUESTS | python -m benchmarks.load CLIENT URL IN_FLIGHT

It makes as many requests as each line of its input says, and prints the figures after
each. It runs with the Python of the client's environment, so it needs nothing but
Python itself; `+uvloop` behind the client's name is another event loop.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Final

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


async def measure(
    client: Client, url: str, in_flight: int, slices: Iterable[int]
) -> None:
    """Print what so many requests cost, slice by slice.

    The first requests of each slice warm up, and open what was closed before it.
    """
    async with client(url, in_flight) as run:
        warm = max(WARM_UP, in_flight)
        for requests in slices:
            right = await run(warm)
            wall, used = time.perf_counter(), cpu()
            right += await run(requests)
            wall, used = time.perf_counter() - wall, cpu() - used
            figures = {"right": right, "sent": warm + requests, "cpu": used}
            print(json.dumps({**figures, "seconds": wall}), flush=True)
            warm = in_flight


def main() -> None:
    """Measure as the arguments and the input say."""
    name, url, in_flight = sys.argv[1:]
    name, _, loop = name.partition("+")
    factory = importlib.import_module(loop).new_event_loop if loop else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(measure(find(name), url, int(in_flight), map(int, sys.stdin)))


if __name__ == "__main__":
    main()
