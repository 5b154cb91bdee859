"""Where the work of a request is done: calls of functions, layer by layer.

    python -m benchmarks.layers [CLIENT ...]

Calls of functions, Python's and C's, are nearly the same in every run, whatever else
the machine does, so that a change of one call shows; only the event loop takes more
turns where the server is slow. A call of a C function belongs to the layer that makes
it.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from . import load
from .server import running


CLIENTS: Final = ("aiohttp", "generate", "generate_many")
REQUESTS: Final = 1000
IN_FLIGHT: Final = 10

LAYERS: Final = {
    "aiohttp": ("aiohttp", "yarl", "multidict", "frozenlist", "propcache"),
    "asyncio": ("asyncio", "selectors", "_weakrefset", "anyio"),
    "JSON": ("json",),
    "request: made, checked": ("requests", "_rules", "<attrs", "_verb", "client"),
    "request: encoded": ("_codec", "_body", "_http"),
    "provider: routes, prices": ("providers",),
    "gate": ("limiter", "_learning", "_queue"),
    "delivery, retries, failover": ("_delivery", "_retry", "_failover", "_call"),
    "hooks and counters": ("_recorder", "_tally", "_listeners"),
    "connection": ("_transport", "_connector", "_deadlines"),
    "answer": ("_converter", "responses", "costs", "batch"),
    "many: workers, order": ("_bulk", "_batches", "_running"),
}
"""What counts as what: names in the path of a function's file."""
OTHER: Final = "other"


def layer(path: str) -> str:
    """Return the layer of the file at *path*."""
    if path.startswith("<attrs"):
        return "request: made, checked"
    names = {Path(part).stem for part in Path(path).parts}
    ours = "ideogram_async" in names
    for name, parts in LAYERS.items():
        is_ours = name not in {"aiohttp", "asyncio", "JSON"}
        if is_ours == ours and not names.isdisjoint(parts):
            return name
    return OTHER


async def profiled(client: str, url: str, requests: int) -> dict[Any, Any]:
    """Return what `pstats` knows of so many requests, after some to warm up."""
    async with load.find(client)(url, IN_FLIGHT) as run:
        await run(load.WARM_UP)
        with cProfile.Profile() as profile:
            await run(requests)
    return pstats.Stats(profile).stats  # type: ignore[attr-defined]


def calls(client: str, url: str, requests: int = REQUESTS) -> Counter[str]:
    """Return the calls of one request by layer."""
    found = Counter[str]()
    stats = asyncio.run(profiled(client, url, requests))
    for (path, _, _), (_, count, _, _, callers) in stats.items():
        if path != "~":
            found[layer(path)] += count
            continue
        for (caller, _, _), (_, number, _, _) in callers.items():
            found[layer(caller)] += number
    return Counter({name: round(count / requests) for name, count in found.items()})


def main() -> None:
    """Print the table."""
    clients = sys.argv[1:] or CLIENTS
    with running() as url:
        columns = [calls(client, url) for client in clients]
    print("| calls per request |", *(f"{name} |" for name in clients))
    print("| --- |", *("--- |" for _ in columns))
    for name in (*LAYERS, OTHER):
        print(f"| {name} |", *(f"{column[name]} |" for column in columns))
    print("| all |", *(f"{column.total()} |" for column in columns))


if __name__ == "__main__":
    main()
