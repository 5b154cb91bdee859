"""How else to keep within a limit that nobody tells, in the simulation of the tests.

Each policy serves the items of a scenario against the simulated service, which refuses
above its cap.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import attrs

from ideogram_async import Limiter
from ideogram_async._learning import Verdict
from tests.gate_simulation import Report, Service, Workers


PLACES: Final = 10
TASKS_AT_ONCE: Final = 100_000
"""What is no limit here."""

Items = Iterator[tuple[int, float]]
"""Places and seconds of each."""
Policy = Callable[[Service, Items, Report], Awaitable[None]]
"""Serves all items, and counts those done and those given up."""


async def ours(service: Service, items: Items, report: Report) -> None:
    """The gate of this library."""
    limiter = Limiter(PLACES)
    report.limiters.append(limiter)
    async with asyncio.TaskGroup() as group:
        Workers(limiter, items, service, report, group.create_task).start()


@attrs.frozen
class Script:
    """A task per item, a semaphore over requests, and a retry decorator.

    Attributes:
        permits: Of the semaphore; a refused request waits outside.
        attempts: How often a request is sent at most.
        wait: Seconds to wait after so many attempts.
    """

    permits: int
    attempts: float
    wait: Callable[[int], float]

    async def __call__(self, service: Service, items: Items, report: Report) -> None:
        """Serve *items*."""
        semaphore = asyncio.Semaphore(self.permits)

        async def deliver(places: int, seconds: float) -> None:
            for attempt in itertools.count(1):
                async with semaphore:
                    verdict, _ = await service.send(places, seconds)
                if verdict is Verdict.SERVED or attempt >= self.attempts:
                    break
                await asyncio.sleep(self.wait(attempt))
            report.failed += verdict is not Verdict.SERVED
            report.done += 1

        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(deliver(*item))


def random_exponential(attempt: int) -> float:
    """Wait as tenacity's `wait_random_exponential(max=60)` does."""
    return random.uniform(0, min(60.0, 2.0 ** min(attempt - 1, 10)))


def sdk_backoff(attempt: int) -> float:
    """Wait as common SDKs do: half a second, doubled, up to 8, less a quarter."""
    return min(0.5 * 2.0 ** (attempt - 1), 8.0) * random.uniform(0.75, 1)


@attrs.define(eq=False)
class Window:
    """A window of places that grows by addition and shrinks by multiplication.

    Attributes:
        by_window: Whether it grows by 1 a window, else by 1 an answer.
        shrink: What it is multiplied with at a refusal.
    """

    by_window: bool
    shrink: float
    limit: float = PLACES
    in_use: int = 0
    waiting: deque[tuple[int, asyncio.Future[None]]] = attrs.field(factory=deque)

    async def take(self, places: int, *, front: bool) -> None:
        """Wait until the places are free, and take them."""
        ready = asyncio.get_running_loop().create_future()
        (self.waiting.appendleft if front else self.waiting.append)((places, ready))
        self._admit()
        await ready

    def give_back(self, places: int, verdict: Verdict) -> None:
        """Give the places back, and follow the verdict."""
        if verdict is Verdict.SERVED and 2 * self.in_use > self.limit:
            self.limit += places / self.limit if self.by_window else 1
        elif verdict is Verdict.REFUSED:
            self.limit = max(1.0, self.limit * self.shrink)
        self.in_use -= places
        self._admit()

    def _admit(self) -> None:
        while self.waiting:
            places, ready = self.waiting[0]
            if self.in_use and self.in_use + places > self.limit:
                break
            self.waiting.popleft()
            if not ready.done():
                self.in_use += places
                ready.set_result(None)


@attrs.frozen
class Aimd:
    """Additive increase, multiplicative decrease; a refused item goes to the front.

    Attributes:
        by_window: Whether the window grows by 1 a window, else by 1 an answer.
        shrink: What it is multiplied with at a refusal.
    """

    by_window: bool
    shrink: float

    async def __call__(self, service: Service, items: Items, report: Report) -> None:
        """Serve *items*."""
        window = Window(self.by_window, self.shrink)

        async def deliver(places: int, seconds: float) -> None:
            verdict, failures = Verdict.REFUSED, 0
            front = False
            while verdict is not Verdict.SERVED and failures < 5:
                await window.take(places, front=front)
                verdict, _ = await service.send(places, seconds)
                window.give_back(places, verdict)
                front = True
                if verdict is Verdict.FAILED:
                    failures += 1
                    await asyncio.sleep(random_exponential(failures))
                elif not window.in_use:
                    await asyncio.sleep(random.uniform(0.5, 1))
            report.failed += verdict is not Verdict.SERVED
            report.done += 1

        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(deliver(*item))


POLICIES: Final[dict[str, Policy]] = {
    "this gate": ours,
    "Semaphore(10), tenacity": Script(PLACES, float("inf"), random_exponential),
    "all at once, tenacity": Script(TASKS_AT_ONCE, float("inf"), random_exponential),
    "gather, two retries": Script(TASKS_AT_ONCE, 3, sdk_backoff),
    "AIMD 0.9, +1 a window": Aimd(by_window=True, shrink=0.9),
    "AIMD 0.9, +1 an answer": Aimd(by_window=False, shrink=0.9),
    "AIMD 0.5, +1 a window": Aimd(by_window=True, shrink=0.5),
}
