"""Measure the gate over real sockets against a service that hides its limit.

    python -m benchmarks.gate [NAME ...]

The sandbox runs in a process of its own and takes half a second on average for a
request (log-normal). Efficiency is the ideal makespan, all work at the full limit all
the time, over the measured one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from itertools import pairwise
from typing import Any, Final

import attrs

from ideogram_async import GenerateV3, IdeogramClient, Request

from .figures import ENVIRONMENT, ROOT, require


ITEMS: Final = 2000
LATENCY: Final = 0.5
"""Seconds of a request."""
SHARED_LATENCY: Final = 0.05
"""The same where two clients share a key: what evens them is counted in answers."""
SIZES: Final = (1, 2, 4, 8)
SHARES: Final = (50, 20, 20, 10)


@attrs.frozen
class Scenario:
    """A service, and what is wanted of the gate there.

    Attributes:
        caps: The limit from each second on.
        efficiency: Least efficiency.
        refusals: Most refusals per item.
        is_mixed: Whether requests are for 1, 2, 4 and 8 images, else for 1.
        latency: Seconds of a request, on average.
    """

    caps: dict[float, int]
    efficiency: float
    refusals: float
    is_mixed: bool = False
    latency: float = LATENCY

    def ideal(self, work: float) -> float:
        """Return the least seconds in which *work* place-seconds can be done."""
        for start, end in pairwise([*self.caps, float("inf")]):
            cap = self.caps[start]
            if work <= cap * (end - start):
                return start + work / cap
            work -= cap * (end - start)
        raise AssertionError("the last limit holds for ever")


SCENARIOS: Final = {
    "cap 10": Scenario({0: 10}, 0.95, 0.03),
    "cap 4": Scenario({0: 4}, 0.95, 0.03),
    "cap 40": Scenario({0: 40}, 0.85, 0.03),
    "cap 10, 4, 16": Scenario({0: 10, 25: 4, 75: 16}, 0.92, 0.03),
    "mixed sizes": Scenario({0: 10}, 0.88, 0.03, is_mixed=True),
    "two clients": Scenario({0: 10}, 0.95, 0.03, latency=SHARED_LATENCY),
}
SHARED: Final = "two clients"


async def serve(scenario: Scenario) -> None:
    """Serve until standard input ends, then print the ledger."""
    from ideogram_async.sandbox import Sandbox  # noqa: PLC0415  # in the server only

    limit, latency = scenario.caps[0], scenario.latency
    async with Sandbox(limit=limit, latency=latency, spread=0.5) as sandbox:
        print(sandbox.url, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        loop = asyncio.get_running_loop()
        for start, cap in scenario.caps.items():
            loop.call_later(start, setattr, sandbox.service, "limit", cap)
        await asyncio.to_thread(sys.stdin.read)
        ledger = sandbox.ledger
    report = {
        "work": sum(charge.seconds * charge.images for charge in ledger.charges),
        "billed": len(ledger.charges),
        "twice": sum(times > 1 for times in ledger.times_billed.values()),
        "refusals": ledger.refusals,
        "peak": ledger.most_in_progress,
    }
    print(json.dumps(report), flush=True)


@attrs.define
class Served:
    """A sandbox in a process of its own.

    Attributes:
        url: Its address.
        server: The process.
        report: What it billed and refused, once it has ended.
    """

    url: str
    server: asyncio.subprocess.Process
    report: dict[str, Any] = attrs.field(factory=dict)

    def start(self) -> None:
        """Let the time of the limits begin."""
        require(self.server.stdin, "it is a pipe")
        self.server.stdin.write(b"start\n")  # type: ignore[union-attr]


@contextlib.asynccontextmanager
async def serving(name: str) -> AsyncGenerator[Served]:
    """Serve a scenario meanwhile; the report is there behind."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.gate", "--serve", name),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if server.stdin is None or server.stdout is None:
        raise AssertionError("both are pipes")
    served = Served((await server.stdout.readline()).decode().strip(), server)
    try:
        yield served
    finally:
        server.stdin.close()
        served.report |= json.loads(await server.stdout.readline())
        await server.wait()


