"""A process that holds places of a shared limit.

    python -m tests.limiters.holder HOME PLACES

It takes PLACES, says so, and takes one place more for each line that it reads.
"""

from __future__ import annotations

import asyncio
import sys

from tests.limiters.homes import Home


async def main(home: Home, places: int) -> None:
    """Hold *places* until standard input ends."""
    async with home.limiter(places) as limiter:
        held = [await limiter.acquire(places)]
        print("held", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            held.append(await limiter.acquire())
            print("held", flush=True)
        for lease in held:
            limiter.release(lease)


if __name__ == "__main__":
    asyncio.run(main(Home.from_text(sys.argv[1]), int(sys.argv[2])))
