"""Measure the gate over real sockets against a service that hides its limit.

    python benchmarks/gate.py [NAME ...]

The sandbox runs in a process of its own and takes 200 ms on average for a request
(log-normal). Efficiency is the ideal makespan, all work at the full limit all the time,
over the measured one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import attrs

from ideogram_async import GenerateV3, IdeogramClient, Request


ITEMS = 2000
LATENCY = 0.2
SIZES, SHARES = (1, 2, 4, 8), (50, 20, 20, 10)


@attrs.frozen
class Scenario:
    """A service, and what is wanted of the gate there.

    Attributes:
        caps: The limit from each second on.
        efficiency: Least efficiency.
        refusals: Most refusals per item; None for any.
        is_mixed: Whether requests are for 1, 2, 4 and 8 images, else for 1.
    """

    caps: dict[float, int]
    efficiency: float
    refusals: float | None = None
    is_mixed: bool = False

    def ideal(self, work: float) -> float:
        """Return the least seconds in which *work* place-seconds can be done."""
        for start, end in pairwise([*self.caps, float("inf")]):
            cap = self.caps[start]
            if work <= cap * (end - start):
                return start + work / cap
            work -= cap * (end - start)
        raise AssertionError("the last limit holds for ever")


SCENARIOS = {
    "cap 10": Scenario({0: 10}, 0.95, 0.05),
    "cap 4": Scenario({0: 4}, 0.95, 0.09),
    "cap 40": Scenario({0: 40}, 0.88),
    "cap 10, 4, 16": Scenario({0: 10, 10: 4, 30: 16}, 0.92),
    "mixed sizes": Scenario({0: 10}, 0.88, is_mixed=True),
}


async def serve(scenario: Scenario) -> None:
    """Serve until standard input ends, then print the ledger."""
    from ideogram_async.sandbox import Sandbox  # noqa: PLC0415  # in the server only

    async with Sandbox(limit=scenario.caps[0], latency=LATENCY, spread=0.5) as sandbox:
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


def requests(scenario: Scenario) -> Iterator[Request[Any]]:
    """Yield the requests of *scenario*."""
    chance = random.Random(1)
    for index in range(ITEMS):
        size = chance.choices(SIZES, SHARES)[0] if scenario.is_mixed else 1
        yield GenerateV3(f"prompt {index}", num_images=size)


async def measure(name: str) -> bool:
    """Run one scenario, print its line, and return whether it is good."""
    scenario = SCENARIOS[name]
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--serve", name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if server.stdin is None or server.stdout is None:
        raise AssertionError("both are pipes")
    url = (await server.stdout.readline()).decode().strip()
    answered = 0
    async with IdeogramClient("benchmark", base_url=url) as client:
        server.stdin.write(b"start\n")
        started, cpu = time.perf_counter(), time.process_time()
        async with client.stream_many(requests(scenario)) as outcomes:
            async for outcome in outcomes:
                answered += hasattr(outcome, "response")
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        left = client.limiter.in_use
    server.stdin.close()
    report = json.loads(await server.stdout.readline())
    await server.wait()
    efficiency = scenario.ideal(report["work"]) / seconds
    refusals = report["refusals"] / ITEMS
    is_good = (
        efficiency >= scenario.efficiency
        and (scenario.refusals is None or refusals <= scenario.refusals)
        and (answered, report["billed"], report["twice"], left) == (ITEMS, ITEMS, 0, 0)
    )
    wanted = "any" if scenario.refusals is None else f"{scenario.refusals:.2f}"
    print(
        f"{name:14} efficiency {efficiency:.3f} (>= {scenario.efficiency:.2f})"
        f"  refusals per item {refusals:.3f} (<= {wanted})"
        f"  answered {answered}, billed twice {report['twice']},"
        f" {1e6 * cpu / ITEMS:.0f} us CPU per item: {'good' if is_good else 'BAD'}",
        flush=True,
    )
    return is_good


def main() -> int:
    """Run the scenarios that were named, or all; return 1 if one is bad."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(SCENARIOS[given.serve]))
        return 0
    results = [asyncio.run(measure(name)) for name in given.names or SCENARIOS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
