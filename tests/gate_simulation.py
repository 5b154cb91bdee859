"""The real gate against a simulated service, in virtual time.

`VirtualLoop` is an asyncio event loop whose clock jumps to the next timer instead of
sleeping, so that an hour of work takes a fraction of a second; where nothing is ready
and no timer is set, it raises instead of hanging. `simulate` runs workers as `_bulk`
does (a few more than places; a refused item goes to the front) over one or several
gates, against a service that counts places and refuses at once above its cap.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
import selectors
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import attrs

from ideogram_async import Limiter, RetryPolicy
from ideogram_async._learning import Lease, Verdict
from ideogram_async._queue import LOOK_AHEAD


T = TypeVar("T")

SPREAD = 0.57
"""Sigma of the log-normal service times: a median of 5.1 s for a mean of 6 s."""


class DeadlockError(Exception):
    """Nothing is ready, and nothing ever will be."""


class _JumpingSelector(selectors.SelectSelector):
    """Waits for nothing: what would be a sleep moves the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Move the clock by *timeout*."""
        if timeout is None:
            raise DeadlockError("every task waits, and no timer is set")
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is virtual."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time, in seconds from 0."""
        return self._jumping.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


async def settle() -> None:
    """Let every task go as far as it can without time."""
    for _ in range(4):
        await asyncio.sleep(0)


async def queue(
    limiter: Limiter, sizes: list[int]
) -> tuple[list[asyncio.Task[Lease]], list[int]]:
    """Start a waiter for each of *sizes*; return them, and who went, in order."""
    order = list[int]()

    async def wait(number: int, places: int) -> Lease:
        lease = await limiter.acquire(places)
        order.append(number)
        return lease

    tasks = [asyncio.create_task(wait(*each)) for each in enumerate(sizes)]
    await settle()
    return tasks, order


@attrs.frozen(kw_only=True)
class Scenario:
    """What is simulated.

    Attributes:
        caps: Places that the service serves, each from a time on.
        items: How many requests there are in all.
        sizes: Places that a request takes, each with its weight.
        mean: Mean service time, in seconds.
        round_trip: Seconds on the wire, both ways together.
        names_limit: Whether a refusal names the cap.
        outage: From when to when every attempt fails at once; or None.
        clients: Gates with the same key, which share the items.
        foreign: Rate of requests of a client without any gate, per second.
        start: Places that the gates start with.
        horizon: When all is cancelled, in seconds; None for never.
        seed: Of all that is random.
    """

    caps: tuple[tuple[float, int], ...] = ((0.0, 10),)
    items: int = 2_000
    sizes: tuple[tuple[int, float], ...] = ((1, 1.0),)
    mean: float = 6.0
    round_trip: float = 0.08
    names_limit: bool = False
    outage: tuple[float, float] | None = None
    clients: int = 1
    foreign: float = 0.0
    start: int = 10
    horizon: float | None = None
    seed: int = 0

    def cap(self, now: float) -> int:
        """Return the places that the service serves at *now*."""
        return next(cap for at, cap in reversed(self.caps) if at <= now)

    def ideal(self, work: float) -> float:
        """Return the seconds that *work* (places x seconds) takes at full use."""
        ends = [at for at, _ in self.caps[1:]] + [math.inf]
        for (at, cap), end in zip(self.caps, ends, strict=True):
            if work <= cap * (end - at):
                return at + work / cap
            work -= cap * (end - at)
        raise AssertionError("the last cap holds for ever")


@attrs.define(kw_only=True)
class Report:
    """What came of a scenario.

    Attributes:
        limiters: The gates.
        makespan: When the last item was done.
        efficiency: Ideal makespan over makespan.
        refusals: How many attempts were refused.
        outage_attempts: How many attempts were made while the service was out.
        failed: Items given up.
        done: Items served or given up.
        peak: Most places in use at once of one gate.
    """

    limiters: list[Limiter]
    makespan: float = 0.0
    efficiency: float = 0.0
    refusals: int = 0
    outage_attempts: int = 0
    failed: int = 0
    done: int = 0
    peak: int = 0

    @property
    def refusals_per_item(self) -> float:
        """How many attempts were refused, over the items done."""
        return self.refusals / self.done


