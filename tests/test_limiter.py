"""The gate: places, waiters, and nothing lost on any path."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from ideogram_async import Limiter
from ideogram_async._learning import LONGEST_CLOSURE, Lease, Verdict
from ideogram_async.limiter import LOOK_AHEAD, MOST_PASSES

from .gate_simulation import VirtualLoop, run


async def settle() -> None:
    """Let every task go as far as it can without time."""
    for _ in range(4):
        await asyncio.sleep(0)


def test_fewer_than_one_place_is_refused() -> None:
    """A gate without places would let nothing through, ever."""
    with pytest.raises(ValueError, match="places must be 1 or more, got 0"):
        Limiter(0)


def test_repr_shows_the_counts() -> None:
    """The repr says how many places there are, are in use, and are waited for."""

    async def main() -> str:
        limiter = Limiter(1)
        await limiter.acquire()
        waiter = asyncio.create_task(limiter.acquire())
        await settle()
        shown = repr(limiter)
        waiter.cancel()
        return shown

    assert run(main()) == "<Limiter 1 of 1 places in use, 1 waiting>"


def test_first_come_first_served() -> None:
    """Waiters go in the order in which they came."""

    async def main() -> list[int]:
        limiter, order = Limiter(1, learn=False), list[int]()

        async def use(number: int) -> None:
            lease = await limiter.acquire()
            order.append(number)
            await asyncio.sleep(1)
            limiter.release(lease)

        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(use(number))
        return order

    assert run(main()) == [0, 1, 2, 3, 4]


def test_front_goes_first() -> None:
    """A refused request that comes back goes before those that wait."""

    async def main() -> list[str]:
        limiter, order = Limiter(1, learn=False), list[str]()
        held = await limiter.acquire()

        async def use(name: str, *, front: bool) -> None:
            lease = await limiter.acquire(front=front)
            order.append(name)
            limiter.release(lease)

        async with asyncio.TaskGroup() as group:
            group.create_task(use("first", front=False))
            await settle()
            group.create_task(use("refused", front=True))
            await settle()
            limiter.release(held)
        return order

    assert run(main()) == ["refused", "first"]


async def _queue(
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


@pytest.mark.parametrize(
    ("sizes", "order"),
    [
        pytest.param([4, 1, 1], [1, 2], id="smaller-pass"),
        pytest.param([4, 3, 2], [2], id="first-that-fits"),
        pytest.param([4] * (LOOK_AHEAD - 1) + [1], [31], id="last-looked-at"),
        pytest.param([4] * LOOK_AHEAD + [1], [], id="too-far-back"),
        pytest.param([2, 1], [0], id="first-fits"),
    ],
)
def test_one_that_fits_may_pass(sizes: list[int], order: list[int]) -> None:
    """If the first needs more places than are free, one of the next 32 may go."""

    async def main() -> list[int]:
        limiter = Limiter(10, learn=False)
        await limiter.acquire(8)
        tasks, went = await _queue(limiter, sizes)
        for task in tasks:
            task.cancel()
        return went

    assert run(main()) == order


def test_nobody_is_passed_for_ever() -> None:
    """A waiter is passed 32 times; then the places are kept free for it."""

    async def main() -> tuple[int, int]:
        limiter = Limiter(10, learn=False)
        held = [await limiter.acquire() for _ in range(10)]
        (large, *small), order = await _queue(limiter, [8] + [1] * 60)
        while not large.done():
            limiter.release(held.pop(0))
            await settle()
            held += [each.result() for each in small if each.done()]
            small = [each for each in small if not each.done()]
        for each in small:
            each.cancel()
        return order.index(0), limiter.in_use

    assert run(main()) == (MOST_PASSES, 10)


def test_larger_than_the_limit_runs_alone() -> None:
    """A request for more than all places waits until it is alone."""

    async def main() -> list[int]:
        limiter, used = Limiter(4, learn=False), list[int]()
        first = await limiter.acquire()
        (large,), _ = await _queue(limiter, [8])
        used.append(limiter.in_use)
        limiter.release(first)
        await settle()
        used.append(limiter.in_use)
        limiter.release(large.result())
        return [*used, limiter.in_use]

    assert run(main()) == [1, 8, 0]


def test_those_that_fit_go_before_one_that_is_too_large() -> None:
    """A request above the limit, perhaps never served, does not hold up the others."""

    async def main() -> list[int]:
        limiter = Limiter(4, learn=False)
        held = await limiter.acquire(4)
        tasks, order = await _queue(limiter, [8, 2, 2, 9])
        limiter.release(held)
        for turn in (1, 2, 0, 3):
            await settle()
            limiter.release(tasks[turn].result())
        return order

    assert run(main()) == [1, 2, 0, 3]


def test_too_large_is_due_after_its_passes() -> None:
    """One above the limit that was passed 32 times goes before others that fit."""

    async def main() -> int:
        limiter = Limiter(2, learn=False)
        held = await limiter.acquire(2)
        tasks, order = await _queue(limiter, [8] + [2] * 40)
        for turn in range(1, MOST_PASSES + 1):
            limiter.release(held)
            await settle()
            held = tasks[turn].result()
        limiter.release(held)
        await settle()
        for task in tasks:
            task.cancel()
        return order.index(0)

    assert run(main()) == MOST_PASSES


def test_cancelled_waiter_takes_nothing() -> None:
    """A cancelled wait leaves no trace, and the next in line goes."""

    async def main() -> tuple[list[int], str]:
        limiter = Limiter(1, learn=False)
        held = await limiter.acquire()
        (first, second), order = await _queue(limiter, [1, 1])
        first.cancel()
        await settle()
        limiter.release(held)
        await settle()
        limiter.release(second.result())
        return order, repr(limiter)

    assert run(main()) == ([1], "<Limiter 0 of 1 places in use, 0 waiting>")


def test_cancelled_large_waiter_lets_the_others_go() -> None:
    """When the one that the places were kept for gives up, the rest goes at once."""

    async def main() -> list[int]:
        limiter = Limiter(2, learn=False)
        await limiter.acquire()
        (large, *rest), order = await _queue(limiter, [2, 2, 1])
        large.cancel()
        rest[0].cancel()
        await settle()
        return order

    assert run(main()) == [2]


def test_place_granted_to_a_cancelled_task_is_given_back() -> None:
    """A task cancelled after its places came, but before it ran, keeps none."""

    async def main() -> int:
        limiter = Limiter(1, learn=False)
        held = await limiter.acquire()
        (waiter,), _ = await _queue(limiter, [1])
        limiter.release(held)
        waiter.cancel()
        await settle()
        assert waiter.cancelled()
        return limiter.in_use

    assert run(main()) == 0


def test_pause_lets_nothing_through_for_its_time() -> None:
    """A pause holds back new requests, and those that wait, until it is over."""

    async def main() -> tuple[float, float]:
        loop, limiter = asyncio.get_running_loop(), Limiter(2, learn=False)
        held = await limiter.acquire(2)
        (waiter,), _ = await _queue(limiter, [1])
        limiter.pause(7.0)
        limiter.release(held)
        await waiter
        limiter.pause(5.0)
        before = loop.time()
        await limiter.acquire()
        return before, loop.time() - before

    before, waited = run(main())
    assert before == pytest.approx(7.0)
    assert waited == pytest.approx(5.0)


def test_no_alarm_is_left_behind() -> None:
    """When the last waiter of a closed gate gives up, its timer is gone."""

    async def main() -> float:
        limiter = Limiter()
        limiter.pause(60.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await limiter.acquire()
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(1.0)


def test_learning_gate_follows_a_refusal() -> None:
    """A refusal lowers the limit to what is in flight, or to what it names."""

    async def main() -> tuple[int, int]:
        limiter = Limiter(10)
        held = [await limiter.acquire() for _ in range(10)]
        limiter.release(held.pop(), Verdict.REFUSED)
        lower = limiter.limit
        limiter.release(held.pop(), Verdict.REFUSED, max_inflight_requests=5)
        return lower, limiter.limit

    assert run(main()) == (9, 5)


def test_fixed_gate_learns_nothing() -> None:
    """A gate that is not to learn keeps its size whatever happens."""

    async def main() -> int:
        limiter = Limiter(3, learn=False)
        limiter.release(await limiter.acquire(), Verdict.REFUSED)
        return limiter.limit

    assert run(main()) == 3


class LimiterMachine(RuleBasedStateMachine):
    """Acquire, release and cancel at random; nothing is lost and nobody starves."""

    leases = Bundle("leases")
    waits = Bundle("waits")

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.waiting = list[asyncio.Task[Lease]]()
        self.held = list[Lease]()

    @initialize(places=st.integers(1, 12), learn=st.booleans())
    def make(self, places: int, *, learn: bool) -> None:
        self.limiter = Limiter(places, learn=learn)

    @rule(target=waits, places=st.integers(1, 8), front=st.booleans())
    def acquire(self, places: int, *, front: bool) -> asyncio.Task[Lease]:
        task = self.loop.create_task(self.limiter.acquire(places, front=front))
        self.waiting.append(task)
        self.run(settle())
        return task

    @rule(
        at=st.integers(0, 20),
        verdict=st.sampled_from(Verdict),
        named=st.none() | st.integers(1, 20),
        cancelled=st.none() | waits,
    )
    def release(
        self,
        at: int,
        verdict: Verdict,
        named: int | None,
        cancelled: asyncio.Task[Lease] | None,
    ) -> None:
        """Give a lease back, and cancel a task in the same breath."""
        if self.held:
            lease = self.held.pop(at % len(self.held))
            self.run(self.give_back(lease, verdict, named, cancelled))

    @rule(task=consumes(waits))
    def cancel(self, task: asyncio.Task[Lease]) -> None:
        task.cancel()
        self.run(settle())

    @rule(seconds=st.floats(0, 40))
    def pass_time(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @invariant()
    def counts_are_true(self) -> None:
        if hasattr(self, "limiter"):
            assert self.limiter.in_use == sum(lease.places for lease in self.held)
            assert self.limiter.waiting == len(self.waiting)
            assert self.limiter.limit >= 1

    def teardown(self) -> None:
        """Serve everybody; then all places are free."""
        for _ in range(20 * len(self.waiting)):
            if self.held:
                lease = self.held.pop(0)
                self.run(self.give_back(lease, Verdict.SERVED, None, None))
            self.run(asyncio.sleep(LONGEST_CLOSURE))
        while self.held:
            lease = self.held.pop()
            self.run(self.give_back(lease, Verdict.SERVED, None, None))
        assert not self.waiting
        if hasattr(self, "limiter"):
            assert self.limiter.in_use == self.limiter.waiting == 0
        self.loop.close()

    async def give_back(
        self,
        lease: Lease,
        verdict: Verdict,
        named: int | None,
        cancelled: asyncio.Task[Lease] | None,
    ) -> None:
        self.limiter.release(lease, verdict, max_inflight_requests=named)
        if cancelled is not None:
            cancelled.cancel()
        await settle()

    def run(self, step: Coroutine[Any, Any, None]) -> None:
        """Take *step*; what came through meanwhile was within the limit, or alone."""
        self.loop.run_until_complete(step)
        for task in [task for task in self.waiting if task.done()]:
            self.waiting.remove(task)
            if not task.cancelled():
                lease = task.result()
                assert lease.level <= self.limiter.limit or lease.level == lease.places
                self.held.append(lease)


LimiterMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)


class TestLimiterMachine(LimiterMachine.TestCase):
    """Whatever happens in whatever order, the gate keeps its promises."""


async def test_nobody_is_looked_for_who_does_not_leave() -> None:
    """Waits that end while the service is down don't each search all others."""

    class Watched(deque[Any]):
        looks = 0

        def __iter__(self) -> Iterator[Any]:
            Watched.looks += 1
            return super().__iter__()

    limiter = Limiter(1)
    limiter._queue = Watched()
    limiter.pause(60, is_down=True)
    tasks = [asyncio.create_task(limiter.acquire()) for _ in range(100)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(each) for each in ended} == {asyncio.CancelledError}
    assert (limiter.waiting, Watched.looks) == (0, 0)
