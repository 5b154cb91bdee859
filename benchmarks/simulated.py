"""The policies in virtual time: efficiency, refusals, fairness, places over time.

    python -m benchmarks.simulated SEEDS ITEMS

Virtual time needs no quiet machine: the same seeds give the same figures anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
from collections import defaultdict
from typing import Any, Final

import attrs

from ideogram_async._learning import Verdict
from tests.gate_simulation import Report, Scenario, Service, drawn, foreign, run

from .figures import require, rounded, spreads
from .policies import POLICIES, Policy


ITEMS: Final = 2_000
STEPS: Final = ((0.0, 10), (300.0, 4), (900.0, 16))
"""When the cap changes, for so many items."""
MIX: Final = ((1, 0.5), (2, 0.2), (4, 0.2), (8, 0.1))
SCENARIOS: Final = {
    "cap 10": Scenario(),
    "cap 4": Scenario(caps=((0.0, 4),)),
    "cap 40": Scenario(caps=((0.0, 40),)),
    "cap 10, 4, 16": Scenario(caps=STEPS),
    "three clients": Scenario(clients=3),
    "foreign client": Scenario(foreign=0.5),
    "mixed sizes": Scenario(sizes=MIX),
    "10 % errors": Scenario(),
}
ERRORS: Final = {"10 % errors": 0.1}
HOURS: Final = 4
LOOK: Final = 5.0
SHOWN: Final = ("this gate", "Semaphore(10), tenacity", "AIMD 0.9, +1 a window")
"""Policies whose places over time are recorded."""


class Erring(Service):
    """A service that fails a share of what it would have served."""

    def __init__(self, scenario: Scenario, report: Report, share: float) -> None:
        super().__init__(scenario, report)
        self.share, self.dice = share, random.Random(scenario.seed + 2)

    async def send(
        self, places: int, seconds: float, *, is_foreign: bool = False
    ) -> tuple[Verdict, int | None]:
        """Return the verdict, and the limit that a refusal names."""
        if self.dice.random() < self.share:
            await asyncio.sleep(self.scenario.round_trip)
            return Verdict.FAILED, None
        return await super().send(places, seconds, is_foreign=is_foreign)


async def served(policy: Policy, scenario: Scenario, errors: float) -> dict[str, float]:
    """Return what comes of *policy* in *scenario*."""
    report = Report(limiters=[])
    service = Erring(scenario, report, errors)
    items = drawn(scenario)
    share = scenario.items // scenario.clients
    async with asyncio.TaskGroup() as group:
        others = group.create_task(foreign(service))
        async with asyncio.TaskGroup() as clients:
            for _ in range(scenario.clients):
                part = itertools.islice(items, share)
                clients.create_task(_whole(policy(service, part, report)))
        others.cancel()
    total = share * scenario.clients
    require(report.done == total, f"{report.done} of {total} items ended")
    makespan = asyncio.get_running_loop().time()
    return {
        "efficiency": scenario.ideal(service.work) / makespan,
        "refusals": report.refusals / total,
        "failed": report.failed / total,
    }


async def _whole(policy: Any) -> None:
    await policy


async def shares(policy: Policy, clients: int, seed: int) -> dict[str, float]:
    """Return how evenly *clients* with one key are served, hour by hour."""
    scenario = Scenario(items=10**9, seed=seed)
    reports = [Report(limiters=[]) for _ in range(clients)]
    service = Service(scenario, Report(limiters=[]))
    items = drawn(scenario)
    done = [[0] * clients]

    async def look() -> None:
        for _ in range(HOURS):
            await asyncio.sleep(3600)
            done.append([report.done for report in reports])

    tasks = [asyncio.ensure_future(policy(service, items, each)) for each in reports]
    await look()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    last = [after - before for before, after in zip(*done[-2:], strict=True)]
    return {"jain": jain(done[-1]), "jain_last_hour": jain(last)}


def jain(served: list[int]) -> float:
    """Return Jain's index: 1 if all are served alike, 1 / n if only one is."""
    return sum(served) ** 2 / (len(served) * sum(each**2 for each in served))


async def places(policy: Policy) -> list[tuple[float, int]]:
    """Return the images in progress over time, while the cap changes."""
    scenario = SCENARIOS["cap 10, 4, 16"]
    service = Service(scenario, Report(limiters=[]))
    points: list[tuple[float, int]] = []

    async def look() -> None:
        for _ in range(int(1500 / LOOK)):
            now = asyncio.get_running_loop().time()
            points.append((now, service.in_progress))
            await asyncio.sleep(LOOK)

    task = asyncio.ensure_future(policy(service, drawn(scenario), Report(limiters=[])))
    await look()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return points


def measured(seeds: int, items: int) -> dict[str, Any]:
    """Return the figures of every policy in every scenario."""
    table: dict[str, Any] = defaultdict(dict)
    for (where, scenario), (name, policy) in itertools.product(
        SCENARIOS.items(), POLICIES.items()
    ):
        rows = []
        for seed in range(seeds):
            random.seed(seed)
            caps = tuple((at * items / ITEMS, cap) for at, cap in scenario.caps)
            seeded = attrs.evolve(scenario, seed=seed, items=items, caps=caps)
            rows.append(run(served(policy, seeded, ERRORS.get(where, 0.0))))
        table[where][name] = spreads(rows)
    ours = POLICIES["this gate"]
    fairness = {
        f"{clients} clients": spreads(
            [run(shares(ours, clients, seed)) for seed in range(seeds)]
        )
        for clients in (2, 3)
    }
    over_time = {name: run(places(POLICIES[name])) for name in SHOWN}
    return {
        "policies": table,
        "fairness": fairness,
        "caps": STEPS,
        "places": {
            name: [(rounded(at), count) for at, count in points]
            for name, points in over_time.items()
        },
    }


if __name__ == "__main__":
    print(json.dumps(measured(*map(int, sys.argv[1:]))))