class Service:
    """Counts places in progress, refuses at once above the cap, and serves."""

    def __init__(self, scenario: Scenario, report: Report) -> None:
        self.scenario, self.report = scenario, report
        self.in_progress = 0
        self.work = 0.0

    async def send(
        self, places: int, seconds: float, *, is_foreign: bool = False
    ) -> tuple[Verdict, int | None]:
        """Return the verdict, and the limit that a refusal names."""
        now = asyncio.get_running_loop().time
        await asyncio.sleep(self.scenario.round_trip / 2)
        outage = self.scenario.outage
        verdict, named = Verdict.SERVED, None
        if outage and outage[0] <= now() < outage[1]:
            self.report.outage_attempts += 1
            verdict = Verdict.FAILED
        elif self.in_progress + places > (cap := self.scenario.cap(now())):
            self.report.refusals += not is_foreign
            verdict, named = Verdict.REFUSED, cap if self.scenario.names_limit else None
        else:
            self.in_progress += places
            await asyncio.sleep(seconds)
            self.in_progress -= places
            self.work += places * seconds
        await asyncio.sleep(self.scenario.round_trip / 2)
        return verdict, named


def simulate(scenario: Scenario) -> Report:
    """Run *scenario* and report what came of it."""
    random.seed(scenario.seed)
    return run(_simulate(scenario))


async def _simulate(scenario: Scenario) -> Report:
    report = Report(limiters=[Limiter(scenario.start) for _ in range(scenario.clients)])
    service = Service(scenario, report)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(scenario.horizon):
            await _serve(scenario, report, service)
    report.makespan = asyncio.get_running_loop().time()
    report.efficiency = scenario.ideal(service.work) / report.makespan
    return report


async def _serve(scenario: Scenario, report: Report, service: Service) -> None:
    items = drawn(scenario)
    async with asyncio.TaskGroup() as group:
        others = group.create_task(foreign(service))
        async with asyncio.TaskGroup() as workers:
            for limiter in report.limiters:
                share = itertools.islice(items, scenario.items // scenario.clients)
                Workers(limiter, share, service, report, workers.create_task).start()
        others.cancel()


def drawn(scenario: Scenario) -> Iterator[tuple[int, float]]:
    """Yield the places and the service time of every item."""
    dice = random.Random(scenario.seed)
    location = math.log(scenario.mean) - SPREAD**2 / 2
    sizes, weights = zip(*scenario.sizes, strict=True)
    for _ in range(scenario.items):
        size = dice.choices(sizes, weights)[0]
        yield size, dice.lognormvariate(location, SPREAD)


@attrs.define
class Workers:
    """Draw and send, as the workers of `_bulk` and the attempts of `_delivery` do."""

    limiter: Limiter
    items: Iterator[tuple[int, float]]
    service: Service
    report: Report
    spawn: Callable[[Coroutine[Any, Any, None]], object]
    running: int = 0

    def start(self) -> None:
        self.running += 1
        self.spawn(self.work())

    async def work(self) -> None:
        for places, seconds in self.items:
            if self.running < self.limiter.limit + LOOK_AHEAD:
                self.start()
            self.report.failed += not await self.deliver(places, seconds)
            self.report.done += 1
        self.running -= 1

    async def deliver(self, places: int, seconds: float) -> bool:
        policy, failures, front = RetryPolicy(), 0, False
        while failures < policy.attempts:
            lease = await self.limiter.acquire(places, front=front)
            self.report.peak = max(self.report.peak, self.limiter.in_use)
            verdict, named = await self.service.send(places, seconds)
            self.limiter.release(lease, verdict, max_inflight_requests=named)
            if verdict is Verdict.SERVED:
                return True
            front = True
            if verdict is Verdict.FAILED:
                failures += 1
                await asyncio.sleep(policy.backoff(failures))
        return False


async def foreign(service: Service) -> None:
    """Send at random times with the same key, without asking any gate."""
    dice = random.Random(service.scenario.seed + 1)
    async with asyncio.TaskGroup() as group:
        while service.scenario.foreign:
            await asyncio.sleep(dice.expovariate(service.scenario.foreign))
            seconds = dice.expovariate(1 / service.scenario.mean)
            group.create_task(service.send(1, seconds, is_foreign=True))