def requests(scenario: Scenario, items: int) -> Iterator[Request[Any]]:
    """Yield the requests of *scenario*."""
    chance = random.Random(1)
    for index in range(items):
        size = chance.choices(SIZES, SHARES)[0] if scenario.is_mixed else 1
        yield GenerateV3(f"prompt {index}", num_images=size)


async def measure(name: str, items: int = ITEMS) -> dict[str, Any]:
    """Run one scenario, and return its figures.

    Raises:
        WrongError: An item was not answered, or was billed twice.
    """
    scenario = SCENARIOS[name]
    answered = 0
    async with (
        serving(name) as served,
        IdeogramClient("benchmark", base_url=served.url) as client,
    ):
        served.start()
        started, cpu = time.perf_counter(), time.process_time()
        async with client.stream_many(requests(scenario, items)) as outcomes:
            async for outcome in outcomes:
                answered += hasattr(outcome, "response")
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        left = client.limiter.in_use
    report = served.report
    counts = (answered, report["billed"], report["twice"], left)
    require(counts == (items, items, 0, 0), f"{name}: {counts}")
    return {
        "efficiency": scenario.ideal(report["work"]) / seconds,
        "refusals": report["refusals"] / items,
        "microseconds": 1e6 * cpu / items,
    }


async def shares(seconds: float) -> dict[str, Any]:
    """Return what two clients with one key were served, in halves of *seconds*."""
    done = [0, 0]
    halves: list[list[int]] = []

    async def work(mine: int) -> None:
        async with IdeogramClient("benchmark", base_url=served.url) as client:
            prompts = (f"prompt {mine} {number}" for number in range(10**9))
            async with client.stream_many(prompts) as outcomes:
                async for outcome in outcomes:
                    done[mine] += hasattr(outcome, "response")

    async with serving(SHARED) as served:
        served.start()
        tasks = [asyncio.create_task(work(mine)) for mine in range(2)]
        for _ in range(2):
            await asyncio.sleep(seconds / 2)
            halves.append([*done])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    missing = served.report["billed"] - sum(done)
    require(0 <= missing <= 20, f"{missing} were billed and not counted")
    last = [after - before for before, after in zip(*halves, strict=True)]
    return {
        "served": done,
        "refusals": served.report["refusals"] / sum(done),
        "jain": _jain(done),
        "jain_last_half": _jain(last),
    }


def _jain(served: list[int]) -> float:
    return sum(served) ** 2 / (len(served) * sum(each**2 for each in served))


def is_good(name: str, figures: dict[str, Any]) -> bool:
    """Print the line of a scenario, and return whether it is good."""
    scenario = SCENARIOS[name]
    efficiency, refusals = figures["efficiency"], figures["refusals"]
    good = bool(efficiency >= scenario.efficiency and refusals <= scenario.refusals)
    print(
        f"{name:14} efficiency {efficiency:.3f} (>= {scenario.efficiency:.2f})"
        f"  refusals per item {refusals:.3f} (<= {scenario.refusals:.2f})"
        f"  {figures['microseconds']:.0f} us CPU per item: {'good' if good else 'BAD'}",
        flush=True,
    )
    return good


def main() -> int:
    """Run the scenarios that were named, or all; return 1 if one is bad."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--shares", type=float, metavar="SECONDS")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(SCENARIOS[given.serve]))
        return 0
    if given.shares:
        print(json.dumps(asyncio.run(shares(given.shares))))
        return 0
    names = given.names or [name for name in SCENARIOS if name != SHARED]
    if given.json:
        print(json.dumps({n: asyncio.run(measure(n, given.items)) for n in names}))
        return 0
    return (
        0 if all(is_good(n, asyncio.run(measure(n, given.items))) for n in names) else 1
    )


if __name__ == "__main__":
    sys.exit(main())
