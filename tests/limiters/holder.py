"""A process that holds places of a shared limit.

    python -m tests.limiters.holder HOME PLACES

It takes PLACES, says so, and takes one place more for each line that it reads.
"""

from __future__ import annotations

import asyncio
import sys

from tests.limiters.homes import Home


def say(text: str) -> None:
    """Write *text* at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


async def main(home: Home, places: int) -> None:
    """Hold *places* until standard input ends."""
    async with home.limiter(places) as limiter:
        held = [await limiter.acquire(places)]
        say("held\n")
        while await asyncio.to_thread(sys.stdin.readline):
            held.append(await limiter.acquire())
            say("held\n")
        for lease in held:
            limiter.release(lease)


if __name__ == "__main__":
    asyncio.run(main(Home.from_text(sys.argv[1]), int(sys.argv[2])))
